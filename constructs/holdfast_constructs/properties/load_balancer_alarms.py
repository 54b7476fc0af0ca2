"""The properties of `LoadBalancerAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, LOAD_BALANCER, OF_A_SET, diagram

DIAGRAM = diagram(
    "load balancer ──▶ errors, rejected-connections", "certificate ────▶ certificate (if given)"
)

PROPERTIES = {
    "alerts": ALERTS,
    "load_balancer": LOAD_BALANCER,
    "errors_percent": Property(why="what it answers by itself: no target, or targets that time out"),
    "minimum_requests": Property(why="of fewer in a minute one error is 5 percent and says nothing"),
    "rejected_connections": Property(why="normal is none: AWS scales a load balancer before"),
    "certificate": Property(why="the ARN of a certificate of ACM, whose renewal can fail unseen"),
    "certificate_days": Property(why="ACM renews 60 days before the end; at 30 it failed, and there is time"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
