"""The functions of metric math that alarms use.

Source: Amazon CloudWatch User Guide, "Functions supported for metric math". A value is a number, a time
series (oldest point first, None where a point is missing), a list of time series, or a word.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence

Point = float | None
Series = tuple[Point, ...]
Value = float | Series | list[Series] | str


class ExpressionError(ValueError):
    """CloudWatch refuses the expression."""


class NotEvaluatedError(ValueError):
    """CloudWatch evaluates it, the local cloud does not; the message names what."""


def pairwise(function: Callable[[float, float], Point], left: Value, right: Value) -> Value:
    """Return a function of two operands, point by point."""
    if isinstance(left, str) or isinstance(right, str):
        raise ExpressionError("a word cannot be computed with")
    if isinstance(left, list):
        return [_series(pairwise(function, one, right)) for one in left]
    if isinstance(right, list):
        return [_series(pairwise(function, left, one)) for one in right]
    if isinstance(left, float) and isinstance(right, float):
        result = function(left, right)
        if result is None:
            raise ExpressionError("an expression of numbers divides by zero")
        return result
    length = len(left) if isinstance(left, tuple) else len(_series(right))
    pairs = zip(_points(left, length), _points(right, length), strict=True)
    return tuple(None if a is None or b is None else function(a, b) for a, b in pairs)


def _points(value: Value, length: int) -> Series:
    return (value,) * length if isinstance(value, float) else _series(value)


def _series(value: Value) -> Series:
    if not isinstance(value, tuple):
        raise ExpressionError("a time series is needed here")
    return value


def _each(function: Callable[[float], Point]) -> Callable[[Sequence[Value], int], Value]:
    def apply(given: Sequence[Value], _period: int) -> Value:
        return pairwise(lambda value, _one: function(value), given[0], 1.0)

    return apply


def _aggregate(function: Callable[[list[float]], Point]) -> Callable[[Sequence[Value], int], Value]:
    """Return a function that makes a number of a series, and a series of a list of series."""

    def apply(given: Sequence[Value], _period: int) -> Value:
        value: Value = [_like(given, one) for one in given] if len(given) > 1 else given[0]
        if isinstance(value, list):
            columns = zip(*value, strict=True)
            return tuple(_known(function, column) for column in columns)
        if isinstance(value, float):
            value = (value,)
        result = _known(function, _series(value))
        # A number that is not known: a series in which every point is missing.
        return (None,) * len(value) if result is None else float(result)

    return apply


def _like(given: Sequence[Value], one: Value) -> Series:
    length = max((len(other) for other in given if isinstance(other, tuple)), default=1)
    return _points(one, length)


def _known(function: Callable[[list[float]], Point], points: Sequence[Point]) -> Point:
    known = [point for point in points if point is not None]
    return function(known) if known else None


def _fill(given: Sequence[Value], _period: int) -> Value:
    what, how = given
    if isinstance(what, list):
        return [_series(_fill((one, how), 0)) for one in what]
    series = _series(what)
    if how == "REPEAT":
        return _repeated(series)
    if how == "LINEAR":
        return _linear(series)
    if isinstance(how, str | list):
        raise ExpressionError("FILL takes a number, a time series, REPEAT or LINEAR")
    filled = zip(series, _points(how, len(series)), strict=True)
    return tuple(other if point is None else point for point, other in filled)


def _repeated(series: Series) -> Series:
    made: list[Point] = []
    for point in series:
        made.append(made[-1] if point is None and made else point)
    return tuple(made)


def _linear(series: Series) -> Series:
    made, known = list(series), [at for at, point in enumerate(series) if point is not None]
    for start, end in itertools.pairwise(known):
        first, last = series[start] or 0.0, series[end] or 0.0
        for at in range(start + 1, end):
            made[at] = first + (last - first) * (at - start) / (end - start)
    return tuple(made)


def _if(given: Sequence[Value], _period: int) -> Value:
    """Return IF(condition, then, otherwise): without `otherwise`, points of a false condition are missing."""
    condition, then = given[0], given[1]
    otherwise = given[2] if len(given) > 2 else None  # noqa: PLR2004 - its third argument
    if any(isinstance(one, str | list) for one in given):
        raise ExpressionError("IF takes numbers and time series")
    length = max((len(one) for one in given if isinstance(one, tuple)), default=0)
    if not length:
        chosen = then if condition else otherwise
        if chosen is None:
            raise ExpressionError("IF of numbers needs its third argument")
        return chosen
    missing: Series = (None,) * length
    rows = zip(
        _points(condition, length),
        _points(then, length),
        missing if otherwise is None else _points(otherwise, length),
        strict=True,
    )
    return tuple(None if test is None else (yes if test else no) for test, yes, no in rows)


def _difference(given: Sequence[Value], _period: int) -> Value:
    points = _series(given[0])
    pairs = zip((None, *points[:-1]), points, strict=True)
    return tuple(None if a is None or b is None else b - a for a, b in pairs)


def _rate(given: Sequence[Value], period: int) -> Value:
    return pairwise(lambda change, seconds: change / seconds, _difference(given, period), float(period))


def _running_sum(given: Sequence[Value], _period: int) -> Value:
    total, made = 0.0, []
    for point in _series(given[0]):
        total += point or 0.0
        made.append(total)
    return tuple(made)


def _metric_count(given: Sequence[Value], _period: int) -> Value:
    return float(len(given[0])) if isinstance(given[0], list) else 1.0


def _logarithm(function: Callable[[float], float]) -> Callable[[float], Point]:
    return lambda value: function(value) if value > 0 else None


_MANY = 500
# name -> the function, its least and its most arguments.
FUNCTIONS: dict[str, tuple[Callable[[Sequence[Value], int], Value], int, int]] = {
    "ABS": (_each(abs), 1, 1),
    "CEIL": (_each(lambda value: float(math.ceil(value))), 1, 1),
    "FLOOR": (_each(lambda value: float(math.floor(value))), 1, 1),
    "LOG": (_each(_logarithm(math.log)), 1, 1),
    "LOG10": (_each(_logarithm(math.log10)), 1, 1),
    "AVG": (_aggregate(statistics.fmean), 1, _MANY),
    "SUM": (_aggregate(math.fsum), 1, _MANY),
    "MAX": (_aggregate(max), 1, _MANY),
    "MIN": (_aggregate(min), 1, _MANY),
    "STDDEV": (_aggregate(statistics.pstdev), 1, 1),
    "FIRST": (_aggregate(lambda known: known[0]), 1, 1),
    "LAST": (_aggregate(lambda known: known[-1]), 1, 1),
    "DATAPOINT_COUNT": (_aggregate(lambda known: float(len(known))), 1, 1),
    "FILL": (_fill, 2, 2),
    "IF": (_if, 2, 3),
    "DIFF": (_difference, 1, 1),
    "RATE": (_rate, 1, 1),
    "RUNNING_SUM": (_running_sum, 1, 1),
    "METRIC_COUNT": (_metric_count, 1, 1),
}
