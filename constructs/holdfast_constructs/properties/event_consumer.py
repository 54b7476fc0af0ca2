"""The properties of `EventConsumer`."""

from holdfast_constructs.properties import Always, Property, Theme
from holdfast_constructs.properties._tasks import (
    IMAGE,
    PLATFORM,
    SERVICE_ALWAYS,
    TASK_ALWAYS,
    TASK_PROPERTIES,
)

DIAGRAM = """
event bus ── rule (pattern) ── queue ── tasks in private subnets ── what it is connected to
                    │            │           │
                    └── dead letters     autoscaling: events that wait for each task
"""

PROPERTIES = {
    "platform": PLATFORM,
    "image": IMAGE,
    "pattern": Property(why="which events it gets, as EventBridge writes it"),
    "scale": Property(why="fewest and most tasks, and how many events may wait for each"),
    "bus_name": Property(why="the bus it listens to; AWS's own events are on the default one"),
    "visibility_seconds": Property(why="how long an event is hidden from other tasks while one works on it"),
    "max_receives": Property(
        why="how often an event is tried before it is put aside, so that one bad event holds up no others",
        theme=Theme.RECOVERABLE,
    ),
    **TASK_PROPERTIES,
    "container_health": Property(why="a command in the container that tells whether it is well"),
}

# Its queue is a Queue, which has a table of its own.
ALWAYS: tuple[Always, ...] = (*TASK_ALWAYS, *SERVICE_ALWAYS)
