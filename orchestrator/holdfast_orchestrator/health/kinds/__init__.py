"""One look at one target, by kind; `look` is the only thing to call.

A kind's own module reads its target's answer and says how healthy it is. What AWS calls an error is
sorted out here once: a target that does not exist has failed, one nobody may look at is denied, anything
else that went wrong tells nothing about the target.
"""

from typing import TYPE_CHECKING

from holdfast_orchestrator.health.checks import (
    Alarm,
    AlbTargetsHealthy,
    Check,
    Command,
    EcsServiceSteady,
    EcsTaskSucceeds,
    Http,
)
from holdfast_orchestrator.health.kinds import alarm, alb_targets, command, ecs_service, ecs_task, smoke
from holdfast_orchestrator.health.observation import Observation, Standing

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from holdfast_orchestrator.health.context import CheckContext

_MISSING = frozenset({"ClusterNotFoundException", "ServiceNotFoundException", "TargetGroupNotFound"})
_DENIED = ("AccessDenied", "UnauthorizedOperation", "ExpiredToken", "InvalidClientTokenId", "NotAuthorized")


def look(check: Check, doors: "CheckContext") -> Observation:
    """Look once at the target of a check whose outputs are put in. Never raises for what it sees."""
    import botocore.exceptions  # noqa: PLC0415 - half a second, when checks run

    try:
        return _look(check, doors)
    except botocore.exceptions.ClientError as error:
        return _refused(error)
    except botocore.exceptions.BotoCoreError as error:
        return Observation(Standing.UNKNOWN, f"AWS could not be asked: {error}")


def _look(check: Check, doors: "CheckContext") -> Observation:
    match check:
        case EcsServiceSteady():
            return ecs_service.look(check, doors)
        case AlbTargetsHealthy():
            return alb_targets.look(check, doors)
        case Http():
            return smoke.look(check, doors)
        case Alarm():
            return alarm.look(check, doors)
        case Command():
            return command.look(check, doors)
        case EcsTaskSucceeds():
            return ecs_task.look(check, doors)


def _refused(error: "ClientError") -> Observation:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING:
        return Observation(Standing.FAILED, f"it does not exist ({code})")
    if code.startswith(_DENIED):
        return Observation(Standing.DENIED, f"the credentials in use may not look: {error}")
    return Observation(Standing.UNKNOWN, f"AWS answered: {error}")
