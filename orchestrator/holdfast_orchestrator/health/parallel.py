"""Several looks at once, none of which can hold the others up."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait

from holdfast_orchestrator.health.checks import Check
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.system.workers import settle, start_worker

# A look ends by itself at its time-out; only one that hangs (a name server, an SDK's retries) is left behind.
_GRACE_SECONDS = 1.0


def look_at_all(checks: Sequence[Check], look: Callable[[Check], Observation]) -> tuple[Observation, ...]:
    """Return one observation for each check; UNKNOWN for a look that did not end in its time.

    What `look` raises is raised here.
    """
    looks = [(check, _begun(check, look)) for check in checks]
    return tuple(_observed(check, future) for check, future in looks)


def _begun(check: Check, look: Callable[[Check], Observation]) -> Future[Observation]:
    future: Future[Observation] = Future()
    # A daemon: the process can end although this one hangs.
    start_worker(settle, future, look, check, name=f"health {check.name}")
    return future


def _observed(check: Check, future: Future[Observation]) -> Observation:
    wait((future,), check.timeout + _GRACE_SECONDS)
    if future.done():
        return future.result()
    return Observation(Standing.UNKNOWN, f"no answer within {check.timeout:g} s")
