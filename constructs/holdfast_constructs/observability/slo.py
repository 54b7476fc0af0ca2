"""A service level objective, and how fast its error budget may be spent before somebody is told.

From "The Site Reliability Workbook" (Google, 2018), chapter 5, "Alerting on SLOs", method 6: a burn rate in
two windows. The long one says that a part of the budget is gone, the short one that it is still being
spent. The workbook's budget is that of 30 days, and so is this one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.metrics import Expression, Metric, Signal
from holdfast_constructs.observability.threshold import Threshold

BUDGET_DAYS = 30
_ALL_PERCENT = 100
Kind = Literal["availability", "latency"]
Urgency = Literal["page", "ticket"]
Window = Literal["long", "short"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRate:
    """A pair of windows. At `factor` 1 the budget lasts exactly the 30 days."""

    urgency: Urgency
    factor: float
    long_seconds: int
    short_seconds: int

    @property
    def budget_percent(self) -> float:
        """How much of the budget is spent, in percent, when the long window fires."""
        return self.factor * self.long_seconds / (BUDGET_DAYS * 86_400) * 100

    def seconds(self, window: Window) -> int:
        """Return the length of one of its windows."""
        return self.long_seconds if window == "long" else self.short_seconds


# The workbook's table 5-8; the short window is a twelfth of the long one.
BURN_RATES = (
    BurnRate(urgency="page", factor=14.4, long_seconds=3600, short_seconds=300),
    BurnRate(urgency="page", factor=6, long_seconds=21_600, short_seconds=1800),
    BurnRate(urgency="ticket", factor=3, long_seconds=86_400, short_seconds=7200),
    BurnRate(urgency="ticket", factor=1, long_seconds=259_200, short_seconds=21_600),
)
_FASTEST = max(rate.factor for rate in BURN_RATES)


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """What is promised of a service in 30 days: `Slo(availability=99.9, latency_ms=400, percentile=95)`.

    `availability` is the percent of requests that are answered without an error of the service, and
    `percentile` the percent that is answered within `latency_ms`. Without `latency_ms` nothing is promised
    of that. Raises ConstructError for an objective so low that no outage could spend its budget as fast as
    the fastest alarm asks.
    """

    availability: float | None = 99.9
    latency_ms: int | None = None
    percentile: float = 95

    def __post_init__(self) -> None:
        if self.availability is None and self.latency_ms is None:
            raise ConstructError("an Slo", allowed="one that promises availability, latency_ms or both")
        if self.availability is not None:
            _check_objective("availability", self.availability)
        if self.latency_ms is not None:
            _check_objective("percentile", self.percentile)
            if self.latency_ms < 1:
                raise ConstructError("latency_ms", got=self.latency_ms, allowed="at least 1")

    def kinds(self) -> tuple[Kind, ...]:
        """Return what is promised."""
        availability: tuple[Kind, ...] = () if self.availability is None else ("availability",)
        return availability if self.latency_ms is None else (*availability, "latency")

    def budget(self, kind: Kind) -> float:
        """Return the share of requests that may be bad: 0.001 for 99.9 percent."""
        objective = self.availability if kind == "availability" else self.percentile
        return round((100 - (objective or 0)) / 100, 9)

    def promise(self, kind: Kind) -> str:
        """Return what is promised, in words."""
        if kind == "availability":
            return f"{self.availability:g} % of requests without an error"
        return f"{self.percentile:g} % of requests within {self.latency_ms} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnAlarm:
    """One window of a pair as an alarm. `minimum` is how many requests there must be in it."""

    kind: Kind
    rate: BurnRate
    window: Window
    minimum: int
    when: Threshold

    @property
    def name(self) -> str:
        """What it is called in its set: `availability-14-4x-60m`."""
        factor = f"{self.rate.factor:g}".replace(".", "-")
        return f"{self.kind}-{factor}x-{self.rate.seconds(self.window) // 60}m"


def minimum_requests(budget: float, rate: BurnRate, window: Window, minimum_errors: int) -> int:
    """Return the requests in a window from which on a burn rate means something.

    In the long window so many that at `factor` the bad ones are at least `minimum_errors`; in the short one
    the same number a minute. Fewer never fire: a single error in a quiet night is no outage.
    """
    in_long = math.ceil(round(minimum_errors / (rate.factor * budget), 6))
    return math.ceil(in_long * rate.seconds(window) / rate.long_seconds)


def burn_alarms(
    slo: Slo, *, load_balancer: str, target_group: str, own_load_balancer: bool, minimum_errors: int
) -> Iterator[BurnAlarm]:
    """Return the alarms of an objective, in the order of `BURN_RATES`, long window first."""
    load = _Requests(load_balancer, target_group, own_load_balancer)
    for kind in slo.kinds():
        budget = slo.budget(kind)
        for rate in BURN_RATES:
            for window in ("long", "short"):
                minimum = minimum_requests(budget, rate, window, minimum_errors)
                seconds = rate.seconds(window)
                signal = (
                    load.errors(seconds, minimum, budget)
                    if kind == "availability"
                    else load.slow(seconds, minimum, budget, slo.latency_ms or 0)
                )
                when = Threshold(signal=signal, comparison=">", value=rate.factor)
                yield BurnAlarm(kind=kind, rate=rate, window=window, minimum=minimum, when=when)


@dataclass(frozen=True, slots=True)
class _Requests:
    """The requests to a service at its load balancer, as a burn rate."""

    load_balancer: str
    target_group: str
    is_own: bool

    def errors(self, seconds: int, minimum: int, budget: float) -> Expression:
        """Return how fast errors spend the budget.

        A count of errors is there only when it is not 0, so that it is filled. What the load balancer answers
        by itself has no target group: it counts only where the load balancer has no other service.
        """
        errors = self._sum("HTTPCode_Target_5XX_Count", seconds)
        unreached = self._sum("TargetConnectionErrorCount", seconds)
        if not self.is_own:
            total: Signal = self._sum("RequestCount", seconds)
            bad = "FILL(errors, 0) + FILL(unreached, 0)"
            return _burn(bad, minimum, budget, {"errors": errors, "unreached": unreached, "total": total})
        refused = self._sum("HTTPCode_ELB_5XX_Count", seconds, of_service=False)
        # A request for which there is no target is in the count of refused ones only.
        answered = self._sum("RequestCount", seconds, of_service=False)
        total = Expression(
            text="FILL(answered, 0) + FILL(refused, 0)", metrics={"answered": answered, "refused": refused}
        )
        bad = "FILL(errors, 0) + FILL(unreached, 0) + FILL(refused, 0)"
        parts: dict[str, Signal] = {"errors": errors, "unreached": unreached, "refused": refused}
        return _burn(bad, minimum, budget, {**parts, "total": total})

    def slow(self, seconds: int, minimum: int, budget: float, latency_ms: int) -> Expression:
        """Return how fast slow answers spend the budget: `fast` is the percent that is fast enough."""
        total = self._sum("RequestCount", seconds)
        fast = self._metric("TargetResponseTime", f"PR(:{latency_ms / 1000:g})", seconds)
        text = f"IF(total > {minimum}, (100 - fast) / 100 / {_decimal(budget)}, 0)"
        return Expression(text=text, metrics={"fast": fast, "total": total}, label="burn rate")

    def _sum(self, name: str, seconds: int, *, of_service: bool = True) -> Metric:
        return self._metric(name, "Sum", seconds, of_service=of_service)

    def _metric(self, name: str, stat: str, seconds: int, *, of_service: bool = True) -> Metric:
        dimensions = {"LoadBalancer": self.load_balancer}
        if of_service:
            dimensions["TargetGroup"] = self.target_group
        return Metric(
            namespace="AWS/ApplicationELB",
            name=name,
            dimensions=dimensions,
            stat=stat,
            period_seconds=seconds,
        )


def _burn(bad: str, minimum: int, budget: float, metrics: dict[str, Signal]) -> Expression:
    text = f"IF(total > {minimum}, ({bad}) / total / {_decimal(budget)}, 0)"
    return Expression(text=text, metrics=metrics, label="burn rate")


def _decimal(number: float) -> str:
    return f"{number:.9f}".rstrip("0")


def _check_objective(name: str, objective: float) -> None:
    lowest = 100 * (1 - 1 / _FASTEST)
    if not lowest < objective < _ALL_PERCENT:
        raise ConstructError(
            f"{name} of an Slo",
            got=objective,
            allowed=f"above {lowest:.2f} and below 100",
            next_step=f"below, not even an outage spends the budget {_FASTEST:g} times as fast as it lasts",
        )
