"""What a row of looks comes to. Pure: no clock, no target.

A check passes once it was seen healthy often enough in a row (or, where it has to hold, is so at the
window's end), fails once it was seen unhealthy too often, failed for good, or is not well at the end.
Looks that could not tell count for nothing, until nothing else is left to decide by.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast_orchestrator.health.observation import Observation, Standing

if TYPE_CHECKING:
    from holdfast_orchestrator.health.checks import BaseCheck

_BLIND = frozenset({Standing.UNKNOWN, Standing.DENIED})


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"
    """Given up before it was decided."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a check ended, and why in a clause."""

    result: Result
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """All looks so far: `streak` healthy ones in a row, `failures` unhealthy ones in all."""

    looks: int = 0
    streak: int = 0
    failures: int = 0
    last: Observation | None = None
    seen: Standing | None = None

    def after(self, observation: Observation) -> "Tally":
        """Return the tally with one more look."""
        counted = replace(self, looks=self.looks + 1, last=observation)
        if observation.standing in _BLIND:
            return counted
        healthy = observation.standing is Standing.HEALTHY
        return replace(
            counted,
            streak=self.streak + 1 if healthy else 0,
            failures=self.failures + (observation.standing is Standing.UNHEALTHY),
            seen=observation.standing,
        )


def judge(check: "BaseCheck", tally: Tally, *, over: bool) -> Ended | None:
    """Say how the check ended; None while it is undecided. `over`: its window has ended."""
    last = tally.last
    if last is None:
        return Ended(Result.FAILED, "it was never looked at") if over else None
    if last.standing is Standing.FAILED:
        return Ended(Result.FAILED, last.what)
    if check.failures is not None and tally.failures > check.failures:
        return Ended(Result.FAILED, last.what)
    if tally.streak >= check.successes and not check.holds:
        return Ended(Result.PASSED, last.what)
    return _at_the_end(check, tally, last) if over else None


def _at_the_end(check: "BaseCheck", tally: Tally, last: Observation) -> Ended:
    if last.standing in _BLIND:
        # Somebody who accepts not knowing does not accept what was known to be wrong before.
        well = check.on_inconclusive == "pass" and tally.seen in (None, Standing.HEALTHY)
        return Ended(
            Result.PASSED if well else Result.FAILED, f"inconclusive after {check.window:g} s: {last.what}"
        )
    if tally.streak >= check.successes:
        return Ended(Result.PASSED, last.what)
    return Ended(Result.FAILED, f"not healthy within {check.window:g} s: {last.what}")
