"""The alarms of a firewall: an attack, and a rule that blocks those it should let in."""

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.observability._load_balancer_metrics import percent
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.metrics import Metric
from holdfast_constructs.observability.responsibility import Owner
from holdfast_constructs.observability.threshold import Threshold

_PERIOD = 300


@checked
class FirewallAlarms(AlarmSet):
    """Tells of many blocked requests, and of a great part of all that is blocked.

    `web_acl` is the name in its metrics (`firewall.web_acl.name`), `region` the one of the load balancer.
    `blocked_requests` are those in 5 minutes, `blocked_percent` of more than `minimum_requests` in that time.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        web_acl: str,
        region: str,
        blocked_requests: int = 1000,
        blocked_percent: float = 20,
        minimum_requests: int = 100,
        runbook: str = "firewall.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        self._dimensions = {"WebACL": web_acl, "Region": region, "Rule": "ALL"}
        blocked = self._metric("BlockedRequests")
        self._add(
            "flood",
            Threshold(signal=blocked, comparison=">", value=blocked_requests, periods=3),
            "sev3",
            f"more than {blocked_requests} blocked requests in each of three times 5 min: somebody attacks",
        )
        signal = percent(
            "FILL(blocked, 0)",
            "FILL(allowed, 0) + FILL(blocked, 0)",
            minimum_requests,
            {"blocked": blocked, "allowed": self._metric("AllowedRequests")},
            "blocked in percent",
        )
        self._add(
            "blocked-share",
            Threshold(signal=signal, comparison=">", value=blocked_percent, periods=3),
            "sev2",
            f"more than {blocked_percent:g} % of all for 15 min: an attack, or a rule that blocks customers",
        )

    def _metric(self, name: str) -> Metric:
        return Metric(
            namespace="AWS/WAFV2",
            name=name,
            dimensions=self._dimensions,
            stat="Sum",
            period_seconds=_PERIOD,
            label="blocked requests" if name == "BlockedRequests" else None,
        )
