"""Which processes are to be ended: dead ones, those nobody asks for again, and idle ones beyond the bounds.

A process in use is never ended, however many there are: without the gateway the same command would have
started one of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from holdfast_orchestrator.engine.warm.provider_process import ProviderProcess

_BYTES_PER_PROCESS = 700 * 2**20
_SHARE = 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many idle processes are kept, and for how long."""

    processes: int
    idle_seconds: float = 60.0

    @classmethod
    def for_memory(cls, memory: int) -> "Bounds":
        """Return the bounds for a machine with so many bytes: a quarter of them at most."""
        return cls(max(1, memory // _SHARE // _BYTES_PER_PROCESS))


def superfluous(processes: Iterable[ProviderProcess], bounds: Bounds, now: float) -> list[ProviderProcess]:
    """Return those to end, longest idle first."""
    every = list(processes)
    idle = sorted((each for each in every if each.is_idle), key=lambda process: process.idle_since)
    done = [
        each for each in idle if each.spent or not each.lives or now - each.idle_since > bounds.idle_seconds
    ]
    rest = [each for each in idle if each not in done]
    beyond = max(0, len(every) - len(done) - bounds.processes)
    return done + rest[:beyond]
