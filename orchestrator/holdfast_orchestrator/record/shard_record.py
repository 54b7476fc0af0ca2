"""A shard as records keep it: enough to work on it where the app does not have it any more.

Its configuration lies in an artifact, not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer

from holdfast_orchestrator.app.manifest import RetentionSettings, Shard, StateLocation
from holdfast_orchestrator.state.record_format import Format, copied
from holdfast_orchestrator.terraform.accepted import AcceptedDifference

# Of a note from before notes said it: nothing is tidied away early, and nothing unredacted is kept.
_UNTOLD = RetentionSettings(backup_count=1_000_000, audit_days=3650, unredacted=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardNote:
    """The fields of a shard that records keep."""

    name: str
    service: str
    environment: str
    account: str
    region: str
    cloud: Literal["aws", "local"]
    role_arn: str | None
    state: StateLocation
    keeping: RetentionSettings = _UNTOLD
    protected: tuple[str, ...]
    health_checks: tuple[Mapping[str, Any], ...]
    depends_on: tuple[str, ...]
    accepted_differences: tuple[
        Annotated[AcceptedDifference, PlainSerializer(AcceptedDifference.to_json)], ...
    ] = ()


FORMAT = Format[ShardNote]("holdfast/shard-note/v1", ShardNote, is_named=False)


def note_of(shard: Shard) -> dict[str, Any]:
    """Return a shard as JSON."""
    return FORMAT.to_json(copied(ShardNote, shard))


def shard_of(note: Mapping[str, Any]) -> Shard:
    """Return the shard of a note, without its configuration."""
    return copied(Shard, FORMAT.from_json(note), directory=Path(), configuration=b"{}")


def accepted_in_note(note: Mapping[str, Any] | None) -> tuple[AcceptedDifference, ...]:
    """Return what a note accepts; older ones do not say."""
    return () if note is None else FORMAT.from_json(note).accepted_differences
