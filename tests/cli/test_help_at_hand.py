"""A mistyped name gets the nearest one, each shell gets its script, and state commands know environments."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.command_line import Ran, run_cli
from tests.support.written_app import WrittenApp

from holdfast_orchestrator import Manifest, Project, select
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.testing import captured_terminal, refusing_runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    (tmp_path / "cdktf.json").write_text('{"app": "false"}')
    app = WrittenApp(tmp_path, "states")
    for name in ("orders-prod", "orders-dev", "payments-dev"):
        app.add(name)
    return refusing_runtime(cwd=tmp_path)


def run(runtime: Runtime, *argv: str) -> Ran:
    return run_cli(argv, replace(runtime, terminal=captured_terminal()))


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        (("deplyo",), "Did you mean 'deploy'?"),
        (("state", "backup", "x"), "Did you mean 'backups'?"),
        (("local", "stat"), "Did you mean 'status'?"),
        (("zzz",), "There are: "),
        (
            ("state", "backups", "orders", "--env", "prd"),
            "if you mean it: holdfast state backups orders --env prod",
        ),
    ],
)
def test_what_was_mistyped_gets_the_nearest_name(runtime: Runtime, argv: tuple[str, ...], meant: str) -> None:
    ran = run(runtime, *argv)

    assert ran.code == UsageError.exit_code
    assert meant in ran.err


def test_of_a_service_of_two_environments_one_is_chosen(runtime: Runtime) -> None:
    ambiguous = run(runtime, "state", "backups", "orders")
    chosen = run(runtime, "state", "backups", "orders", "--env", "prod")

    assert ambiguous.code == UsageError.exit_code
    assert "may be any of several shards" in ambiguous.err
    # The shard is known now; its bucket is what this runtime refuses.
    assert "RefusedError" in chosen.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_names_holdfast(runtime: Runtime, shell: str) -> None:
    ran = run(runtime, "completion", shell)

    assert ran.code == 0
    assert "_HOLDFAST_COMPLETE" in ran.out
    assert f"{shell}_complete" in ran.out


def test_the_bash_script_is_valid_bash(runtime: Runtime) -> None:
    script = run(runtime, "completion", "bash").out

    subprocess.run(("bash", "-n"), input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"env": "prd"}, "--env prod"),
        ({"service": "paymens"}, "--service payments"),
        ({"stack": "order-prod"}, "--stack orders-prod"),
        ({"stack": "zzz"}, None),
    ],
)
def test_a_selection_that_matches_nothing_names_the_nearest(
    runtime: Runtime, asked: dict[str, str], meant: str | None
) -> None:
    shards = Project.load(runtime.cwd, runtime=runtime).recorded()

    with pytest.raises(UsageError) as refused:
        select(env=asked.get("env", ()), service=asked.get("service", ()), stack=asked.get("stack", ())).of(
            Manifest(shards)
        )

    assert refused.value.next_step == (None if meant is None else f"if you mean it: holdfast … {meant}")
