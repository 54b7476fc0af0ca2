"""A provider that is not AWS, of protocol 6: attached to as well, and in its shard's own folder."""

import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.mirrors import this_platform
from holdfast_orchestrator.engine.warm.client import WarmProviders
from holdfast_orchestrator.engine.warm.packages import _h1

SOURCE = "registry.terraform.io/acme/tiny"
PROVIDER = Path(__file__).resolve().parent.parent / "fixtures" / "tiny_provider" / "provider.py"


@pytest.fixture
def tiny(world: Any, tmp_path: Path) -> Iterator[Any]:
    """The world with a mirror that holds acme/tiny, which the project's lock file trusts."""
    folder = tmp_path / "mirror" / SOURCE / "1.0.0" / this_platform()
    folder.mkdir(parents=True)
    binary = folder / "terraform-provider-tiny_v1.0.0"
    binary.write_text(f"#!{sys.executable}\n{PROVIDER.read_text()}")
    binary.chmod(0o755)
    lock = lockfile.LockedProvider("1.0.0", "1.0.0", (_h1(folder, tmp_path / "hashes"),))
    (world.runtime.cwd / lockfile.NAME).write_text(lockfile.render({SOURCE: lock}))
    environ = {
        **world.runtime.environ,
        "HOLDFAST_PROVIDER_MIRROR": str(tmp_path / "mirror"),
        "TF_DISABLE_PLUGIN_TLS": "1",
        "TINY_LOG": str(tmp_path / "applied"),
    }
    runtime = dataclasses.replace(world.runtime, environ=environ, cache=tmp_path / "own-cache")
    warm = WarmProviders(runtime, world.told.append)
    try:
        yield dataclasses.replace(world, runtime=runtime, warm=warm)
    finally:
        warm.close()


def notes(mark: str, **texts: str) -> dict[str, Any]:
    return {
        "terraform": {"required_providers": {"tiny": {"source": "acme/tiny", "version": "1.0.0"}}},
        "provider": {"tiny": [{"mark": mark}, {"alias": "other", "mark": f"{mark}-other"}]},
        "resource": {
            "tiny_note": {
                **{name: {"text": text} for name, text in texts.items()},
                "aliased": {"text": "aliased", "provider": "tiny.other"},
            }
        },
    }


def applied(world: Any) -> list[tuple[str, str, int, str]]:
    """What arrived: with which mark, which text, in which process, in which folder."""
    lines = [json.loads(line) for line in Path(world.runtime.environ["TINY_LOG"]).read_text().splitlines()]
    return [(_text(configured), _text(planned), pid, folder) for configured, planned, pid, folder in lines]


def _text(msgpack: str) -> str:
    # A map of one attribute: 0x81, its name, the string.
    raw = bytes.fromhex(msgpack)
    name = raw[1] & 0x1F
    return raw[2 + name + 1 :].decode()


def test_plans_and_applies_are_those_of_the_plain_provider(tiny: Any) -> None:
    cold = tiny.terraform("cold", notes("m", a="x"), warm=False, state="s")
    warm = tiny.terraform("warm", notes("m", a="x"), state="s")
    shown = []
    for terraform in (cold, warm):
        terraform.init()
        document = terraform.show_plan(terraform.plan().plan)
        shown.append({**document, "timestamp": ""})
    plan = warm.plan()

    assert shown[0] == shown[1]
    assert tiny.provider_pids
    assert warm.apply(plan.plan)
    assert not warm.plan().changes
    assert not cold.plan().changes
    assert tiny.told == []


def test_two_configurations_in_one_command_work_in_two_processes_in_the_shards_folder(tiny: Any) -> None:
    warm = tiny.terraform("warm", notes("m", a="x"))
    warm.init()

    assert warm.apply(warm.plan().plan)

    arrived = {text: (mark, pid, folder) for mark, text, pid, folder in applied(tiny)}
    assert arrived["x"][0] == "m"
    assert arrived["aliased"][0] == "m-other"
    assert arrived["x"][1] != arrived["aliased"][1]
    assert {folder for _, _, folder in arrived.values()} == {str(warm.workdir)}


def test_a_provider_that_does_not_start_is_left_to_terraform(tiny: Any, tmp_path: Path) -> None:
    (binary,) = (tmp_path / "mirror").rglob("terraform-provider-tiny*")
    text = binary.read_text().replace(
        'debug = "-debug" in sys.argv', 'debug = "-debug" in sys.argv and 1 / 0'
    )
    binary.write_text(text)
    lock = lockfile.LockedProvider("1.0.0", "1.0.0", (_h1(binary.parent, tmp_path / "hashes"),))
    (tiny.runtime.cwd / lockfile.NAME).write_text(lockfile.render({SOURCE: lock}))
    warm = tiny.terraform("warm", notes("m", a="x"))
    warm.init()

    assert warm.apply(warm.plan().plan)

    (sentence,) = tiny.told
    assert "ZeroDivisionError" in sentence


def test_a_temporary_folder_whose_path_is_too_long_for_a_socket_hinders_nobody(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / ("t" * 130)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    tiny.runtime.environ["TMPDIR"] = str(temporary)
    own = set(Path("/tmp").glob("hf-*"))

    for name, is_warm in (("cold", False), ("warm", True)):
        terraform = tiny.terraform(name, notes("m", **{name: name}), warm=is_warm, state=name)
        terraform.init()
        assert terraform.apply(terraform.plan().plan)

    assert {"cold", "warm"} <= {text for _, text, _, _ in applied(tiny)}
    assert tiny.told == []
    assert tiny.provider_pids
    assert not list(temporary.rglob("plugin*"))
    made = set(Path("/tmp").glob("hf-*")) - own
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in made if folder.exists())
