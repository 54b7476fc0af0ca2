"""The JSON documents of `holdfast state`: what `--json` prints, as values."""

import shlex
from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.state.copies import StateCopy
from holdfast_orchestrator.state.json_object import time_text
from holdfast_orchestrator.state.lease_record import LeaseRecord
from holdfast_orchestrator.state.terraform_lock import TerraformLock
from holdfast_orchestrator.state_admin.restore import Restored, RestoreProposal, StatePlace
from holdfast_orchestrator.state_admin.unlock import Held
from holdfast_orchestrator.terraform.identity import TrackedObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCopy:
    """A copy of a state; `name` is what `--backup` takes. Times are ISO 8601, in UTC; sizes in bytes.

    `kind` backup: made before something changed, and `run`, `reason` and so on say what. `kind` version: of
    the state object itself.
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
    """An object that one of the two states knows. `stateful`: no re-creation brings back what it holds."""

    address: str
    type: str
    id: str | None
    stateful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMove:
    """An object the two states know under different addresses."""

    now: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRestoreDocument:
    """`holdfast state restore --json`.

    `orphaned` objects exist and are known to no state afterwards; `resurrected` ones are known again, and
    perhaps do not exist. `condition` is what lay there before. `backup` is where it lies now.
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
    """Terraform's lock on the state; without `readable` its id is that of the object."""

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
    """Return the document for what holds, or held, a shard, and what of it was removed."""
    lease = held.lease
    return StateUnlockDocument(
        shard=held.place.shard,
        lock=None if held.lock is None else _lock(held.lock),
        lease=None if lease is None else _lease(lease.record, expired=lease.has_expired),
        removed=removed,
    )


def _listed(copy: StateCopy) -> ListedCopy:
    meta = copy.meta
    return ListedCopy(
        name=copy.name,
        kind="version" if copy.is_version else "backup",
        written=time_text(copy.written),
        lineage=copy.lineage,
        serial=copy.serial,
        sha256=copy.sha256,
        size=copy.size,
        run=None if meta is None else meta.run,
        reason=None if meta is None else meta.reason,
        actor=None if meta is None else meta.actor,
        git=None if meta is None else meta.git,
        artifact=None if meta is None else meta.artifact,
        engine=None if meta is None else meta.engine,
    )


def _object(known: TrackedObject) -> RestoreObject:
    return RestoreObject(
        address=known.address, type=known.identity.kind, id=known.id, stateful=known.stateful
    )


def _lock(lock: TerraformLock) -> LockEntry:
    return LockEntry(
        id=lock.id,
        readable=lock.readable,
        who=lock.who,
        operation=lock.operation,
        created=lock.created,
        info=lock.info,
    )


def _lease(lease: LeaseRecord, *, expired: bool) -> LeaseEntry:
    return LeaseEntry(
        run=lease.run,
        owner=lease.owner,
        host=lease.process.host,
        pid=lease.process.pid,
        since=time_text(lease.since),
        doing=lease.doing,
        kind=lease.kind,
        expired=expired,
    )
