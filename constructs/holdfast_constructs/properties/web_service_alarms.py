"""The properties of `WebServiceAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, LOAD_BALANCER, OF_A_SET, TARGET_GROUP, diagram

DIAGRAM = diagram(
    "requests ──▶ errors, latency, silence (if asked for), no-healthy-task",
    "tasks ─────▶ cpu, memory, at-limit (with max_tasks)",
)

PROPERTIES = {
    "alerts": ALERTS,
    "load_balancer": LOAD_BALANCER,
    "target_group": TARGET_GROUP,
    "cluster": Property(why="the name of the ECS cluster, a dimension of its metrics"),
    "service": Property(why="the name of the ECS service, a dimension of its metrics"),
    "errors_percent": Property(why="normal is below 1; 5 in 3 of 5 minutes is a fault and no accident"),
    "latency_ms": Property(why="the 95th percentile; people notice a second (Nielsen, 1993)"),
    "minimum_requests": Property(why="of fewer in a minute one error is 5 percent and says nothing"),
    "cpu_percent": Property(why="autoscaling holds 60 or 70; above 85 it does not keep up"),
    "memory_percent": Property(why="at 100 a task is ended"),
    "max_tasks": Property(why="what autoscaling may start at most: at it, more load finds no more tasks"),
    "silence_minutes": Property(why="only where requests never end; others would be woken each night"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
