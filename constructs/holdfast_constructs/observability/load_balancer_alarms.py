"""The alarms of a shared load balancer: what it answers by itself, and connections that it turns away."""

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.observability._load_balancer_metrics import LoadBalancerMetrics, percent
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import Metric
from holdfast_constructs.observability.responsibility import Owner
from holdfast_constructs.observability.threshold import Threshold

_DAY = 86_400


@checked
class LoadBalancerAlarms(AlarmSet):
    """Tells of errors that the load balancer answers by itself, and of connections that it refuses.

    `load_balancer` is its ARN suffix: `gateway.load_balancer_arn_suffix`. With `certificate` (an ARN) it
    tells when the certificate is not renewed `certificate_days` before its end.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        load_balancer: str,
        errors_percent: float = 5,
        minimum_requests: int = 20,
        rejected_connections: int = 0,
        certificate: str | None = None,
        certificate_days: int = 30,
        runbook: str = "load-balancer.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        self._metrics = LoadBalancerMetrics(load_balancer)
        self._watch_errors(errors_percent, minimum_requests)
        self._watch_rejected(rejected_connections)
        if certificate is not None:
            self._watch_certificate(certificate, certificate_days)

    def _watch_errors(self, most: float, minimum: int) -> None:
        # A request for which there was no target is not in RequestCount.
        signal = percent(
            "FILL(refused, 0)",
            "FILL(answered, 0) + FILL(refused, 0)",
            minimum,
            {
                "refused": self._metrics.metric("HTTPCode_ELB_5XX_Count", "Sum"),
                "answered": self._metrics.metric("RequestCount", "Sum"),
            },
            "own errors in percent",
        )
        when = Threshold(signal=signal, comparison=">", value=most, periods=5, datapoints=3)
        reason = (
            f"normal is none; {most:g} % in 3 of 5 minutes: services have no targets, or targets time out"
        )
        self._add("errors", when, "sev2", reason)

    def _watch_rejected(self, most: int) -> None:
        signal = self._metrics.metric("RejectedConnectionCount", "Sum", label="refused connections")
        when = Threshold(signal=signal, comparison=">", value=most, periods=5, datapoints=3)
        reason = "normal is none: AWS scales it before; if not, it is at its maximum of connections"
        self._add("rejected-connections", when, "sev2", reason)

    def _watch_certificate(self, arn: str, days: int) -> None:
        signal = Metric(
            namespace="AWS/CertificateManager",
            name="DaysToExpiry",
            dimensions={"CertificateArn": arn},
            stat="Minimum",
            period_seconds=_DAY,
            label="days",
        )
        when = Threshold(signal=signal, comparison="<", value=days)
        reason = f"ACM renews 60 days before the end; {days} days before it has failed"
        self._add("certificate", when, "sev3", reason)
