"""Several looks at once, none of which can hold the others up."""

from collections.abc import Callable, Sequence

from holdfast_orchestrator.health.checks import Check
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.system.workers import start_worker

# A look ends by itself at its time-out; only one that hangs (a name server, an SDK's retries) is left behind.
_GRACE_SECONDS = 1.0


def look_at_all(checks: Sequence[Check], look: Callable[[Check], Observation]) -> tuple[Observation, ...]:
    """Return one observation for each check; UNKNOWN for a look that did not end in its time.

    What `look` raises is raised here.
    """
    looks = [_Look(check, look) for check in checks]
    return tuple(each.result() for each in looks)


class _Look:
    def __init__(self, check: Check, look: Callable[[Check], Observation]) -> None:
        self._check = check
        self._look = look
        self._observation: Observation | None = None
        self._error: BaseException | None = None
        # A daemon: the process can end although this one hangs.
        self._thread = start_worker(self._run, name=f"health {check.name}")

    def result(self) -> Observation:
        self._thread.join(self._check.timeout + _GRACE_SECONDS)
        if self._error is not None:
            raise self._error
        hung = Observation(Standing.UNKNOWN, f"no answer within {self._check.timeout:g} s")
        return self._observation or hung

    def _run(self) -> None:
        try:
            self._observation = self._look(self._check)
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            self._error = error
