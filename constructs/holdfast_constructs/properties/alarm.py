"""The properties of `Alarm`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import (
    ALERTS,
    DASHBOARD,
    NOTIFY,
    OWNER,
    REASON,
    RUNBOOK,
    SEVERITY,
)

DIAGRAM = """
metrics ──▶ threshold ──▶ alarm ──▶ topic of its severity ──▶ people
                            └── description: service, severity, reason, runbook, owner, deputy, dashboard
"""

PROPERTIES = {
    "alerts": ALERTS,
    "when": Property(why="a signal, what it is compared with, and how long it has to be so"),
    "severity": SEVERITY,
    "runbook": RUNBOOK,
    "reason": REASON,
    "owner": OWNER,
    "dashboard": DASHBOARD,
    "actions": Property(why="what else is started when it fires, such as a policy of autoscaling"),
    "notify": NOTIFY,
}

ALWAYS: tuple[Always, ...] = ()
