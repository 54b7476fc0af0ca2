"""A shard as records keep it: enough to work on it where the app does not have it any more.

Its configuration lies in an artifact, not here.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.manifest import CopyBucket, RetentionSettings, Shard, StateLocation
from holdfast_orchestrator.terraform.accepted import AcceptedDifference

# Of a note from before notes said it: nothing is tidied away early, and nothing unredacted is kept.
_UNTOLD = RetentionSettings(backup_count=1_000_000, audit_days=3650, unredacted=False)
_FIELDS = ("name", "service", "environment", "account", "region", "cloud", "role_arn")


def note_of(shard: Shard) -> dict[str, Any]:
    """Return a shard as JSON."""
    return {
        **{name: getattr(shard, name) for name in _FIELDS},
        "state": asdict(shard.state),
        "keeping": asdict(shard.keeping),
        "protected": list(shard.protected),
        "health_checks": [dict(check) for check in shard.health_checks],
        "depends_on": list(shard.depends_on),
        "accepted_differences": [entry.to_json() for entry in shard.accepted_differences],
    }


def shard_of(note: Mapping[str, Any]) -> Shard:
    """Return the shard of a note, without its configuration."""
    return Shard(
        **{name: note[name] for name in _FIELDS},
        directory=Path(),
        configuration=b"{}",
        state=StateLocation(**note["state"]),
        keeping=_keeping(note["keeping"]) if "keeping" in note else _UNTOLD,
        protected=tuple(note["protected"]),
        health_checks=tuple(note["health_checks"]),
        depends_on=tuple(note["depends_on"]),
        accepted_differences=accepted_in_note(note),
    )


def accepted_in_note(note: Mapping[str, Any] | None) -> tuple[AcceptedDifference, ...]:
    """Return what a note accepts; older ones do not say."""
    return tuple(AcceptedDifference(**entry) for entry in (note or {}).get("accepted_differences", ()))


def _keeping(noted: Mapping[str, Any]) -> RetentionSettings:
    return RetentionSettings(**{**noted, "copies": tuple(CopyBucket(**copy) for copy in noted["copies"])})
