"""Init, lock files and mirrors, with a provider that init installs and nothing runs."""

import hashlib
import subprocess
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.support.engine_shards import Shard, data

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.diagnostics import CommandFailedError
from holdfast_orchestrator.engine.mirrors import this_platform
from holdfast_orchestrator.system.runtime import Runtime

FAKE = "registry.terraform.io/acme/fake"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a packed provider mirror that holds acme/fake 1.0.0 and 1.1.0, named in the environment."""
    folder = tmp_path / "mirror" / FAKE
    folder.mkdir(parents=True)
    for version in ("1.0.0", "1.1.0"):
        pack(folder, version, f"#!/bin/sh\n# {version}\nexit 1\n")
    monkeypatch.setenv("HOLDFAST_PROVIDER_MIRROR", str(tmp_path / "mirror"))
    return folder


def pack(folder: Path, version: str, program: str) -> None:
    member = zipfile.ZipInfo(f"terraform-provider-fake_v{version}")
    member.external_attr = 0o755 << 16
    with zipfile.ZipFile(folder / f"terraform-provider-fake_{version}_{this_platform()}.zip", "w") as archive:
        archive.writestr(member, program)


def requiring(version: str) -> dict[str, Any]:
    return {
        "terraform": {"required_providers": {"fake": {"source": "acme/fake", "version": version}}},
        **data(a={"input": "x"}),
    }


@pytest.mark.usefixtures("mirror")
def test_the_first_init_makes_the_projects_lock_file(shard: Shard, runtime: Runtime) -> None:
    outcome = shard(requiring("1.0.0")).init()

    assert not outcome.skipped
    lock = lockfile.read(runtime.cwd)[FAKE]
    assert lock.version == "1.0.0"
    assert lock.hashes


@pytest.mark.usefixtures("mirror")
def test_an_init_for_an_unchanged_configuration_is_skipped(shard: Shard) -> None:
    shard(requiring("1.0.0")).init()

    again = shard({**requiring("1.0.0"), "output": {"o": {"value": "new"}}}).init()

    assert again.skipped


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("change", ["version", "backend", "providers gone", "lock gone"])
def test_an_init_is_not_skipped_when_what_it_depends_on_changed(
    shard: Shard, tmp_path: Path, change: str
) -> None:
    first = shard(requiring("1.0.0"))
    first.init()
    configuration = requiring("1.1.0" if change == "version" else "1.0.0")
    if change == "backend":
        configuration["terraform"]["backend"] = {"local": {"path": str(tmp_path / "other.tfstate")}}
    if change == "providers gone":
        subprocess.run(["rm", "-r", str(first.workdir / ".terraform" / "providers")], check=True)
    if change == "lock gone":
        (first.workdir / lockfile.NAME).unlink()

    again = shard(configuration).init()

    assert not again.skipped


@pytest.mark.usefixtures("mirror")
def test_what_an_init_that_was_killed_has_left_is_no_hindrance(shard: Shard) -> None:
    """Found by `make chaos`: killed while it writes the backend's file, which is then empty."""
    killed = shard(requiring("1.0.0"))
    (killed.workdir / ".terraform").mkdir()
    (killed.workdir / ".terraform" / "terraform.tfstate").touch()

    assert not shard(requiring("1.0.0")).init().skipped


@pytest.mark.usefixtures("mirror")
def test_a_version_the_configuration_changed_replaces_the_locked_one(shard: Shard, runtime: Runtime) -> None:
    shard(requiring("1.0.0")).init()

    shard(requiring("1.1.0")).init()

    assert lockfile.read(runtime.cwd)[FAKE].version == "1.1.0"


@pytest.mark.usefixtures("mirror")
def test_a_provider_that_was_exchanged_is_refused_and_the_lock_file_stays(
    shard: Shard, runtime: Runtime, mirror: Path
) -> None:
    shard(requiring("1.0.0")).init()
    before = (runtime.cwd / lockfile.NAME).read_bytes()
    pack(mirror, "1.0.0", "#!/bin/sh\necho evil\n")

    with pytest.raises(CommandFailedError, match="checksums previously recorded") as failure:
        shard(requiring("1.0.0"), name="other").init()

    assert failure.value.next_step is not None
    assert "is not the build that .terraform.lock.hcl trusts" in failure.value.next_step
    assert (runtime.cwd / lockfile.NAME).read_bytes() == before


@pytest.mark.usefixtures("mirror")
def test_a_lock_with_only_archive_checksums_is_enough_and_is_not_rewritten(
    shard: Shard, runtime: Runtime, mirror: Path
) -> None:
    archive = mirror / f"terraform-provider-fake_1.0.0_{this_platform()}.zip"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    locked = lockfile.LockedProvider("1.0.0", "1.0.0", (f"zh:{digest}",))
    text = lockfile.render({FAKE: locked})
    (runtime.cwd / lockfile.NAME).write_text(text)
    terraform = shard(requiring("1.0.0"))

    terraform.init()

    assert (runtime.cwd / lockfile.NAME).read_text() == text
    own = lockfile.read(terraform.workdir)[FAKE]
    assert any(one.startswith("h1:") for one in own.hashes)
    assert terraform.init().skipped


@pytest.mark.usefixtures("mirror")
def test_many_first_inits_at_once_make_one_whole_lock_file(shard: Shard, runtime: Runtime) -> None:
    shards = [shard(requiring("1.0.0"), name=f"shard{number}") for number in range(4)]
    threads = [threading.Thread(target=one.init) for one in shards]
    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    text = (runtime.cwd / lockfile.NAME).read_text()
    assert lockfile.render(lockfile.parse(text)) == text
    assert list(lockfile.read(runtime.cwd)) == [FAKE]
