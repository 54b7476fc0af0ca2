"""The properties of `FirewallAlarms`."""

from holdfast_constructs.properties import Always, Property
from holdfast_constructs.properties._alarms import ALERTS, OF_A_SET, diagram

DIAGRAM = diagram("blocked requests ───────────▶ flood", "blocked requests of all ────▶ blocked-share")

PROPERTIES = {
    "alerts": ALERTS,
    "web_acl": Property(why="the name in its metrics"),
    "region": Property(why="a dimension of the metrics of a web ACL in a region"),
    "blocked_requests": Property(why="in 5 minutes, three times: scanners are always there, floods are not"),
    "blocked_percent": Property(why="of all for 15 minutes: an attack, or a rule that blocks customers"),
    "minimum_requests": Property(why="of fewer in 5 minutes a share says nothing"),
    **OF_A_SET,
}

ALWAYS: tuple[Always, ...] = ()
