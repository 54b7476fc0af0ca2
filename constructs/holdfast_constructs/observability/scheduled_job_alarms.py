"""The alarms of a job that starts at times: starts that failed, were given up, or never were."""

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import Metric
from holdfast_constructs.observability.responsibility import Owner
from holdfast_constructs.observability.threshold import Threshold

_HOUR = 3600
# Amazon CloudWatch API Reference, PutMetricAlarm: an alarm looks back on 7 days at most.
_MOST_HOURS = 7 * 24 - 1


@checked
class ScheduledJobAlarms(AlarmSet):
    """Tells of a job that was not started.

    `schedule_group` is the group of its schedule (EventBridge Scheduler counts by groups), `not_started` the
    name of the queue of starts that failed: `job.schedule.group_name` and `job.dead_letters.name`. With
    `every_hours`, the longest time between two starts of the group, it tells when none came for an hour more.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        schedule_group: str,
        not_started: str,
        every_hours: int | None = None,
        runbook: str = "scheduled-job.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        failed = Metric(
            namespace="AWS/SQS",
            name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": not_started},
            stat="Maximum",
            label="failed starts",
        )
        self._add(
            "not-started",
            Threshold(signal=failed, comparison=">", value=0),
            "sev2",
            "normal is none: all retries of a start failed, and the job did not run",
        )
        dropped = self._starts(schedule_group, "InvocationDroppedCount", 60)
        self._add(
            "dropped",
            Threshold(signal=dropped, comparison=">", value=0),
            "sev2",
            "normal is none: EventBridge Scheduler gave a start up",
        )
        if every_hours is not None:
            self._watch_missing(schedule_group, every_hours)

    def _watch_missing(self, group: str, hours: int) -> None:
        if not 1 <= hours <= _MOST_HOURS:
            raise ConstructError(
                "every_hours",
                got=hours,
                allowed=f"1-{_MOST_HOURS}",
                next_step="an alarm looks back on 7 days; for rarer jobs leave it out",
            )
        signal = self._starts(group, "InvocationAttemptCount", (hours + 1) * _HOUR)
        when = Threshold(signal=signal, comparison="<", value=1, missing="breaching")
        reason = f"it starts at least every {hours} h; none came for {hours + 1} h"
        self._add("missed", when, "sev2", reason)

    def _starts(self, group: str, name: str, seconds: int) -> Metric:
        return Metric(
            namespace="AWS/Scheduler",
            name=name,
            dimensions={"ScheduleGroup": group},
            stat="Sum",
            period_seconds=seconds,
            label="starts",
        )
