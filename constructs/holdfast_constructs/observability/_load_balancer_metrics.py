"""Metrics of a load balancer, of all of it or of one target group, and shares of its requests."""

from dataclasses import dataclass

from holdfast_constructs.observability.metrics import Expression, Metric, Signal


@dataclass(frozen=True, slots=True)
class LoadBalancerMetrics:
    """The metrics of one load balancer and, where one is given, of one target group."""

    load_balancer: str
    target_group: str | None = None

    def metric(self, name: str, stat: str, *, seconds: int = 60, label: str | None = None) -> Metric:
        """Return a metric of AWS/ApplicationELB."""
        group = {} if self.target_group is None else {"TargetGroup": self.target_group}
        return Metric(
            namespace="AWS/ApplicationELB",
            name=name,
            dimensions={"LoadBalancer": self.load_balancer, **group},
            stat=stat,
            period_seconds=seconds,
            label=label,
        )


def percent(bad: str, total: str, minimum: int, metrics: dict[str, Signal], label: str) -> Expression:
    """Return what percent `bad` is of `total`, and 0 while `total` is not above `minimum`."""
    return Expression(
        text=f"IF({total} > {minimum}, 100 * ({bad}) / ({total}), 0)", metrics=metrics, label=label
    )
