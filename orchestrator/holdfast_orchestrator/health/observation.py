"""What one look at a target saw."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How healthy a target was when it was looked at."""

    HEALTHY = "healthy"
    WAITING = "waiting"
    """On its way; neither well nor unwell."""
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
    """Unwell, and no waiting will change it."""
    UNKNOWN = "unknown"
    """Could not be told."""
    DENIED = "denied"
    """Could not be told: the caller has no permission to ask."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look: how healthy the target was, and a clause with what was seen."""

    standing: Standing
    what: str
