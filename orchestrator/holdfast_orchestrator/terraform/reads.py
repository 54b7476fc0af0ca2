"""The reads of objects in a plan: whether they are remembered, or answered from those of an earlier plan."""

from dataclasses import dataclass

LEAST_REMEMBERED = 100
"""Fewer reads than this are made again: that takes less than two seconds."""
OLDEST_SECONDS = 600.0
"""A read that is older is made again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What becomes of the reads of one plan: they are remembered under a `key`, or recalled from there."""

    key: str
    recalls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCount:
    """How many objects a plan has read, and for how many it was given what an earlier plan had read."""

    read: int
    remembered: int
