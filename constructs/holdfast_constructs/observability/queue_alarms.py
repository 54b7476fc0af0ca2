"""The alarms of a queue: how long messages wait, and those that nobody could handle."""

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import Metric
from holdfast_constructs.observability.responsibility import Owner
from holdfast_constructs.observability.threshold import Threshold


@checked
class QueueAlarms(AlarmSet):
    """Tells of messages that wait too long, and of dead letters.

    `queue` and `dead_letters` are names of queues: `queue.queue_name` and `queue.dead_letter.name`.
    `age_seconds` is how old the oldest message may become, `dead_messages` how many dead letters are let
    pass.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        queue: str,
        dead_letters: str | None = None,
        age_seconds: int = 300,
        dead_messages: int = 0,
        runbook: str = "queue.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        age = _metric(queue, "ApproximateAgeOfOldestMessage", "seconds")
        self._add(
            "age",
            Threshold(signal=age, comparison=">", value=age_seconds, periods=5),
            "sev2",
            f"the oldest message is more than {age_seconds} s old for 5 minutes: consumers are slow or gone",
        )
        if dead_letters is not None:
            dead = _metric(dead_letters, "ApproximateNumberOfMessagesVisible", "dead letters")
            self._add(
                "dead-letters",
                Threshold(signal=dead, comparison=">", value=dead_messages),
                "sev3",
                f"normal is none; more than {dead_messages} could not be handled, and are lost after 14 days",
            )


def _metric(queue: str, name: str, label: str) -> Metric:
    return Metric(
        namespace="AWS/SQS", name=name, dimensions={"QueueName": queue}, stat="Maximum", label=label
    )
