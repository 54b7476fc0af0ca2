"""The properties of `WebService`."""

from holdfast_constructs.properties import Always, Property, Theme
from holdfast_constructs.properties._tasks import (
    IMAGE,
    MIGRATIONS,
    PLATFORM,
    SERVICE_ALWAYS,
    TASK_ALWAYS,
    TASK_PROPERTIES,
)

DIAGRAM = """
clients ── load balancer ── listener rule (hosts, paths) ── target group
                                                                │
        autoscaling ── ECS service ── tasks in private subnets ─┘
                                        │         │
             what it is connected to ───┘         └── roles, logs, secrets
"""

PROPERTIES = {
    "platform": PLATFORM,
    "image": IMAGE,
    "port": Property(why="where the container listens; the load balancer speaks plain HTTP to it"),
    "health": Property(
        why="a path that answers 200-299 when it can take requests; without one nothing can be proved",
        controls=("CKV_AWS_261",),
        theme=Theme.OBSERVED,
    ),
    "host": Property(why="the name that the load balancer sends to it"),
    "hosts": Property(why="more names that it answers, also with a wildcard"),
    "paths": Property(why="the paths of its hosts that it answers; all, unless some are given"),
    "scale": Property(why="fewest and most tasks, and what more are started for"),
    **TASK_PROPERTIES,
    "drain_seconds": Property(why="how long a task that leaves still gets the answers to its requests out"),
    "grace_seconds": Property(why="how long a new task may fail its health check"),
    "priority": Property(why="the number of its listener rule, which is computed unless given"),
    "migrations": MIGRATIONS,
    "container_health": Property(why="a command in the container that tells whether it is well"),
    "target_health": Property(why="how often the load balancer looks, and how many answers it believes"),
}

ALWAYS: tuple[Always, ...] = (*TASK_ALWAYS, *SERVICE_ALWAYS)
