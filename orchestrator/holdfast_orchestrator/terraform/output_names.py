"""Tells outputs that people declared from those that programs read."""

# What cdktf makes for other stacks, and what health checks of ours look at.
_FOR_PROGRAMS = ("cross-stack-output-", "health-")


def is_for_people(name: str) -> bool:
    """Return whether an output was declared by hand: neither for another stack nor for a health check."""
    return not name.startswith(_FOR_PROGRAMS)
