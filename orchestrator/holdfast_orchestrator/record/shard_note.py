"""A shard as records keep it: enough to work on it where the app does not have it any more.

Its configuration lies in an artifact, not here.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from holdfast_orchestrator.manifest import Shard, StateLocation

_FIELDS = ("name", "service", "environment", "account", "region", "cloud", "role_arn")


def note_of(shard: Shard) -> dict[str, Any]:
    """Return a shard as JSON."""
    return {
        **{name: getattr(shard, name) for name in _FIELDS},
        "state": asdict(shard.state),
        "protected": list(shard.protected),
        "health_checks": [dict(check) for check in shard.health_checks],
        "depends_on": list(shard.depends_on),
    }


def shard_of(note: Mapping[str, Any]) -> Shard:
    """Return the shard of a note, without its configuration."""
    return Shard(
        **{name: note[name] for name in _FIELDS},
        directory=Path(),
        configuration=b"{}",
        state=StateLocation(**note["state"]),
        protected=tuple(note["protected"]),
        health_checks=tuple(note["health_checks"]),
        depends_on=tuple(note["depends_on"]),
    )
