"""The JSON documents of `holdfast state`."""

import shlex
from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.state.copies import StateCopy
from holdfast_orchestrator.state.json_object import time_text
from holdfast_orchestrator.state.lease_record import LeaseRecord
from holdfast_orchestrator.state_admin.restore import Restored, RestoreProposal, StatePlace
from holdfast_orchestrator.state_admin.unlock import Held
from holdfast_orchestrator.terraform.identity import TrackedObject

# The metadata of a backup; a version of the state object has none.
_OF_BACKUPS = ("run", "reason", "actor", "git", "artifact", "engine")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCopy:
    """A copy of a state; `name` is what `--backup` takes. Times are ISO 8601, in UTC; sizes in bytes.

    A copy of `kind` backup was made before a change, which `run`, `reason` and so on describe. A copy of
    `kind` version is an earlier version of the state object.
    """

    name: str
    kind: Literal["backup", "version"]
    written: str
    lineage: str
    serial: int
    sha256: str
    size: int
    run: str | None = None
    reason: str | None = None
    actor: str | None = None
    git: str | None = None
    artifact: str | None = None
    engine: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateBackupsDocument:
    """`holdfast state backups --json`: the newest state first."""

    schema: Literal["holdfast/state-backups/v1"] = "holdfast/state-backups/v1"
    shard: str
    bucket: str
    key: str
    copies: tuple[ListedCopy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreObject:
    """An object in one of the two states. `stateful`: creating it again does not bring its data back."""

    address: str
    type: str
    id: str | None
    stateful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMove:
    """An object that has another address in each of the two states."""

    now: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRestoreDocument:
    """`holdfast state restore --json`.

    `orphaned` objects exist, and no state contains them afterwards; `resurrected` objects are in the state
    again, and may no longer exist. `condition` is that of the state before. `backup` is the backup of that
    state.
    """

    schema: Literal["holdfast/state-restore/v1"] = "holdfast/state-restore/v1"
    shard: str
    restored: bool
    copy: ListedCopy
    condition: str
    serial_before: int | None
    serial: int | None
    lineage: str
    backup: str | None
    orphaned: tuple[RestoreObject, ...]
    resurrected: tuple[RestoreObject, ...]
    moved: tuple[RestoreMove, ...]
    changed: tuple[str, ...]
    outputs: tuple[str, ...]
    warnings: tuple[str, ...]
    next_step: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """Terraform's lock on the state; if it is not `readable`, the id is that of the lock object."""

    id: str
    readable: bool
    who: str
    operation: str
    created: str
    info: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseEntry:
    """Holdfast's lease on the shard."""

    run: str
    owner: str
    host: str
    pid: int
    since: str
    doing: str
    kind: str
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StateUnlockDocument:
    """`holdfast state unlock --json`: what holds the shard, and what was removed (`lock`, `lease`)."""

    schema: Literal["holdfast/state-unlock/v1"] = "holdfast/state-unlock/v1"
    shard: str
    lock: LockEntry | None
    lease: LeaseEntry | None
    removed: tuple[str, ...]


def backups_document(place: StatePlace, copies: tuple[StateCopy, ...]) -> StateBackupsDocument:
    """Return the document for a shard's copies."""
    return StateBackupsDocument(
        shard=place.shard, bucket=place.bucket, key=place.key, copies=tuple(map(_listed, copies))
    )


def restore_document(proposal: RestoreProposal, ended: Restored | None) -> StateRestoreDocument:
    """Return the document for a restore; `ended` is None where nothing was restored."""
    diff, now = proposal.diff, proposal.now
    return StateRestoreDocument(
        shard=proposal.place.shard,
        restored=ended is not None,
        copy=_listed(proposal.copy),
        condition=now.condition.value,
        serial_before=now.serial if now.serial >= 0 else None,
        serial=None if ended is None else ended.serial,
        lineage=proposal.then.lineage,
        backup=None if ended is None else ended.backup,
        orphaned=tuple(map(_object, diff.orphaned)),
        resurrected=tuple(map(_object, diff.resurrected)),
        moved=tuple(RestoreMove(now=move.source, then=move.target) for move in diff.moved),
        changed=diff.changed,
        outputs=diff.outputs,
        warnings=proposal.warnings,
        next_step=None if ended is None else f"holdfast plan --stack {shlex.quote(proposal.place.shard)}",
    )


def unlock_document(held: Held, *, removed: tuple[str, ...]) -> StateUnlockDocument:
    """Return the document for the lock and lease of a shard, and which of them was removed."""
    lease = held.lease
    return StateUnlockDocument(
        shard=held.place.shard,
        lock=None if held.lock is None else copied(LockEntry, held.lock),
        lease=None if lease is None else _lease(lease.record, expired=lease.has_expired),
        removed=removed,
    )


def _listed(copy: StateCopy) -> ListedCopy:
    return copied(
        ListedCopy,
        copy,
        kind="version" if copy.is_version else "backup",
        written=time_text(copy.written),
        **{name: getattr(copy.meta, name, None) for name in _OF_BACKUPS},
    )


def _object(tracked: TrackedObject) -> RestoreObject:
    return copied(RestoreObject, tracked, type=tracked.identity.kind)


def _lease(lease: LeaseRecord, *, expired: bool) -> LeaseEntry:
    return copied(
        LeaseEntry,
        lease,
        host=lease.process.host,
        pid=lease.process.pid,
        since=time_text(lease.since),
        expired=expired,
    )
