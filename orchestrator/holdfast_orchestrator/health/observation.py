"""What one look at a target saw."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How a target stood when it was looked at."""

    HEALTHY = "healthy"
    WAITING = "waiting"
    """On its way; neither well nor unwell."""
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
    """Unwell, and no waiting will change it."""
    UNKNOWN = "unknown"
    """Could not be told."""
    DENIED = "denied"
    """Could not be told because whoever is asking may not know."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look: how the target stood, and a clause with what was seen."""

    standing: Standing
    what: str
