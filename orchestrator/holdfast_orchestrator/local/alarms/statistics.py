"""CloudWatch's statistics over the samples of one period.

Source: Amazon CloudWatch User Guide, "CloudWatch statistics definitions". Percentiles are by nearest
rank; of a range, the lower bound is exclusive and the upper bound is inclusive.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_BASIC = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
_SHORT = re.compile(r"(p|tm|wm|tc|ts)(\d{1,2}(?:\.\d{1,10})?|100)", re.IGNORECASE)
_NUMBER = r"-?\d+(?:\.\d+)?%?"
_RANGE = re.compile(rf"(TM|WM|PR|TC|TS)\(({_NUMBER})?:({_NUMBER})?\)", re.IGNORECASE)


class UnknownStatisticError(ValueError):
    """CloudWatch has no statistic of this name."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What was put for a metric: `count` samples between `minimum` and `maximum`, `total` together."""

    count: float
    total: float
    minimum: float
    maximum: float

    @classmethod
    def of(cls, value: float) -> "Samples":
        """Return one sample of this value."""
        return cls(1, value, value, value)


@dataclass(frozen=True, slots=True)
class _Trim:
    """A kind (`TM`, `WM`, `PR`, `TC`, `TS`) and its bounds, each a number or a share of the samples."""

    kind: str
    low: str | None
    high: str | None


def check_statistic(name: str) -> None:
    """Raise UnknownStatisticError unless CloudWatch has a statistic of this name."""
    if name not in _BASIC and name != "IQM" and _percentile(name) is None and _trim(name) is None:
        raise UnknownStatisticError(f"CloudWatch has no statistic {name!r}")


def statistic(name: str, samples: Sequence[Samples]) -> float | None:
    """Return a statistic of a period's samples; None where there is none or it cannot be known.

    A statistic of the distribution is not known where only a summary of several different values was
    put: AWS has none either.
    """
    check_statistic(name)
    if not samples:
        return None
    if name in _BASIC:
        return _basic(name, samples)
    values = _values(samples)
    if not values:
        return None
    share = _percentile(name)
    return _rank(values, share) if share is not None else _trimmed(_trim(name) or _IQM, values)


def few_samples(name: str, count: float) -> bool:
    """Return whether a percentile of `count` samples is statistically weak.

    Source: User Guide, "Percentile-based CloudWatch alarms and low data samples": fewer than
    10/(1-percentile) samples from the median up, fewer than 10/percentile below it.
    """
    share = _percentile(name)
    if share is None:
        return False
    tail = min(share, 1 - share)
    return tail > 0 and count < 10 / tail - 1e-9


def _basic(name: str, samples: Sequence[Samples]) -> float | None:
    count, total = sum(one.count for one in samples), sum(one.total for one in samples)
    known: dict[str, Callable[[], float | None]] = {
        "Sum": lambda: total,
        "SampleCount": lambda: count,
        "Average": lambda: total / count if count else None,
        "Minimum": lambda: min(one.minimum for one in samples),
        "Maximum": lambda: max(one.maximum for one in samples),
    }
    return known[name]()


def _values(samples: Sequence[Samples]) -> list[float]:
    values: list[float] = []
    for one in samples:
        if one.count != 1 and one.minimum != one.maximum:
            return []
        values += [one.minimum] * int(one.count)
    return sorted(values)


def _percentile(name: str) -> float | None:
    found = _SHORT.fullmatch(name)
    return float(found[2]) / 100 if found and found[1].lower() == "p" else None


_IQM = _Trim("TM", "25%", "75%")


def _trim(name: str) -> _Trim | None:
    if name == "IQM":
        return _IQM
    if short := _SHORT.fullmatch(name):
        return None if short[1].lower() == "p" else _Trim(short[1].upper(), None, f"{short[2]}%")
    found = _RANGE.fullmatch(name)
    if not found or (found[2] is None and found[3] is None):
        return None
    kind, low, high = found[1].upper(), found[2], found[3]
    # A percentile rank is of values: a share of a share has no meaning.
    return None if kind == "PR" and "%" in f"{low}{high}" else _Trim(kind, low, high)


def _rank(values: Sequence[float], share: float) -> float:
    return values[max(0, math.ceil(share * len(values) - 1e-9) - 1)]


def _trimmed(trim: _Trim, values: list[float]) -> float | None:
    low, high = (_position(values, bound) for bound in (trim.low, trim.high))
    start, end = low or 0, len(values) if high is None else high
    inside = values[start:end]
    if trim.kind == "PR":
        return 100 * len(inside) / len(values)
    if trim.kind == "TC":
        return float(len(inside))
    if trim.kind == "TS":
        return sum(inside)
    if not inside:
        return None
    if trim.kind == "WM":
        inside = [inside[0]] * start + inside + [inside[-1]] * (len(values) - end)
    return sum(inside) / len(inside)


def _position(values: Sequence[float], bound: str | None) -> int | None:
    """Return how many values lie at or below a bound."""
    if bound is None:
        return None
    if bound.endswith("%"):
        return min(len(values), math.ceil(float(bound[:-1]) / 100 * len(values) - 1e-9))
    return sum(value <= float(bound) for value in values)
