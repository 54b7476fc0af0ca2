"""Where a run dies on purpose, for tests only.

    HOLDFAST_CRASH_AT="applying:before"            at the first shard that comes there
    HOLDFAST_CRASH_AT="rb_applying:after:orders-prod-eu-west-1"
    HOLDFAST_CRASH_AT="verify#2:before"                the second time a shard comes there

The process ends as if it had been killed: at once, with exit code 137, without any clean-up. It does so
when the journal record of that phase and edge has been written.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.lifecycle import Phase, is_phase, phase_named

VARIABLE = "HOLDFAST_CRASH_AT"
KILLED = 137

_EDGES = ("before", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashPoint:
    """One place to die at, when a shard comes there the `time`-th time; `shard` "" means any."""

    phase: Phase
    edge: str
    shard: str = ""
    time: int = 1
    die: Callable[[int], object] = os._exit
    _times: Counter[str] = field(default_factory=Counter)

    def reached(self, phase: Phase, edge: str, shard: str) -> None:
        """Die if this is the place."""
        if (phase, edge) == (self.phase, self.edge) and self.shard in ("", shard):
            self._times[shard] += 1
            if self._times[shard] == self.time:
                self.die(KILLED)


def crash_point(environ: Mapping[str, str]) -> CrashPoint | None:
    """Return the place HOLDFAST_CRASH_AT names, None where it is not set. Raises UsageError for nonsense."""
    text = environ.get(VARIABLE)
    if not text:
        return None
    place, _, rest = text.partition(":")
    phase, _, time = place.partition("#")
    edge, _, shard = rest.partition(":")
    # The second verify had a name of its own.
    time = time or ("2" if phase == "verify2" else "1")
    if not is_phase(phase) or edge not in _EDGES or not time.isdecimal():
        raise UsageError(f"{VARIABLE} must be <phase>[#<time>]:<before|after>[:<shard>], got {text!r}")
    return CrashPoint(phase=phase_named(phase), edge=edge, shard=shard, time=int(time))
