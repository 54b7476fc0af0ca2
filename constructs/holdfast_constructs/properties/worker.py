"""The properties of `Worker`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._tasks import (
    IMAGE,
    MIGRATIONS,
    PLATFORM,
    SERVICE_ALWAYS,
    TASK_ALWAYS,
    TASK_PROPERTIES,
)

DIAGRAM = """
senders ── queue ── tasks in private subnets ── what it is connected to
             │           │
   dead letters      autoscaling: messages that wait for each task
"""

PROPERTIES = {
    "platform": PLATFORM,
    "image": IMAGE,
    "queue": Property(why="the SQS queue it takes messages from; it may receive and delete, no more"),
    "scale": Property(why="fewest and most tasks, and how many messages may wait for each"),
    **TASK_PROPERTIES,
    "migrations": MIGRATIONS,
    "container_health": Property(why="a command in the container that tells whether it is well"),
}

ALWAYS: tuple[Always, ...] = (*TASK_ALWAYS, *SERVICE_ALWAYS)
