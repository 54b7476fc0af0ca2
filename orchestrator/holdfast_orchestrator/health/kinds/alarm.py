"""A CloudWatch alarm, metric or composite, is silent."""

from typing import TYPE_CHECKING

from holdfast_orchestrator.health.observation import Observation, Standing

if TYPE_CHECKING:
    from holdfast_orchestrator.health.checks import Alarm
    from holdfast_orchestrator.health.context import CheckContext

_KINDS = ["MetricAlarm", "CompositeAlarm"]


def look(check: "Alarm", doors: "CheckContext") -> Observation:
    """Ask CloudWatch for the alarm's state."""
    client = doors.client("cloudwatch", region=check.region)
    answer = client.describe_alarms(AlarmNames=[check.alarm], AlarmTypes=_KINDS)
    alarms = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    if not alarms:
        return Observation(Standing.FAILED, f"there is no alarm {check.alarm!r}")
    state, reason = alarms[0]["StateValue"], alarms[0].get("StateReason") or "no reason given"
    match state:
        case "OK":
            return Observation(Standing.HEALTHY, "OK")
        case "ALARM":
            return Observation(Standing.UNHEALTHY, f"in ALARM: {reason}")
        case _:
            return Observation(Standing.UNKNOWN, f"{state}: {reason}")
