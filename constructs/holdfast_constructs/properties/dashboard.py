"""The properties of `Dashboard`."""

from holdfast_constructs.properties import Always, Property

DIAGRAM = """
alarms ──▶ service_widgets, environment_widgets ──┐
Graph, Number, AlarmStatus, LogTable, Text ───────┴──▶ 24 columns ──▶ dashboard
"""

PROPERTIES = {
    "widgets": Property(why="from left to right; one that does not fit into a row begins the next"),
    "hours": Property(why="what is shown at first"),
}

ALWAYS: tuple[Always, ...] = ()
