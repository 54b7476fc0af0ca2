"""The audit trail: records every action once, redacted, in a chain in which a missing record shows.

    _holdfast/audit/date=YYYY-MM-DD/<run>-<n>.jsonl        what Athena and `holdfast audit` read
    _holdfast/audit-raw/date=YYYY-MM-DD/<run>-<n>.txt      output as it was, secrets included; can be off

Records are encrypted by the bucket, never overwritten, and removed by the bucket's lifecycle only
(`audit_table.lifecycle`). `audit_head` says how the chain is kept in one piece.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.audit.entry import (
    AUDIT,
    GENESIS,
    LONGEST_OUTPUT,
    Action,
    AuditRecord,
    read_record,
    write_record,
)
from holdfast_orchestrator.record.audit.head import HEAD, AuditHead, next_marks, read_head
from holdfast_orchestrator.state.exact_writes import create_once, write_once
from holdfast_orchestrator.state.object_store import (
    BucketClock,
    ListedReader,
    ObjectExistsError,
    ObjectHead,
    ObjectStore,
)
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Clock
from holdfast_orchestrator.system.workers import WorkerPool

RAW = "_holdfast/audit-raw/"
RETENTION_DAYS = 90

_READERS = 8
# The bucket's day is taken from its last answer.
_FRESH_SECONDS = 60.0


class AuditStore(ObjectStore, BucketClock, Protocol):
    """What a trail is written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """How long records are kept, in days, and whether unredacted output is kept too."""

    retention_days: int = RETENTION_DAYS
    raw: bool = True


@dataclass(frozen=True, slots=True)
class _ChainEnd:
    """The head as this process last wrote or read it; `at` is the monotonic clock's time then."""

    head: AuditHead
    stored: ObjectHead
    at: float


