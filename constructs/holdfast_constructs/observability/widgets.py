"""The widgets of a dashboard as data, and their way into CloudWatch's JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.alarm import Alarm, CompositeAlarm
from holdfast_constructs.observability.metrics import Metric, Signal, queries
from holdfast_constructs.observability.threshold import Threshold

COLUMNS = 24
# Amazon CloudWatch API Reference, "Dashboard body structure and syntax": rows of a widget.
_MOST_ROWS = 1000
# Amazon CloudWatch User Guide, "CloudWatch quotas": metrics of a graph, alarms of an alarm widget.
MOST_METRICS, _MOST_ALARMS = 500, 100
# Amazon CloudWatch API Reference: log groups of a query.
_MOST_LOG_GROUPS = 50

Json = dict[str, Any]


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text in Markdown."""

    markdown: str
    width: int = COLUMNS
    height: int = 3

    def properties(self, region: str) -> Json:  # noqa: ARG002 - as each widget has it
        """Return what CloudWatch calls the properties of the widget."""
        return {"markdown": self.markdown}


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Signals over time, with a line for each threshold; `unit` is what the axis is in."""

    title: str
    signals: Sequence[Signal]
    thresholds: Sequence[Threshold] = ()
    unit: str | None = None
    stacked: bool = False
    width: int = 8
    height: int = 6

    def properties(self, region: str) -> Json:
        """Return what CloudWatch calls the properties of the widget."""
        lines = [
            {"label": f"alarm {when.comparison} {when.value:g}", "value": when.value}
            for when in self.thresholds
        ]
        axis = {"min": 0} | ({} if self.unit is None else {"label": self.unit, "showUnits": False})
        return {
            "title": self.title,
            "view": "timeSeries",
            "stacked": self.stacked,
            "region": region,
            "metrics": metric_rows(self.signals),
            "yAxis": {"left": axis},
        } | ({"annotations": {"horizontal": lines}} if lines else {})


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """The latest values of signals."""

    title: str
    signals: Sequence[Signal]
    width: int = 6
    height: int = 3

    def properties(self, region: str) -> Json:
        """Return what CloudWatch calls the properties of the widget."""
        return {
            "title": self.title,
            "view": "singleValue",
            "region": region,
            "metrics": metric_rows(self.signals),
        }


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmStatus:
    """The states of alarms."""

    title: str
    alarms: Sequence[Alarm | CompositeAlarm]
    width: int = COLUMNS
    height: int = 3

    def __post_init__(self) -> None:
        if not 1 <= len(self.alarms) <= _MOST_ALARMS:
            raise ConstructError(
                f"alarms of {self.title}", got=len(self.alarms), allowed=f"1-{_MOST_ALARMS} in a widget"
            )

    def properties(self, region: str) -> Json:  # noqa: ARG002 - as each widget has it
        """Return what CloudWatch calls the properties of the widget."""
        return {"title": self.title, "alarms": [alarm.arn for alarm in self.alarms]}


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class LogTable:
    """The newest lines of log groups that a query of Logs Insights finds."""

    title: str
    log_groups: Sequence[str]
    query: str = (
        "fields @timestamp, @message | filter @message like /(?i)error/ | sort @timestamp desc | limit 50"
    )
    width: int = COLUMNS
    height: int = 6

    def __post_init__(self) -> None:
        if not 1 <= len(self.log_groups) <= _MOST_LOG_GROUPS:
            raise ConstructError(
                f"log_groups of {self.title}", got=len(self.log_groups), allowed=f"1-{_MOST_LOG_GROUPS}"
            )

    def properties(self, region: str) -> Json:
        """Return what CloudWatch calls the properties of the widget."""
        sources = " | ".join(f"SOURCE '{group}'" for group in self.log_groups)
        return {
            "title": self.title,
            "view": "table",
            "region": region,
            "query": f"{sources} | {self.query}",
        }


Widget = Graph | Number | AlarmStatus | LogTable | Text
_TYPES: Mapping[type, Literal["metric", "alarm", "log", "text"]] = {
    Graph: "metric",
    Number: "metric",
    AlarmStatus: "alarm",
    LogTable: "log",
    Text: "text",
}


def metric_rows(signals: Sequence[Signal]) -> list[list[Any]]:
    """Return signals as rows of a widget: what an expression is computed from is there, but not shown."""
    rows: list[list[Any]] = []
    for number, signal in enumerate(signals, start=1):
        for query in queries(signal, result=f"r{number}", prefix=f"s{number}_"):
            shown: Json = {"id": query.id, "visible": query.is_returned}
            if query.label is not None:
                shown["label"] = query.label
            if query.metric is None:
                rows.append([shown | {"expression": query.expression}])
            else:
                rows.append(_metric_row(query.metric, shown))
    return rows


def metric_count(widget: Widget) -> int:
    """Return how many metrics a widget has."""
    return len(metric_rows(widget.signals)) if isinstance(widget, Graph | Number) else 0


def _metric_row(metric: Metric, shown: Json) -> list[Any]:
    dimensions = [text for pair in metric.dimensions.items() for text in pair]
    rest = shown | {"stat": metric.stat, "period": metric.period_seconds}
    return [metric.namespace, metric.name, *dimensions, rest]


@dataclass(slots=True)
class _Row:
    """The row that widgets are put into, from left to right."""

    top: int = 0
    left: int = 0
    height: int = field(default=0)

    def put(self, width: int, height: int) -> tuple[int, int]:
        """Return the place of the next widget; one that does not fit begins the next row."""
        if self.left + width > COLUMNS:
            self.top, self.left, self.height = self.top + self.height, 0, 0
        place = (self.left, self.top)
        self.left, self.height = self.left + width, max(self.height, height)
        return place


def laid_out(widgets: Sequence[Widget], region: str) -> Iterator[Json]:
    """Return widgets as CloudWatch reads them, from left to right and in rows below each other."""
    row = _Row()
    for widget in widgets:
        if not 1 <= widget.width <= COLUMNS or not 1 <= widget.height <= _MOST_ROWS:
            raise ConstructError(
                "width and height of a widget",
                got=(widget.width, widget.height),
                allowed=f"1-{COLUMNS} columns and 1-{_MOST_ROWS} rows",
            )
        x, y = row.put(widget.width, widget.height)
        yield {
            "type": _TYPES[type(widget)],
            "x": x,
            "y": y,
            "width": widget.width,
            "height": widget.height,
            "properties": widget.properties(region),
        }
