"""A command line run in this process, and how it ended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from holdfast_orchestrator import cli
from holdfast_orchestrator.system.runtime import Runtime


@dataclass(frozen=True)
class Ran:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def run_cli(argv: Sequence[str], runtime: Runtime) -> Ran:
    """Run a command whose terminal is a captured one."""
    code = cli.invoke(argv, runtime)
    terminal = cast("Any", runtime.terminal)
    return Ran(code, terminal.out.getvalue(), terminal.err.getvalue())
