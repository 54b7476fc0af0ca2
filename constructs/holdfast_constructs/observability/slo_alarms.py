"""The alarms of a service level objective: two composite alarms for each promise, over eight silent ones."""

from constructs import Construct

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.observability.alarm import CompositeAlarm
from holdfast_constructs.observability.alarm_rule import AlarmRule
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.responsibility import Owner, Severity
from holdfast_constructs.observability.slo import (
    BUDGET_DAYS,
    BURN_RATES,
    BurnAlarm,
    Kind,
    Slo,
    Urgency,
    burn_alarms,
)


@checked
class SloAlarms(AlarmSet):
    """Tells somebody when the error budget of a web service is spent too fast, once for each cause.

    `load_balancer` and `target_group` are ARN suffixes: `gateway.load_balancer_arn_suffix` and
    `service.target_group.arn_suffix`. With `own_load_balancer` no other service is behind it, and what it
    answers by itself counts, too. `minimum_errors` says how many bad requests there must have been at
    least. `page` is the severity of what spends 2 percent of the budget in an hour or 5 in six, `ticket` of
    what spends 10 in a day or in three. A ticket waits while a page is on, and a page for latency while one
    for availability is.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        slo: Slo,
        load_balancer: str,
        target_group: str,
        own_load_balancer: bool = False,
        minimum_errors: int = 5,
        page: Severity = "sev1",
        ticket: Severity = "sev3",
        runbook: str = "slo.md",
        owner: Owner | None = None,
        dashboard: str | None = None,
    ) -> None:
        super().__init__(scope, id_, alerts=alerts, runbook=runbook, owner=owner, dashboard=dashboard)
        if minimum_errors < 1:
            raise ConstructError("minimum_errors", got=minimum_errors, allowed="at least 1")
        self.slo = slo
        self._severities: dict[Urgency, Severity] = {"page": page, "ticket": ticket}
        burns = burn_alarms(
            slo,
            load_balancer=load_balancer,
            target_group=target_group,
            own_load_balancer=own_load_balancer,
            minimum_errors=minimum_errors,
        )
        self.burns = {burn.name: burn for burn in burns}
        for burn in self.burns.values():
            severity = self._severities[burn.rate.urgency]
            self._add(burn.name, burn.when, severity, _reason(slo, burn), notify=False)
        for kind in slo.kinds():
            self._speak(kind)

    def _speak(self, kind: Kind) -> None:
        """Make the two composite alarms of a promise."""
        # What is worse speaks, and what is not as bad waits.
        louder = self._composites.get("availability-page")
        page = self._any_pair(kind, "page")
        fast = self._compose(kind, "page", page if louder is None else page & ~louder.fires)
        ticket = self._any_pair(kind, "ticket") & ~fast.fires
        self._compose(kind, "ticket", ticket if louder is None else ticket & ~louder.fires)

    def _any_pair(self, kind: Kind, urgency: Urgency) -> AlarmRule:
        windows: dict[float, AlarmRule] = {}
        for burn in self.burns.values():
            if (burn.kind, burn.rate.urgency) == (kind, urgency):
                fires = self._alarms[burn.name].fires
                before = windows.get(burn.rate.factor)
                windows[burn.rate.factor] = fires if before is None else before & fires
        first, *others = windows.values()
        for other in others:
            first = first | other
        return first

    def _compose(self, kind: Kind, urgency: Urgency, rule: AlarmRule) -> CompositeAlarm:
        shares = [f"{rate.budget_percent:g} %" for rate in BURN_RATES if rate.urgency == urgency]
        hours = [f"{rate.long_seconds // 3600} h" for rate in BURN_RATES if rate.urgency == urgency]
        spent = " or ".join(f"{share} in {hour}" for share, hour in zip(shares, hours, strict=True))
        name = f"{kind}-{urgency}"
        self._composites[name] = CompositeAlarm(
            self,
            f"{self.node.id}-{name}",
            alerts=self._alerts,
            rule=rule,
            severity=self._severities[urgency],
            runbook=self.runbook,
            reason=f"{self.slo.promise(kind)}: {spent} of the budget of {BUDGET_DAYS} days are spent",
            owner=self._owner,
            dashboard=self._dashboard,
        )
        return self._composites[name]


def _reason(slo: Slo, burn: BurnAlarm) -> str:
    minutes = burn.rate.seconds(burn.window) // 60
    return (
        f"{slo.promise(burn.kind)}: {burn.rate.factor:g} times the rate that uses the budget up in "
        f"{BUDGET_DAYS} days, over {minutes} min with more than {burn.minimum} requests"
    )
