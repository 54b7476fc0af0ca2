"""The properties of `QueueAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, OF_A_SET, diagram

DIAGRAM = diagram("queue ────────▶ age", "dead letters ─▶ dead-letters")

PROPERTIES = {
    "alerts": ALERTS,
    "queue": Property(why="its name, the dimension of its metrics"),
    "dead_letters": Property(why="the name of the queue of what nobody could handle"),
    "age_seconds": Property(why="what the receiver of the work bears; 5 minutes are noticed by people"),
    "dead_messages": Property(why="normal is none: each is work that was not done"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
