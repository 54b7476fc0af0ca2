"""The properties of `ScheduledJobAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, OF_A_SET, diagram

DIAGRAM = diagram(
    "queue of failed starts ──▶ not-started",
    "schedule group ──────────▶ dropped, missed (with every_hours)",
)

PROPERTIES = {
    "alerts": ALERTS,
    "schedule_group": Property(why="EventBridge Scheduler counts by groups, and not by schedules"),
    "not_started": Property(why="the name of the queue of starts that failed, of which each job has its own"),
    "every_hours": Property(why="a start that never was is in no count: an hour later somebody is told"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
