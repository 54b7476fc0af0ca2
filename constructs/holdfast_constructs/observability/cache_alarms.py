"""The alarms of a cache: CPU, memory, values that are thrown out, and a standby that is behind."""

from collections.abc import Sequence

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import Expression, Metric, Signal
from holdfast_constructs.observability.responsibility import Owner
from holdfast_constructs.observability.threshold import Threshold

_PERIOD = 300
# Amazon CloudWatch User Guide, "Alarm limits": metrics of an alarm.
_MOST_NODES = 10


@checked
class CacheAlarms(AlarmSet):
    """Tells of a cache that runs out of CPU or memory, throws values out, or whose standby is behind.

    `nodes` are the ids of its members, such as `orders-prod-cache-001`; the worst of them counts.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        nodes: Sequence[str],
        cpu_percent: float = 80,
        memory_percent: float = 85,
        evictions: int = 100,
        lag_seconds: int = 30,
        runbook: str = "cache.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        if not 1 <= len(nodes) <= _MOST_NODES:
            raise ConstructError(
                "nodes", got=len(nodes), allowed=f"1-{_MOST_NODES}, the metrics that an alarm may have"
            )
        self._nodes = tuple(nodes)
        self._watch(
            "cpu",
            "EngineCPUUtilization",
            "Average",
            cpu_percent,
            f"it works in one thread; above {cpu_percent:g} % requests wait",
        )
        self._watch(
            "memory",
            "DatabaseMemoryUsagePercentage",
            "Average",
            memory_percent,
            f"above {memory_percent:g} % it soon throws values out, or refuses writes",
        )
        self._watch(
            "evictions",
            "Evictions",
            "Sum",
            evictions,
            f"more than {evictions} values in 5 min are thrown out: it is too small for what is in use",
        )
        if len(nodes) > 1:
            reason = f"a failover now would lose the writes of more than {lag_seconds} s"
            self._watch("lag", "ReplicationLag", "Maximum", lag_seconds, reason)

    def _watch(self, name: str, metric: str, stat: str, most: float, reason: str) -> None:
        when = Threshold(signal=self._worst(metric, stat), comparison=">", value=most, periods=3)
        self._add(name, when, "sev3", f"{reason} (5 min, 3 times)")

    def _worst(self, name: str, stat: str) -> Signal:
        metrics = {
            f"node{number}": Metric(
                namespace="AWS/ElastiCache",
                name=name,
                dimensions={"CacheClusterId": node},
                stat=stat,
                period_seconds=_PERIOD,
                label=node,
            )
            for number, node in enumerate(self._nodes, start=1)
        }
        if len(metrics) == 1:
            return metrics["node1"]
        return Expression(text=f"MAX([{', '.join(metrics)}])", metrics=metrics, label=name)
