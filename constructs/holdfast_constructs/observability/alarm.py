"""An alarm on a metric or on math of metrics, and one on the states of other alarms."""

from collections.abc import Sequence
from typing import Any, Protocol

from cdktf_cdktf_provider_aws.cloudwatch_composite_alarm import CloudwatchCompositeAlarm
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import (
    CloudwatchMetricAlarm,
    CloudwatchMetricAlarmMetricQuery,
    CloudwatchMetricAlarmMetricQueryMetric,
)
from constructs import Construct

from holdfast_constructs.app._stack_order import wait_for
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.observability._description import describe
from holdfast_constructs.observability.alarm_rule import AlarmRule, AnyAlarm, check_rule
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import SIMPLE_STATISTICS, Metric, Query, queries
from holdfast_constructs.observability.responsibility import Owner, Severity
from holdfast_constructs.observability.threshold import Threshold, is_percentile

# Amazon CloudWatch API Reference, PutMetricAlarm: actions of a state.
_MOST_ACTIONS = 5
_OPERATORS = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}


class _Named(Protocol):
    """A resource of the bindings that is an alarm."""

    @property
    def alarm_name(self) -> str: ...

    @property
    def arn(self) -> str: ...


class _RuleParts:
    """What alarms of both kinds offer to the rules of others."""

    name: str
    notifies: bool
    alarm: _Named

    @property
    def arn(self) -> str:
        """The alarm's ARN."""
        return self.alarm.arn

    @property
    def reference(self) -> str:
        """The alarm's name, as something that Terraform knows to come from the alarm."""
        return self.alarm.alarm_name

    @property
    def fires(self) -> AlarmRule:
        """The rule that this alarm is in ALARM."""
        return self._in("ALARM")

    @property
    def is_ok(self) -> AlarmRule:
        """The rule that this alarm is OK."""
        return self._in("OK")

    @property
    def has_no_data(self) -> AlarmRule:
        """The rule that this alarm does not have enough data."""
        return self._in("INSUFFICIENT_DATA")

    def _in(self, state: str) -> AlarmRule:
        alarm: AnyAlarm = self
        return AlarmRule(state, alarm=alarm)


@checked
class Alarm(Construct, _RuleParts):
    """An alarm of CloudWatch: when it fires, how bad that is, why the threshold, and who does what then.

    `when` is the threshold, `reason` says why it is that one. `runbook` is a file of the runbooks' folder
    of `alerts`; owner and deputy are those that it names, unless `owner` says others. `dashboard` is the
    name of the one to look at. `actions` are ARNs of more to start when it fires. With `notify=False` it
    tells nobody: for a part of a CompositeAlarm. Raises ConstructError for what CloudWatch would refuse,
    and without runbook, owner, deputy or route.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        when: Threshold,
        severity: Severity,
        runbook: str,
        reason: str,
        owner: Owner | None = None,
        dashboard: str | None = None,
        actions: Sequence[str] = (),
        notify: bool = True,
    ) -> None:
        super().__init__(scope, id_)
        self.when, self.severity, self.reason, self.notifies = when, severity, reason, notify
        self.name, common = _common(
            self,
            alerts,
            severity=severity,
            runbook=runbook,
            reason=reason,
            owner=owner,
            dashboard=dashboard,
            actions=actions,
        )
        without_data = when.missing == "missing"
        self.alarm = CloudwatchMetricAlarm(
            self,
            "alarm",
            **common,
            insufficient_data_actions=common["ok_actions"] if without_data else None,
            comparison_operator=_OPERATORS[when.comparison],
            threshold=when.value,
            evaluation_periods=when.periods,
            datapoints_to_alarm=when.needed,
            treat_missing_data=when.missing,
            evaluate_low_sample_count_percentiles="ignore" if is_percentile(when.signal) else None,
            **_signal(when),
        )


@checked
class CompositeAlarm(Construct, _RuleParts):
    """An alarm on the states of others, so that one cause is told once.

    `rule` is made from alarms: `(a.fires & b.fires) | ~c.fires`; `a.is_ok` and `a.has_no_data` are there,
    too. The alarms that it speaks for have `notify=False`; one under `~` may speak for itself. The other
    arguments are those of an Alarm. Raises ConstructError for what CloudWatch would refuse.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        rule: AlarmRule,
        severity: Severity,
        runbook: str,
        reason: str,
        owner: Owner | None = None,
        dashboard: str | None = None,
        notify: bool = True,
    ) -> None:
        super().__init__(scope, id_)
        self.rule, self.severity, self.reason, self.notifies = rule, severity, reason, notify
        self.name, common = _common(
            self,
            alerts,
            severity=severity,
            runbook=runbook,
            reason=reason,
            owner=owner,
            dashboard=dashboard,
            actions=(),
        )
        check_rule(rule, owner=self.name, notifies=notify)
        self.alarm = CloudwatchCompositeAlarm(
            self, "alarm", **common, alarm_rule=rule.text(lambda alarm: alarm.reference)
        )


def _common(
    alarm: "Alarm | CompositeAlarm",
    alerts: Alerts,
    *,
    severity: Severity,
    runbook: str,
    reason: str,
    owner: Owner | None,
    dashboard: str | None,
    actions: Sequence[str],
) -> tuple[str, dict[str, Any]]:
    """Return the name of an alarm, and the arguments that both kinds have."""
    stack = ServiceStack.of(alarm)
    name = aws_name("alarm", stack.target, stack.service, alarm.node.id)
    book = alerts.runbook(runbook, alarm=name)
    topic = alerts.topic(severity)
    topics = [topic.arn] if alarm.notifies else []
    wait_for(alarm, alerts, alerts.node.id)
    if len(topics) + len(actions) > _MOST_ACTIONS:
        raise ConstructError(
            f"actions of alarm {name}",
            got=len(actions),
            allowed=f"at most {_MOST_ACTIONS - len(topics)} besides its topic",
        )
    description = describe(
        stack,
        name,
        severity=severity,
        reason=reason,
        runbook=alerts.runbook_link(book),
        owner=owner or book.owner,
        escalation=alerts.escalation[severity],
        dashboard=dashboard,
    )
    return name, {
        "alarm_name": name,
        "alarm_description": description,
        "alarm_actions": [*topics, *actions] or None,
        "ok_actions": topics or None,
    }


def _signal(when: Threshold) -> dict[str, Any]:
    """Return what an alarm watches: one metric by itself, or a list of queries."""
    signal = when.signal
    if isinstance(signal, Metric) and (signal.stat in SIMPLE_STATISTICS or is_percentile(signal)):
        kind = "statistic" if signal.stat in SIMPLE_STATISTICS else "extended_statistic"
        return {
            "namespace": signal.namespace,
            "metric_name": signal.name,
            "dimensions": dict(signal.dimensions) or None,
            "period": signal.period_seconds,
            kind: signal.stat,
        }
    return {"metric_query": [_query(query) for query in queries(signal)]}


def _query(query: Query) -> CloudwatchMetricAlarmMetricQuery:
    metric = query.metric
    return CloudwatchMetricAlarmMetricQuery(
        id=query.id,
        label=query.label,
        expression=query.expression,
        return_data=query.is_returned or None,
        metric=None
        if metric is None
        else CloudwatchMetricAlarmMetricQueryMetric(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=dict(metric.dimensions) or None,
            period=metric.period_seconds,
            stat=metric.stat,
        ),
    )
