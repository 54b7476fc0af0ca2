"""When an alarm fires: a signal, what it is compared with, and for how long. Alarms are made from it."""

import math
from dataclasses import dataclass
from typing import Literal

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.metrics import (
    Expression,
    Metric,
    Signal,
    metrics_of,
    period_of,
    queries,
)

Comparison = Literal[">", ">=", "<", "<="]
Missing = Literal["notBreaching", "breaching", "missing", "ignore"]

# Amazon CloudWatch API Reference, PutMetricAlarm: seconds that an alarm may look back on, for periods below
# an hour and from an hour on.
_HOUR, _LONGEST_OF_SHORT, _LONGEST_OF_LONG = 3600, 86_400, 604_800
# Amazon CloudWatch User Guide, "Alarm limits": metrics of an alarm on an expression.
_MOST_METRICS = 10
# Amazon CloudWatch API Reference, PutMetricAlarm: entries of Metrics that are expressions.
_MOST_EXPRESSIONS = 10


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A signal, what it is compared with, and for how long: `datapoints` of `periods` periods.

    `missing` is what a period without data counts as: `notBreaching` (good), `breaching` (bad), `missing`
    (the alarm then has no data), `ignore` (it stays as it is). Raises ConstructError for what CloudWatch
    would refuse, and for a percentile in an expression that nothing guards: with few samples it says
    nothing, and CloudWatch tells few samples only where the alarm is on the percentile itself.
    """

    signal: Signal
    comparison: Comparison
    value: float
    periods: int = 1
    datapoints: int | None = None
    missing: Missing = "notBreaching"

    def __post_init__(self) -> None:
        _check_counts(self.periods, self.needed)
        _check_window(period_of(self.signal), self.periods)
        if isinstance(self.signal, Expression):
            _check_expression(self.signal)

    @property
    def needed(self) -> int:
        """How many of the periods have to be bad."""
        return self.periods if self.datapoints is None else self.datapoints

    @property
    def seconds(self) -> int:
        """How far back the alarm looks."""
        return period_of(self.signal) * self.periods


def few_samples(percentile: float) -> int:
    """Return how many samples in a period are too few for a percentile such as 95: fewer than 200.

    Amazon CloudWatch User Guide, "Percentile-based alarms and low data samples": 10 / (1 - percentile).
    """
    share = min(percentile, 100 - percentile) / 100
    return math.ceil(round(10 / share, 6)) if share else 1


def _check_counts(periods: int, datapoints: int) -> None:
    if periods < 1:
        raise ConstructError("periods", got=periods, allowed="at least 1")
    if not 1 <= datapoints <= periods:
        raise ConstructError("datapoints", got=datapoints, allowed=f"1-{periods}, the number of periods")


def _check_window(period: int, periods: int) -> None:
    longest = _LONGEST_OF_SHORT if period < _HOUR else _LONGEST_OF_LONG
    if period * periods > longest:
        raise ConstructError(
            f"periods of {period} s",
            got=periods,
            allowed=f"at most {longest // period}, {longest // 86_400} days",
            next_step="lower periods, or make the period longer",
        )


def _check_expression(signal: Expression) -> None:
    metrics, entries = metrics_of(signal), queries(signal)
    if not 1 <= len(metrics) <= _MOST_METRICS:
        raise ConstructError(
            f"the metrics of {signal.text!r}",
            got=len(metrics),
            allowed=f"1-{_MOST_METRICS} in an alarm",
        )
    if len(entries) - len(metrics) > _MOST_EXPRESSIONS:
        raise ConstructError(
            f"the expressions of {signal.text!r}",
            got=len(entries) - len(metrics),
            allowed=f"at most {_MOST_EXPRESSIONS} in an alarm",
        )
    texts = [entry.expression for entry in entries if entry.expression is not None]
    if any("SEARCH(" in text for text in texts):
        raise ConstructError(
            f"{signal.text!r} searches for metrics, which no alarm may",
            next_step="name the metrics; a graph may search",
        )
    guarded = any("IF(" in text for text in texts)
    for metric in metrics:
        if metric.percentile is not None and not guarded:
            raise ConstructError(
                f"{metric.stat} of {metric.name} in {signal.text!r} counts with any number of samples",
                next_step=f"write IF(count >= {few_samples(metric.percentile)}, …, 0), or an alarm on the "
                "metric itself",
            )


def is_percentile(signal: Signal) -> bool:
    """Whether an alarm is on a percentile itself, so that CloudWatch tells few samples."""
    return isinstance(signal, Metric) and signal.percentile is not None
