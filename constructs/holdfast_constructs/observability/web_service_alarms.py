"""The alarms of a web service: rate, errors and duration of its requests, and what its tasks have left."""

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.observability._load_balancer_metrics import LoadBalancerMetrics, percent
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import Metric, period_of
from holdfast_constructs.observability.responsibility import Owner
from holdfast_constructs.observability.threshold import Threshold

_FIVE_MINUTES = 300


@checked
class WebServiceAlarms(AlarmSet):
    """Tells of errors, slow answers, no healthy task, and tasks that have nothing left, of one web service.

    `load_balancer` and `target_group` are ARN suffixes (`gateway.load_balancer_arn_suffix`,
    `service.target_group.arn_suffix`), `cluster` and `service` the names of the ECS cluster and service. With
    `max_tasks`, what its autoscaling may start at most, it tells when all of them run; the cluster needs
    Container Insights. `silence_minutes` is for services that are never without requests, a multiple of 5.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        load_balancer: str,
        target_group: str,
        cluster: str,
        service: str,
        errors_percent: float = 5,
        latency_ms: int = 1000,
        minimum_requests: int = 20,
        cpu_percent: float = 85,
        memory_percent: float = 90,
        max_tasks: int | None = None,
        silence_minutes: int | None = None,
        runbook: str = "web-service.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        self._requests = LoadBalancerMetrics(load_balancer, target_group)
        self._tasks = {"ClusterName": cluster, "ServiceName": service}
        self._watch_errors(errors_percent, minimum_requests)
        self._watch_duration(latency_ms)
        self._watch_targets()
        self._watch_usage("cpu", "CPUUtilization", cpu_percent)
        self._watch_usage("memory", "MemoryUtilization", memory_percent)
        if max_tasks is not None:
            self._watch_limit(max_tasks)
        if silence_minutes is not None:
            self._watch_silence(silence_minutes)

    def _watch_errors(self, most: float, minimum: int) -> None:
        signal = percent(
            "FILL(errors, 0) + FILL(unreached, 0)",
            "total",
            minimum,
            {
                "errors": self._requests.metric("HTTPCode_Target_5XX_Count", "Sum"),
                "unreached": self._requests.metric("TargetConnectionErrorCount", "Sum"),
                "total": self._requests.metric("RequestCount", "Sum"),
            },
            "errors in percent",
        )
        when = Threshold(signal=signal, comparison=">", value=most, periods=5, datapoints=3)
        reason = (
            f"normal is below 1 %; {most:g} % in 3 of 5 minutes with more than {minimum} requests is a fault"
        )
        self._add("errors", when, "sev2", reason)

    def _watch_duration(self, most_ms: int) -> None:
        signal = self._requests.metric("TargetResponseTime", "p95", label="seconds, p95")
        when = Threshold(signal=signal, comparison=">", value=most_ms / 1000, periods=5, datapoints=3)
        reason = f"one answer in 20 takes more than {most_ms} ms in 3 of 5 minutes with at least 200 requests"
        self._add("latency", when, "sev2", reason)

    def _watch_targets(self) -> None:
        signal = self._requests.metric("HealthyHostCount", "Minimum", label="healthy tasks")
        when = Threshold(signal=signal, comparison="<", value=1, periods=3, missing="breaching")
        reason = (
            "no task is healthy for 3 minutes: requests are answered with 503, and in no count of the service"
        )
        self._add("no-healthy-task", when, "sev1", reason)

    def _watch_usage(self, name: str, metric: str, most: float) -> None:
        signal = Metric(namespace="AWS/ECS", name=metric, dimensions=self._tasks, label=f"{name} in percent")
        when = Threshold(signal=signal, comparison=">", value=most, periods=10, datapoints=8)
        reason = f"autoscaling holds less; above {most:g} % in 8 of 10 minutes it does not keep up"
        self._add(name, when, "sev3", reason)

    def _watch_limit(self, most: int) -> None:
        signal = Metric(
            namespace="ECS/ContainerInsights",
            name="RunningTaskCount",
            dimensions=self._tasks,
            label="running tasks",
        )
        when = Threshold(signal=signal, comparison=">=", value=most, periods=15)
        reason = f"all {most} tasks run for 15 minutes: more load finds no more of them"
        self._add("at-limit", when, "sev3", reason)

    def _watch_silence(self, minutes: int) -> None:
        signal = self._requests.metric("RequestCount", "Sum", seconds=_FIVE_MINUTES, label="requests")
        periods = max(1, minutes * 60 // period_of(signal))
        when = Threshold(signal=signal, comparison="<", value=1, periods=periods, missing="breaching")
        self._add("silence", when, "sev2", f"it is never without requests; none came for {minutes} minutes")