class AuditTrail:
    """Adds records to one bucket's trail. Safe between threads, processes and machines."""

    def __init__(
        self,
        store: AuditStore,
        *,
        clock: Clock,
        redactor: Redactor,
        settings: AuditSettings | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._redactor = redactor
        self._settings = settings or AuditSettings()
        self._lock = threading.Lock()
        self._chain_end: _ChainEnd | None = None
        self.retention_is_new = False
        """Whether this trail began the bucket's, or changed its retention: set its lifecycle then."""

    def look(self) -> None:
        """Find the end of the chain, for an `add` within the next minute. Raises HoldfastError."""
        with self._lock:
            self._chain_end = self._read()

    def add(self, action: Action, *, raw: str | None = None) -> AuditRecord:
        """Record an action; returns its first record. `raw` is the output as it was.

        What the redactor knows or recognises is taken out before anything is written, `raw` excepted.
        """
        first, *further = self._documents(action)
        with self._lock, WorkerPool(1, thread_name_prefix="audit") as writer:
            record = self._chained(first)
            unredacted = None
            if raw is not None and self._settings.raw:
                unredacted = writer.submit(create_once, self._store, raw_key(record), raw.encode())
            self._place(record)
            for document in further:
                self._place(self._chained(document))
            if unredacted is not None:
                unredacted.result()
        return record

    def _documents(self, action: Action) -> Iterator[Mapping[str, Any]]:
        """The action as JSON, redacted as a whole and then cut where it is too long for one line."""
        whole = self._redactor.value(action.to_json())
        output = whole["output"]
        pieces = [
            output[start : start + LONGEST_OUTPUT] for start in range(0, len(output), LONGEST_OUTPUT)
        ] or [""]
        for part, piece in enumerate(pieces, start=1):
            # Two runs may record the very same action; it must be clear whose record became the last.
            yield {**whole, "id": secrets.token_hex(8), "output": piece, "part": part, "parts": len(pieces)}

    def _chained(self, document: Mapping[str, Any]) -> AuditRecord:
        """Add a record to the chain by writing it into the head; its own object is written afterwards."""
        chain_end = self._fresh() or self._read()
        while True:
            asked_at = self._clock.monotonic()
            head = self._next(None if chain_end is None else chain_end.head, document, self._today(chain_end))
            etag = None if chain_end is None else chain_end.stored.etag
            try:
                stored = write_once(self._store, HEAD, head.body(), etag=etag)
            except ObjectExistsError:
                chain_end = self._read()
                continue
            self._chain_end = _ChainEnd(head, stored, asked_at)
            return head.last

    def _next(self, head: AuditHead | None, document: Mapping[str, Any], today: date) -> AuditHead:
        record = write_record(
            document,
            n=1 if head is None else head.last.n + 1,
            prev=GENESIS if head is None else head.last.sha256,
            date=today.isoformat(),
        )
        days = self._settings.retention_days
        self.retention_is_new |= head is None or head.retention_days != days
        return AuditHead(last=record, marks=next_marks(head, today, days), retention_days=days)

    def _today(self, chain_end: _ChainEnd | None) -> date:
        """Return the bucket's day: with a runner's wrong clock, records would expire too early."""
        served = None if chain_end is None else chain_end.stored.served
        today = (served or self._store.now()).date()
        return today if chain_end is None else max(today, date.fromisoformat(chain_end.head.last.date))

    def _fresh(self) -> _ChainEnd | None:
        if self._chain_end is None or self._clock.monotonic() - self._chain_end.at > _FRESH_SECONDS:
            return None
        return self._chain_end

    def _read(self) -> _ChainEnd | None:
        asked_at = self._clock.monotonic()
        stored = self._store.get(HEAD)
        if stored is None:
            return None
        chain_end = _ChainEnd(read_head(stored), stored.head, asked_at)
        # The writer may have died before the record lay in its place. One that was changed there is
        # for `verify` to find, not for this to repair.
        if self._store.head(chain_end.head.last.key) is None:
            create_once(self._store, chain_end.head.last.key, chain_end.head.last.body)
        return chain_end

    def _place(self, record: AuditRecord) -> None:
        create_once(self._store, record.key, record.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Selects records; without any value it takes all of them. `since` and `until` are days, both included.

    `actor` is a part of the name or ARN, whatever its case; the others must be equal.
    """

    since: date | None = None
    until: date | None = None
    service: str | None = None
    environment: str | None = None
    actor: str | None = None
    outcome: str | None = None
    action: str | None = None
    run: str | None = None

    def takes_day(self, day: date) -> bool:
        """Whether records of this day are asked for."""
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)

    def takes(self, action: Action) -> bool:
        """Whether this action is asked for."""
        names = f"{action.actor} {action.aws or ''}".casefold()
        return (
            (self.service is None or self.service in action.services)
            and (self.environment is None or self.environment in action.environments)
            and (self.actor is None or self.actor.casefold() in names)
            and (self.outcome is None or self.outcome in (action.outcome, *action.outcomes.values()))
            and self.action in (None, action.action)
            and self.run in (None, action.run)
        )


def read_audit(
    store: ListedReader, wanted: AuditFilter, *, limit: int | None = None
) -> Iterator[AuditRecord]:
    """Yield records, newest first, at most `limit`; long output is put together again.

    Raises HoldfastError for a record that cannot be read.
    """
    left = limit
    for day in sorted(store.folders(AUDIT), reverse=True):
        if not wanted.takes_day(date.fromisoformat(day.removeprefix("date="))):
            continue
        for record in reversed(_joined(read_objects(store, f"{AUDIT}{day}/"))):
            if left == 0:
                return
            if wanted.takes(record.action):
                left = None if left is None else left - 1
                yield record


def read_objects(store: ListedReader, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yield the key and the bytes of everything below `prefix`, by key."""
    with WorkerPool(_READERS) as readers:
        keys = [head.key for head in store.list(prefix)]
        for key, stored in zip(keys, readers.map(store.get, keys), strict=True):
            if stored is not None:
                yield key, stored.body


def raw_key(record: AuditRecord) -> str:
    """Return where the unredacted output of an action lies."""
    return f"{RAW}date={record.date}/{record.action.run}-{record.n:010}.txt"


def _joined(objects: Iterator[tuple[str, bytes]]) -> list[AuditRecord]:
    """The records in the order of the chain, further parts added to the first."""
    joined: list[AuditRecord] = []
    for record in sorted((_readable(key, body) for key, body in objects), key=lambda record: record.n):
        if record.action.part > 1 and joined and joined[-1].action.run == record.action.run:
            whole = joined[-1].action.output + record.action.output
            joined[-1] = replace(joined[-1], action=replace(joined[-1].action, output=whole))
        else:
            joined.append(record)
    return joined


def _readable(key: str, body: bytes) -> AuditRecord:
    try:
        return read_record(body.removesuffix(b"\n"))
    except ValueError as error:
        raise HoldfastError(
            f"the audit record at {key} cannot be read: {error}", next_step="holdfast audit verify"
        ) from None
