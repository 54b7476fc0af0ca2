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
    """Unknown: the look gave no answer."""
    DENIED = "denied"
    """Unknown: the caller has no permission to look."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look: how healthy the target was, and a clause with what was seen."""

    standing: Standing
    what: str
