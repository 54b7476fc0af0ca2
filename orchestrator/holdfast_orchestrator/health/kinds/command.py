"""A program of the user's own says whether all is well: exit code 0."""

from typing import TYPE_CHECKING

from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.system.process import Command as Program
from holdfast_orchestrator.system.process import Completed

if TYPE_CHECKING:
    from holdfast_orchestrator.health.checks import Command
    from holdfast_orchestrator.health.context import CheckContext

_LONGEST = 300


def look(check: "Command", doors: "CheckContext") -> Observation:
    """Run the program to its end, or to the end of its time."""
    program = Program(
        argv=tuple(str(word) for word in check.command),
        cwd=doors.cwd,
        environ={**doors.environ, **doors.variables},
        timeout=check.timeout,
        on_timeout="kill",
    )
    try:
        completed = doors.processes.run(program)
    except ToolchainError as error:
        return Observation(Standing.FAILED, error.what)
    if completed:
        return Observation(Standing.HEALTHY, "exit code 0")
    if completed.timed_out:
        return Observation(Standing.UNHEALTHY, f"did not end within {check.timeout:g} s")
    return Observation(Standing.UNHEALTHY, f"exit code {completed.code}: {_last_line(completed)}")


def _last_line(completed: Completed) -> str:
    lines = (completed.stderr.strip() or completed.stdout.strip()).splitlines()
    return lines[-1][:_LONGEST] if lines else "it said nothing"
