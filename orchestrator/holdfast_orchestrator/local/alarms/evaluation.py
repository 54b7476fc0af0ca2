"""The state of a metric alarm from its data points.

Source: Amazon CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing
data", with the tables of both pages as tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast_orchestrator.local.alarms.functions import Point

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
# CloudWatch looks further back than the evaluation periods, where points are missing; its examples: two more.
EXTRA_POINTS = 2

COMPARISONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": ("greater than", lambda value, limit: value > limit),
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", lambda value, limit: value >= limit),
    "LessThanThreshold": ("less than", lambda value, limit: value < limit),
    "LessThanOrEqualToThreshold": ("less than or equal to", lambda value, limit: value <= limit),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """When an alarm fires: `needed` of `periods` points compare so with the threshold."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str = "missing"

    @property
    def reach(self) -> int:
        """Return how many periods back the evaluation looks."""
        return self.periods + EXTRA_POINTS

    def breaches(self, value: float) -> bool:
        """Return whether a value crosses the threshold."""
        return COMPARISONS[self.comparison][1](value, self.threshold)


def state(condition: Condition, points: Sequence[Point]) -> str | None:
    """Return an alarm's state from its points, the oldest first; None: it stays as it is."""
    recent = points[-condition.reach :]
    real = [point for point in recent if point is not None][-condition.periods :]
    breaching = sum(condition.breaches(point) for point in real)
    if breaching >= condition.needed:
        return ALARM
    if len(real) == condition.periods:
        return OK
    if condition.missing == "breaching":
        filled = breaching + condition.periods - len(real)
        return ALARM if filled >= condition.needed else OK
    if condition.missing == "notBreaching":
        return OK
    return _without_filling(condition, recent, all_breaching=breaching == len(real))


def _without_filling(condition: Condition, recent: Sequence[Point], *, all_breaching: bool) -> str | None:
    if not all_breaching:
        return OK
    if condition.missing == "ignore":
        return None
    oldest = next((len(recent) - at for at, point in enumerate(recent) if point is not None), None)
    if oldest is None:
        return INSUFFICIENT_DATA
    # "the oldest available breaching data point is at least as old as the value of Datapoints to Alarm, and
    # all other more recent data points are breaching or missing"
    return ALARM if oldest >= condition.needed else OK


def reason(condition: Condition, points: Sequence[Point], new: str, old: str) -> str:
    """Return why an alarm has a new state, in CloudWatch's words."""
    recent = points[-condition.reach :]
    real = [point for point in recent if point is not None][-condition.periods :]
    absent = condition.periods - len(real)
    if new == INSUFFICIENT_DATA:
        return f"Insufficient Data: {_count(absent, 'datapoint')} {_were(absent)} unknown."
    if not real:
        treated = "Breaching" if condition.missing == "breaching" else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {_count(absent, 'period')} and "
            f"{_count(absent, 'missing datapoint')} {_were(absent)} treated as [{treated}]."
        )
    told = [point for point in real if condition.breaches(point) == (new == ALARM)]
    words = COMPARISONS[condition.comparison][0]
    needed = condition.needed if new == ALARM else condition.periods - condition.needed + 1
    return (
        f"Threshold Crossed: {len(told)} out of the last {_count(condition.periods, 'datapoint')} "
        f"[{', '.join(str(point) for point in reversed(told))}] {_were(len(told))} "
        f"{'' if new == ALARM else 'not '}{words} the threshold ({condition.threshold}) "
        f"(minimum {_count(needed, 'datapoint')} for {old} -> {new} transition)."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
