"""Before anything is changed: would a health check of this shard fail from the start?

An alarm that is on already would fail the deploy whatever it does, and would not tell its doing from what
was there before. Credentials that may not look, and a URL that is never asked, would cost a rollback. What
is merely unhealthy now is no obstacle: this deploy may be what repairs it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from holdfast_orchestrator.health.checks import Alarm, Check, Http, MissingOutputError, enabled, resolved
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.kinds import look
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.health.parallel import look_at_all

# A command or a task may change something or take minutes; it is run when it counts.
_DOING = frozenset({"command", "ecs_task_succeeds"})


def ready_before(checks: Sequence[Check], outputs: Mapping[str, Any], doors: CheckContext) -> tuple[str, ...]:
    """Return what is in the way, one sentence each; empty where the deploy may start.

    `outputs` are the shard's values as they are now (none before its first deploy). A check whose target is
    not known yet, or does not exist yet, is not in the way.
    """
    ready = tuple(_resolvable(checks, outputs))
    observations = look_at_all(ready, lambda check: look(check, doors))
    problems = map(_problem, ready, observations)
    return tuple(problem for problem in problems if problem is not None)


def _resolvable(checks: Sequence[Check], outputs: Mapping[str, Any]) -> Iterator[Check]:
    for check in enabled(checks):
        if check.kind not in _DOING:
            with suppress(MissingOutputError):
                yield resolved(check, outputs)


def _problem(check: Check, seen: Observation) -> str | None:
    match check, seen.standing:
        case _, Standing.DENIED:
            return f"health check {check.name!r} cannot be made: {seen.what}"
        case Alarm(), Standing.UNHEALTHY:
            return f"alarm {check.alarm!r} of health check {check.name!r} is {seen.what}"
        case Http(), Standing.FAILED:
            return f"health check {check.name!r} cannot be made: {seen.what}"
        case _:
            return None
