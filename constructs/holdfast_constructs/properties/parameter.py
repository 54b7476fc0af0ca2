"""The properties of `Parameter`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
parameter ◀── read ── services
"""

PROPERTIES = {
    "value": Property(why="a plain text; what looks like a secret is refused", theme=Theme.ACCESS),
    "description": Property(why="for people who look for it"),
}

ALWAYS: tuple[Always, ...] = ()
