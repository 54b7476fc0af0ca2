"""What the ready sets of alarms have in common: alarms by name, with one runbook, owner and dashboard."""

from collections.abc import Mapping
from types import MappingProxyType

from constructs import Construct

from holdfast_constructs.observability.alarm import Alarm, CompositeAlarm
from holdfast_constructs.observability.alerts import Alerts
from holdfast_constructs.observability.responsibility import Owner, Severity
from holdfast_constructs.observability.threshold import Threshold


class AlarmSet(Construct):
    """Alarms on one thing, by their names. `title` is what a dashboard calls it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alerts: Alerts,
        runbook: str,
        owner: Owner | None,
        dashboard: str | None,
    ) -> None:
        super().__init__(scope, id_)
        self.title = id_
        self.runbook = runbook
        self._alerts, self._owner, self._dashboard = alerts, owner, dashboard
        self._alarms: dict[str, Alarm] = {}
        self._composites: dict[str, CompositeAlarm] = {}

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """The alarms on metrics, by their names in this set."""
        return MappingProxyType(self._alarms)

    @property
    def composites(self) -> Mapping[str, CompositeAlarm]:
        """The alarms on others' states, by their names in this set."""
        return MappingProxyType(self._composites)

    @property
    def telling(self) -> tuple[Alarm | CompositeAlarm, ...]:
        """Those that tell somebody: what a dashboard shows the state of."""
        every: tuple[Alarm | CompositeAlarm, ...] = (*self._composites.values(), *self._alarms.values())
        return tuple(each for each in every if each.notifies)

    def _add(
        self, name: str, when: Threshold, severity: Severity, reason: str, *, notify: bool = True
    ) -> Alarm:
        self._alarms[name] = Alarm(
            self,
            f"{self.node.id}-{name}",
            alerts=self._alerts,
            when=when,
            severity=severity,
            runbook=self.runbook,
            reason=reason,
            owner=self._owner,
            dashboard=self._dashboard,
            notify=notify,
        )
        return self._alarms[name]
