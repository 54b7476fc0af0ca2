"""The properties of `CompositeAlarm`."""

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
alarm ──┐
alarm ──┼── rule: and, or, not ──▶ composite alarm ──▶ topic of its severity ──▶ people
alarm ──┘   (notify=False)
"""

PROPERTIES = {
    "alerts": ALERTS,
    "rule": Property(why="made from alarms that are there already, so that none can depend on itself"),
    "severity": SEVERITY,
    "runbook": RUNBOOK,
    "reason": REASON,
    "owner": OWNER,
    "dashboard": DASHBOARD,
    "notify": NOTIFY,
}

ALWAYS: tuple[Always, ...] = ()
