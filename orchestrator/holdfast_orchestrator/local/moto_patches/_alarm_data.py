"""The data points of one of moto's metric alarms: what was put, cut into periods, and its metric math."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast_orchestrator.local.alarms.evaluation import COMPARISONS, Condition
from holdfast_orchestrator.local.alarms.expression import Expression, Metrics, parse
from holdfast_orchestrator.local.alarms.functions import NotEvaluatedError, Series
from holdfast_orchestrator.local.alarms.statistics import Samples, check_statistic, few_samples, statistic

Key = tuple[str, str, frozenset[tuple[str, str]]]


def condition_of(alarm: Any) -> Condition:
    """Return when an alarm fires; raise NotEvaluatedError for a band of expected values."""
    if alarm.comparison_operator not in COMPARISONS:
        raise NotEvaluatedError(f"the comparison {alarm.comparison_operator}")
    periods = int(alarm.evaluation_periods)
    return Condition(
        alarm.comparison_operator,
        float(alarm.threshold or 0),
        periods,
        int(alarm.datapoints_to_alarm or periods),
        alarm.treat_missing_data or "missing",
    )


def check_definition(alarm: Any) -> None:
    """Raise what an alarm's statistics and expressions are refused for."""
    if name := alarm.statistic or alarm.extended_statistic:
        check_statistic(name)
    for query in alarm.metric_data_queries:
        if query.metric_stat:
            check_statistic(query.metric_stat.stat)
    _computed(alarm)


def metrics_of(alarm: Any) -> frozenset[Key]:
    """Return the metrics an alarm watches: namespace, name and dimensions."""
    if alarm.metric_name:
        return frozenset({_key(alarm.namespace, alarm.metric_name, alarm.dimensions)})
    stats = (query.metric_stat for query in alarm.metric_data_queries if query.metric_stat)
    return frozenset(
        _key(one.metric.namespace, one.metric.metric_name, one.metric.dimensions) for one in stats
    )


def metric_of(datum: Any) -> Key:
    """Return the metric a datum belongs to."""
    return _key(datum.namespace, datum.name, datum.dimensions)


def period_of(alarm: Any) -> int:
    """Return an alarm's period in seconds."""
    given = [alarm.period] + [query.period for query in alarm.metric_data_queries]
    given += [query.metric_stat.period for query in alarm.metric_data_queries if query.metric_stat]
    return max((int(period) for period in given if period), default=60)


def end_of(alarm: Any, data: Iterable[Any], now: datetime) -> datetime:
    """Return when the newest period ends: now, or at the newest datum where one was put ahead of time."""
    watched = metrics_of(alarm)
    return max([now, *(_moment(datum) for datum in data if metric_of(datum) in watched)])


def points_of(alarm: Any, data: Iterable[Any], end: datetime, length: int) -> tuple[Series, bool]:
    """Return an alarm's newest `length` points, the oldest first, and whether its samples are too few."""
    samples = _Samples(data, end, length)
    if alarm.metric_name:
        name = alarm.statistic or alarm.extended_statistic
        key = _key(alarm.namespace, alarm.metric_name, alarm.dimensions)
        periods = samples.of(key, int(alarm.period), alarm.unit)
        newest = [one for period in periods[-int(alarm.evaluation_periods) :] for one in period]
        few = bool(newest) and few_samples(name, sum(one.count for one in newest))
        ignored = alarm.evaluate_low_sample_count_percentile == "ignore"
        return tuple(statistic(name, period) for period in periods), few and ignored
    return _math(alarm, samples, length), False


def _math(alarm: Any, samples: "_Samples", length: int) -> Series:
    series: dict[str, Series] = {}
    for query in alarm.metric_data_queries:
        if stat := query.metric_stat:
            key = _key(stat.metric.namespace, stat.metric.metric_name, stat.metric.dimensions)
            periods = samples.of(key, int(stat.period), stat.unit)
            series[query.id] = tuple(statistic(stat.stat, period) for period in periods)
    watched, period = _watched(alarm), period_of(alarm)
    expressions = _computed(alarm)
    while watched.id not in series:
        ready = [name for name, one in expressions.items() if name not in series and one.ids <= series.keys()]
        for name in ready:
            series[name] = expressions[name].series(Metrics(series, period, length))
    return series[watched.id]


def _computed(alarm: Any) -> dict[str, Expression]:
    """Return an alarm's expressions by id; raise for an id that is not there, or expressions in a circle."""
    queries = alarm.metric_data_queries
    parsed = {query.id: parse(query.expression) for query in queries if query.expression}
    known = {query.id for query in queries if not query.expression}
    while left := {name: one for name, one in parsed.items() if name not in known}:
        ready = {name for name, one in left.items() if one.ids <= known}
        if not ready:
            missing = sorted(set().union(*(one.ids for one in left.values())) - known)
            raise ValueError(f"the expressions name ids that cannot be computed: {', '.join(missing)}")
        known |= ready
    if queries:
        _watched(alarm)
    return parsed


def _watched(alarm: Any) -> Any:
    returned = [query for query in alarm.metric_data_queries if _returns(query)]
    if len(returned) != 1:
        raise ValueError(f"exactly one element of Metrics returns data, got {len(returned)}")
    return returned[0]


def _returns(query: Any) -> bool:
    return query.return_data is None or str(query.return_data).lower() == "true"


class _Samples:
    """The samples that were put, by metric and by period; periods end at `end`, the newest last."""

    def __init__(self, data: Iterable[Any], end: datetime, length: int) -> None:
        self._data, self._end, self._length = data, end, length

    def of(self, key: Key, period: int, unit: str | None) -> list[list[Samples]]:
        periods: list[list[Samples]] = [[] for _ in range(self._length)]
        for datum in self._data:
            back = int((self._end - _moment(datum)) / timedelta(seconds=period))
            if 0 <= back < self._length and metric_of(datum) == key and unit in (None, datum.unit):
                periods[-1 - back].append(_samples(datum))
        return periods


def _samples(datum: Any) -> Samples:
    if hasattr(datum, "value"):
        return Samples.of(datum.value)
    return Samples(datum.sample_count, datum.sum, datum.min, datum.max)


def _moment(datum: Any) -> datetime:
    at: datetime = datum.timestamp
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _key(namespace: str, name: str, dimensions: Iterable[Any]) -> Key:
    return namespace, name, frozenset((one.name, one.value) for one in dimensions)
