"""The properties of `CacheAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, OF_A_SET, diagram

DIAGRAM = diagram("nodes, the worst counts ──▶ cpu, memory, evictions, lag (with more than one)")

PROPERTIES = {
    "alerts": ALERTS,
    "nodes": Property(why="ids of its members: ElastiCache has no metrics of a group"),
    "cpu_percent": Property(why="of the one thread that works; above it requests wait"),
    "memory_percent": Property(why="above it values are soon thrown out, or writes refused"),
    "evictions": Property(why="in 5 minutes: the cache is too small for what is in use"),
    "lag_seconds": Property(why="a failover loses the writes of that time"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
