"""The properties of `ScheduledJob`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._tasks import IMAGE, PLATFORM, TASK_ALWAYS, TASK_PROPERTIES

DIAGRAM = """
EventBridge schedule ── RunTask ── a task in private subnets ── what it is connected to
        │
  dead letters: starts that failed for good
"""

PROPERTIES = {
    "platform": PLATFORM,
    "image": IMAGE,
    "schedule": Property(why="when it starts: rate(…), cron(…) or at(…)"),
    "timezone": Property(why="the time zone of the schedule, daylight saving time included"),
    "window_minutes": Property(why="minutes over which the start may be spread"),
    "retries": Property(why="how often a start that failed is tried again"),
    "max_age_seconds": Property(why="how late a start may still be made"),
    "enabled": Property(why="False keeps the job and starts it no more"),
    **TASK_PROPERTIES,
}

ALWAYS: tuple[Always, ...] = TASK_ALWAYS
