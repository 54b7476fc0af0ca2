"""The properties of `DatabaseAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, OF_A_SET, diagram

DIAGRAM = diagram(
    "utilization ──▶ cpu, memory, storage, connections (with most_connections)",
    "saturation ───▶ disk-queue, replica-lag (of a replica)",
    "errors ───────▶ transaction-ids",
)

PROPERTIES = {
    "alerts": ALERTS,
    "instance": Property(why="its identifier, the dimension of its metrics"),
    "cpu_percent": Property(why="above it queries wait for CPU"),
    "free_storage_gib": Property(why="enough to act in; a full disk takes no writes"),
    "free_memory_mib": Property(why="below it the instance begins to swap"),
    "disk_queue": Property(why="reads and writes that wait for the disk"),
    "transaction_ids": Property(why="where RDS begins to warn; near 2.1 billion PostgreSQL stops writes"),
    "most_connections": Property(
        why="max_connections goes by the instance class, and cannot be read at synth"
    ),
    "connections_percent": Property(why="the rest is for a deploy, which has both versions connected"),
    "replica": Property(why="only a replica has a delay"),
    "replica_lag_seconds": Property(why="reads of a replica are as old as that"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
