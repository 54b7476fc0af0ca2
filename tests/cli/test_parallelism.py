"""How many objects Terraform works on at once: every command that plans takes it, within its limits."""

from pathlib import Path

import pytest
from tests.support.command_line import run_cli

from holdfast_orchestrator.testing import captured_terminal, refusing_runtime

PLANNING = {
    "plan": (),
    "deploy": (),
    "destroy": (),
    "rollback": ("orders",),
    "resume": ("01JD3K4T7Q9ZV5M2X8R6W1B0CE",),
    "adopt": ("orders", "--from", "x.tfstate"),
}


@pytest.mark.parametrize("verb", PLANNING)
def test_more_than_fifty_at_once_are_refused(tmp_path: Path, verb: str) -> None:
    (tmp_path / "cdktf.json").write_text('{"app": "python main.py"}')
    runtime = refusing_runtime(cwd=tmp_path, terminal=captured_terminal(), cache=tmp_path / "cache")

    ran = run_cli([verb, *PLANNING[verb], "--parallelism", "51"], runtime)

    assert ran.code == 64
    assert "not in the range 1<=x<=50" in ran.err
