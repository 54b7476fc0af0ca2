"""A stack with alerts, for tests of alarms: runbooks are those of this repository."""

from collections.abc import Mapping, Sequence
from typing import Any

from holdfast_constructs import Alerts, EmailRoute, HoldfastApp, Key, Metric, ServiceStack, Threshold
from holdfast_constructs.observability.responsibility import SEVERITIES, Severity
from holdfast_constructs.observability.routes import Route
from holdfast_constructs.testing import sample_target

TO_ALL: Mapping[Severity, Sequence[Route]] = {
    severity: [EmailRoute("oncall@example.com")] for severity in SEVERITIES
}
BALANCER, GROUP = "app/edge/0123456789abcdef", "targetgroup/api/0123456789abcdef"


def alerts_in(app: HoldfastApp, **given: Any) -> Alerts:
    """Make a stack `orders` of production with alerts to everybody by e-mail."""
    stack = ServiceStack(app, "orders", sample_target())
    key = Key(stack, "messages", purpose="messages")
    plain: dict[str, Any] = {"key": key, "routes": TO_ALL}
    return Alerts(stack, "alerts", **plain | given)


def depth(**given: Any) -> Metric:
    """Return a metric of a queue."""
    plain: dict[str, Any] = {
        "namespace": "AWS/SQS",
        "name": "ApproximateNumberOfMessagesVisible",
        "dimensions": {"QueueName": "orders-prod-work"},
    }
    return Metric(**plain | given)


def above(value: float, signal: Any = None, **given: Any) -> Threshold:
    """Return a threshold on `signal`, by default on the metric of a queue."""
    return Threshold(signal=depth() if signal is None else signal, comparison=">", value=value, **given)
