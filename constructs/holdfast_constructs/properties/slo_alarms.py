"""The properties of `SloAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, LOAD_BALANCER, OF_A_SET, TARGET_GROUP, diagram

DIAGRAM = diagram(
    "burn rate 14.4x: 1 h and 5 min ──┐",
    "burn rate 6x: 6 h and 30 min  ───┴──▶ page",
    "burn rate 3x: 1 d and 2 h ───────┐",
    "burn rate 1x: 3 d and 6 h ───────┴── and no page ──▶ ticket",
)

PROPERTIES = {
    "alerts": ALERTS,
    "slo": Property(why="what is promised in 30 days; the error budget is the rest"),
    "load_balancer": LOAD_BALANCER,
    "target_group": TARGET_GROUP,
    "own_load_balancer": Property(
        why="what a shared load balancer answers by itself cannot be told apart by services"
    ),
    "minimum_errors": Property(why="a single error in a quiet night wakes nobody"),
    "page": Property(why="the severity of 2 % of the budget in an hour, or 5 % in six"),
    "ticket": Property(why="the severity of 10 % of the budget in a day or in three"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
