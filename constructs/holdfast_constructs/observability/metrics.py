"""Metrics of CloudWatch and math on them, as data: alarms and dashboards are made from the same values.

A `Signal` is either. `queries` lists what CloudWatch is asked for to compute one: each metric and each
expression once, the result last.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

# The id of what an expression comes to.
RESULT = "result"

# Amazon CloudWatch API Reference, MetricStat and PutMetricAlarm: shorter periods are of high resolution.
_SHORT_PERIODS = (10, 20, 30)
_MINUTE = 60
# Amazon CloudWatch API Reference, Metric and Dimension.
_MOST_DIMENSIONS = 30
_LONGEST_NAMESPACE = _LONGEST_NAME = 255
_LONGEST_DIMENSION_VALUE = 1024
# Amazon CloudWatch API Reference, MetricDataQuery.
_LONGEST_EXPRESSION = 2048
_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"\b[a-z][a-zA-Z0-9_]*\b")

SIMPLE_STATISTICS = frozenset({"Average", "Maximum", "Minimum", "SampleCount", "Sum"})
# Amazon CloudWatch User Guide, "Statistics definitions".
_NUMBER = r"\d+(?:\.\d+)?"
_SHARE = r"(?:100(?:\.0+)?|\d{1,2}(?:\.\d+)?)"
_PERCENTILE = re.compile(rf"p(?P<percent>{_SHARE})")
_RANGE = rf"\((?:{_NUMBER}%?)?:(?:{_NUMBER}%?)?\)"
_EXTENDED = re.compile(rf"(?:p|tm|wm|tc|ts){_SHARE}|(?:TM|WM|TC|TS|PR){_RANGE}|IQM")


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of CloudWatch in one statistic.

    `stat` is `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`, a percentile such as `p95`, or
    `PR(:0.4)`: the percent of values up to 0.4. `label` is what a graph calls it. Raises ConstructError for
    what CloudWatch would refuse.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict, hash=False)
    stat: str = "Average"
    period_seconds: int = _MINUTE
    label: str | None = None

    def __post_init__(self) -> None:
        check_period(self.period_seconds)
        _check_length("namespace", self.namespace, _LONGEST_NAMESPACE)
        _check_length("name", self.name, _LONGEST_NAME)
        if self.stat not in SIMPLE_STATISTICS and _EXTENDED.fullmatch(self.stat) is None:
            raise ConstructError(
                f"stat of metric {self.name}",
                got=self.stat,
                allowed=f"one of {', '.join(sorted(SIMPLE_STATISTICS))}, or such as p95, tm90, PR(:0.4), IQM",
            )
        if len(self.dimensions) > _MOST_DIMENSIONS:
            raise ConstructError(
                f"dimensions of metric {self.name}",
                got=len(self.dimensions),
                allowed=f"at most {_MOST_DIMENSIONS}",
            )
        for name, value in self.dimensions.items():
            _check_length("a dimension's name", name, _LONGEST_NAME)
            _check_length(f"dimension {name}", value, _LONGEST_DIMENSION_VALUE)

    @property
    def percentile(self) -> float | None:
        """The percentile that is asked for, such as 95; None for another statistic."""
        match = _PERCENTILE.fullmatch(self.stat)
        return None if match is None else float(match["percent"])


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Math on metrics: `Expression(text="errors / total", metrics={"errors": …, "total": …})`.

    The names in `text` are the keys of `metrics`, which may be expressions themselves. CloudWatch's functions
    are in capitals. Raises ConstructError for names that do not match.
    """

    text: str
    metrics: Mapping[str, "Signal"] = field(hash=False)
    label: str | None = None

    def __post_init__(self) -> None:
        _check_length("text", self.text, _LONGEST_EXPRESSION)
        for name in self.metrics:
            if _ID.fullmatch(name) is None or name == RESULT:
                raise ConstructError(
                    "a name in metrics",
                    got=name,
                    allowed=f"a small letter, then letters, digits and _, and not {RESULT}",
                )
        used = set(_WORD.findall(_QUOTED.sub("", self.text)))
        if missing := sorted(used - self.metrics.keys()):
            raise ConstructError(
                f"{missing[0]} in {self.text!r} is none of its metrics",
                next_step=f"add it to metrics, or write one of {', '.join(self.metrics) or 'them'}",
            )
        if unused := sorted(self.metrics.keys() - used):
            raise ConstructError(
                f"metric {unused[0]} is not used in {self.text!r}",
                next_step="remove it: each metric of an alarm is paid for",
            )
        queries(self)
        if len({metric.period_seconds for metric in metrics_of(self)}) > 1:
            raise ConstructError(
                f"the metrics of {self.text!r} have periods of their own",
                next_step="give all the same period_seconds: CloudWatch computes point by point",
            )


Signal = Metric | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """An entry of what CloudWatch is asked for: a metric or an expression; one of them is returned."""

    id: str
    label: str | None
    metric: Metric | None = None
    expression: str | None = None
    is_returned: bool = False


def queries(signal: Signal, *, result: str = RESULT, prefix: str = "") -> tuple[Query, ...]:
    """Return what to ask for: each metric and expression once, what is returned last.

    `prefix` goes before the ids within, so that several signals fit into one graph. Raises ConstructError
    where two expressions have one name for different things.
    """
    if isinstance(signal, Metric):
        return (Query(id=result, label=signal.label, metric=signal, is_returned=True),)
    entries: dict[str, Query] = {}
    for name, part in _parts(signal):
        entry = (
            Query(id=f"{prefix}{name}", label=part.label, metric=part)
            if isinstance(part, Metric)
            else Query(id=f"{prefix}{name}", label=part.label, expression=_renamed(part.text, prefix))
        )
        if entries.setdefault(name, entry) != entry:
            raise ConstructError(
                f"two parts of {signal.text!r} are both called {name}", next_step="rename one of them"
            )
    last = Query(id=result, label=signal.label, expression=_renamed(signal.text, prefix), is_returned=True)
    return (*entries.values(), last)


def metrics_of(signal: Signal) -> tuple[Metric, ...]:
    """Return the metrics that a signal is computed from."""
    return tuple(query.metric for query in queries(signal) if query.metric is not None)


def period_of(signal: Signal) -> int:
    """Return the seconds of a signal's period; a minute for an expression without metrics."""
    return max((metric.period_seconds for metric in metrics_of(signal)), default=_MINUTE)


def with_period(signal: Signal, seconds: int) -> Signal:
    """Return the same signal over another period."""
    if isinstance(signal, Metric):
        return replace(signal, period_seconds=seconds)
    return replace(
        signal, metrics={name: with_period(each, seconds) for name, each in signal.metrics.items()}
    )


def check_period(seconds: int) -> None:
    """Raise ConstructError for a period that CloudWatch does not have."""
    if seconds not in _SHORT_PERIODS and (seconds < _MINUTE or seconds % _MINUTE):
        raise ConstructError("period_seconds", got=seconds, allowed="10, 20, 30, or a multiple of 60")


def _parts(expression: Expression) -> Iterator[tuple[str, Signal]]:
    """Return what an expression needs, the innermost first."""
    for name, part in expression.metrics.items():
        if isinstance(part, Expression):
            yield from _parts(part)
        yield name, part


def _renamed(text: str, prefix: str) -> str:
    return _WORD.sub(lambda match: f"{prefix}{match[0]}", text) if prefix else text


def _check_length(what: str, value: str, longest: int) -> None:
    if not value or (len(value) > longest and not is_text_token(value)):
        raise ConstructError(what, got=value, allowed=f"1-{longest} characters")
