"""Dashboards of CloudWatch: of a service and of an environment, from the definitions of the alarms."""

import json
from collections.abc import Iterator, Mapping, Sequence

from cdktf_cdktf_provider_aws.cloudwatch_dashboard import CloudwatchDashboard
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.observability._description import dashboard_link
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.slo_alarms import SloAlarms
from holdfast_constructs.observability.widgets import (
    MOST_METRICS,
    AlarmStatus,
    Graph,
    LogTable,
    Text,
    Widget,
    laid_out,
    metric_count,
)

# Amazon CloudWatch User Guide, "CloudWatch quotas".
_MOST_WIDGETS, _MOST_METRICS_OF_ALL = 500, 2500
_ALARMS_IN_ONE = 100


@checked
class Dashboard(Construct):
    """A dashboard of CloudWatch: widgets from left to right in 24 columns, in rows below each other.

    `service_widgets` and `environment_widgets` return those that belong to sets of alarms; the lines in
    their graphs are the alarms' own thresholds. `hours` is how much is shown at first. Raises
    ConstructError for more than CloudWatch shows.
    """

    def __init__(self, scope: Construct, id_: str, *, widgets: Sequence[Widget], hours: int = 6) -> None:
        super().__init__(scope, id_)
        stack = ServiceStack.of(self)
        self.name = aws_name("dashboard", stack.target, stack.service, id_)
        _check(widgets, hours)
        body = {"start": f"-PT{hours}H", "widgets": list(laid_out(widgets, stack.target.region))}
        self.link = dashboard_link(stack.target, self.name)
        self.dashboard = CloudwatchDashboard(
            self, "dashboard", dashboard_name=self.name, dashboard_body=json.dumps(body, ensure_ascii=False)
        )

    @staticmethod
    def name_in(scope: Construct, id_: str) -> str:
        """Return the name in AWS of a Dashboard with this id, for alarms that are made before it."""
        stack = ServiceStack.of(scope)
        return aws_name("dashboard", stack.target, stack.service, id_)


@checked
def service_widgets(sets: Sequence[AlarmSet], log_groups: Sequence[str] = ()) -> list[Widget]:
    """Return the widgets of one service: states of its alarms, a graph for each, and errors in its logs."""
    widgets: list[Widget] = [*_states("Alarms", sets)]
    for each in sets:
        widgets += [Text(markdown=f"## {each.title}", height=1), *_graphs(each)]
    if log_groups:
        widgets.append(LogTable(title="Errors in the logs", log_groups=log_groups))
    return widgets


@checked
def environment_widgets(services: Mapping[str, Sequence[AlarmSet]], alerts: Alerts) -> list[Widget]:
    """Return the widgets of an environment: for each service the states of its alarms, and whom to call."""
    widgets: list[Widget] = []
    for service, sets in services.items():
        widgets += [*_states(service, sets)]
    rows = [f"| {severity} | {each.text} | {each.told} |" for severity, each in alerts.escalation.items()]
    table = "\n".join(["| severity | who is called | who is told |", "|---|---|---|", *rows])
    return [*widgets, Text(markdown=f"## Escalation\n{table}", height=2 + len(rows))]


def _states(title: str, sets: Sequence[AlarmSet]) -> Iterator[AlarmStatus]:
    telling = [alarm for each in sets for alarm in each.telling]
    for start in range(0, len(telling), _ALARMS_IN_ONE):
        yield AlarmStatus(title=title, alarms=telling[start : start + _ALARMS_IN_ONE])


def _graphs(alarms: AlarmSet) -> Iterator[Widget]:
    """Return a graph for each alarm on a metric; the windows of a burn rate are in one for each promise."""
    if not isinstance(alarms, SloAlarms):
        for name, alarm in alarms.alarms.items():
            yield Graph(
                title=f"{name}: {alarm.severity}", signals=[alarm.when.signal], thresholds=[alarm.when]
            )
        return
    for kind in alarms.slo.kinds():
        of_kind = [burn for burn in alarms.burns.values() if burn.kind == kind]
        for window in ("long", "short"):
            burns = [burn for burn in of_kind if burn.window == window]
            yield Graph(
                title=f"Burn rate, {window} windows: {alarms.slo.promise(kind)}",
                signals=[burn.when.signal for burn in burns],
                thresholds=[burn.when for burn in burns],
                width=12,
            )
        least = min(
            burn.minimum * 3600 / burn.rate.seconds("long") for burn in of_kind if burn.window == "long"
        )
        words = (
            f"Below {least:.0f} requests an hour no burn rate of {kind} is computed: other alarms speak then."
        )
        yield Text(markdown=words, height=1)


def _check(widgets: Sequence[Widget], hours: int) -> None:
    if hours < 1:
        raise ConstructError("hours", got=hours, allowed="at least 1")
    if len(widgets) > _MOST_WIDGETS:
        raise ConstructError(
            "widgets", got=len(widgets), allowed=f"at most {_MOST_WIDGETS}", next_step="make two dashboards"
        )
    counts = [metric_count(widget) for widget in widgets]
    if max(counts, default=0) > MOST_METRICS:
        raise ConstructError(
            "the metrics of a widget",
            got=max(counts),
            allowed=f"at most {MOST_METRICS}",
            next_step="make two widgets",
        )
    if sum(counts) > _MOST_METRICS_OF_ALL:
        raise ConstructError(
            "the metrics of a dashboard",
            got=sum(counts),
            allowed=f"at most {_MOST_METRICS_OF_ALL}",
            next_step="make two dashboards",
        )
