"""The backups of a shard: each a state as it was, and beside it what is known of it.

    _holdfast/backups/<state folder>/<lineage>/<serial>-<sha256>.json        the state, byte for byte
    _holdfast/backups/<state folder>/<lineage>/<serial>-<sha256>.meta.json   who, when, before what, of what

`written` is when that state became the newest, by the bucket's clock: the state at a moment is the one
written last before it. A backup whose description is missing (its writer died in between) is still a
backup; its own age counts then.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.state.exact_writes import create_once, write_and_read_back
from holdfast_orchestrator.state.object_store import (
    ListedReader,
    ObjectHead,
    ObjectListing,
    ObjectStore,
    StoredObject,
)
from holdfast_orchestrator.state.record_format import Format, Moment, copied
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.system.workers import WorkerPool

BACKUPS = "_holdfast/backups"

_NAME = re.compile(r"(?P<lineage>[^/]+)/(?P<serial>\d+)-(?P<sha256>[0-9a-f]{64})\.json")
_READERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMeta:
    """What is known of a backup beside its bytes.

    `reason` is a clause such as "before apply". `actor` is a name for people; `artifact` the SHA-256 of
    what was about to be deployed, `plan_sha256` that of the plan file; `engine` "terraform 1.11.4" or alike.
    """

    run: str
    reason: str
    at: Moment
    written: Moment
    actor: str
    git: str | None = None
    artifact: str | None = None
    plan_sha256: str | None = None
    engine: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupDescription(BackupMeta):
    """What lies beside a backup: what is known of it, and which state it is, for people who read it there."""

    lineage: str
    serial: int
    sha256: str
    size: int


FORMAT = Format[BackupDescription]("holdfast/backup/v1", BackupDescription)
_META = Format[BackupMeta](FORMAT.schema, BackupMeta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One backup: where it lies, which state it holds, and what is known of it."""

    key: str
    etag: str
    lineage: str
    serial: int
    sha256: str
    size: int
    written: datetime
    meta: BackupMeta | None

    @property
    def meta_key(self) -> str:
        """Where its description lies."""
        return meta_key(self.key)


def meta_key(backup: str) -> str:
    """Return where the description of the backup at this key lies."""
    return f"{backup.removesuffix('.json')}.meta.json"


def keep_backup(
    store: ObjectStore, snapshot: StateSnapshot, meta: BackupMeta, *, copies: Sequence[ObjectStore] = ()
) -> str:
    """Back a state up, in every bucket given, and return the backup's key.

    The state itself is read back and compared in each. The first description of a state stays: it says
    when that state was left behind first. Raises HoldfastError where a copy is not what was written.
    """
    places = (store, *copies)
    state = {**snapshot.recorded.to_json(), "size": len(snapshot.body)}
    body = FORMAT.body(copied(BackupDescription, meta, **state))
    with WorkerPool(2 * len(places), thread_name_prefix="write") as writers:
        descriptions = [
            writers.submit(create_once, place, meta_key(backup_key(snapshot)), body) for place in places
        ]
        backups = [writers.submit(back_up, place, snapshot) for place in places]
        key, *_ = [write.result() for write in backups]
        for write in descriptions:
            write.result()
    return key


def list_backups(store: ListedReader, folder: str) -> tuple[Backup, ...]:
    """Return the backups of the shard with this state folder, the newest state first."""
    prefix = f"{BACKUPS}/{folder}/"
    heads = {head.key: head for head in store.list(prefix)}
    states = {key: match for key in heads if (match := _NAME.fullmatch(key.removeprefix(prefix)))}
    with WorkerPool(_READERS) as readers:
        described = readers.map(store.get, [meta_key(key) for key in states])
        backups = [
            _backup(heads[key], match, meta)
            for (key, match), meta in zip(states.items(), described, strict=True)
        ]
    return tuple(sorted(backups, key=lambda backup: (backup.written, backup.serial), reverse=True))


def count_backups(store: ObjectListing, folder: str) -> int:
    """Return how many backups the shard with this state folder has."""
    prefix = f"{BACKUPS}/{folder}/"
    return sum(_NAME.fullmatch(head.key.removeprefix(prefix)) is not None for head in store.list(prefix))


def _backup(head: ObjectHead, match: re.Match[str], described: StoredObject | None) -> Backup:
    meta = None if described is None else _META.read(described, next_step="delete that object")
    if meta is None and head.modified is None:
        raise HoldfastError(f"the bucket does not say how old {head.key} is")
    return Backup(
        key=head.key,
        etag=head.etag,
        lineage=match["lineage"],
        serial=int(match["serial"]),
        sha256=match["sha256"],
        size=head.size,
        written=meta.written if meta is not None else head.modified or datetime.max.replace(tzinfo=UTC),
        meta=meta,
    )


def backup_key(snapshot: StateSnapshot) -> str:
    """Return where the backup of a state lies in its bucket."""
    folder = snapshot.key.rpartition("/")[0]
    return f"{BACKUPS}/{folder}/{snapshot.lineage}/{snapshot.serial}-{snapshot.sha256}.json"


def back_up(store: ObjectStore, snapshot: StateSnapshot) -> str:
    """Copy the state aside and return the copy's key.

    Raises HoldfastError where the copy cannot be read back as it was written.
    """
    key = backup_key(snapshot)
    # One that is there already is compared like a fresh one.
    if write_and_read_back(store, key, snapshot.body, etag=None) is None:
        raise HoldfastError(
            f"the backup at {key} is not what was written there; nothing was applied",
            next_step="delete that object and deploy again",
        )
    return key
