"""Is the audit trail whole? Every record is read and held against the chain, from its end backwards.

Found are records deleted (the last one too, and the head itself), changed, put in another's place, and
objects that do not belong there. A trail that was deleted whole, its head too, is found by the runs: each
that has ended and is within the retention must have a record. Records older than the
retention may be gone, one by one and in any order, as the bucket's lifecycle removes them; those that are
still there must fit all the same.

What this cannot see: somebody who may write everything and rewrites the head and all records after
the change. Keep the bucket's versions, or Object Lock, for that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

from holdfast_orchestrator.record.audit.entry import AUDIT, AuditRecord, read_record
from holdfast_orchestrator.record.audit.head import HEAD, AuditHead, read_head
from holdfast_orchestrator.record.audit.trail import RETENTION_DAYS, read_objects
from holdfast_orchestrator.record.runs import RUNS, newest_runs
from holdfast_orchestrator.state.object_store import BucketClock, ListedReader
from holdfast_orchestrator.system.runtime import Clock

_NUMBER = re.compile(r"-(\d{10})\.jsonl\Z")
# A writer may be between the head and the record; both are written within moments.
_ATTEMPTS = 3
_PAUSE_SECONDS = 1.0
_MOST_RUNS = 1_000_000


class _Trail(ListedReader, BucketClock, Protocol):
    """A bucket with a trail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: the record's number `n` (None: unknown), the key it lies at or should, and what is wrong."""

    kind: Literal["deleted", "changed", "moved", "foreign"]
    n: int | None
    key: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Result of a check: the number of records, the first and last number, and the findings."""

    records: int
    first: int | None
    last: int | None
    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return not self.findings


def verify_audit(store: _Trail, *, clock: Clock) -> Verification:
    """Check the whole trail. Raises NeedsPersonError where its head cannot be read."""
    verification = _verified(store)
    for _ in range(_ATTEMPTS - 1):
        if verification:
            break
        clock.sleep(_PAUSE_SECONDS)
        verification = _verified(store)
    return verification


def _verified(store: _Trail) -> Verification:
    placed = _Placed.of(read_objects(store, AUDIT))
    # After the records: every record that was there is in a head read later.
    stored = store.get(HEAD)
    numbers = sorted(placed.records)
    findings = [*placed.findings, *_untold(store, placed, None if stored is None else read_head(stored))]
    if stored is not None:
        findings += _against(read_head(stored), placed, store.now().date())
    elif numbers:
        findings.append(Finding(kind="deleted", n=None, key=HEAD, what="the end of the chain is gone"))
    return Verification(
        records=len(numbers),
        first=numbers[0] if numbers else None,
        last=numbers[-1] if numbers else None,
        findings=tuple(sorted(findings, key=lambda finding: (finding.n or 0, finding.key))),
    )


def _untold(store: _Trail, placed: "_Placed", head: AuditHead | None) -> Iterator[Finding]:
    """Yield a finding for each run that has ended and has no record."""
    days = RETENTION_DAYS if head is None else head.retention_days
    # The bucket's lifecycle may be a day ahead of us.
    since = store.now() - timedelta(days=days - 1)
    recorded_runs = {record.action.run for record in placed.records.values()}
    # The head holds the last record whole, and a writer may just be putting it to its place.
    recorded_runs |= set() if head is None else {head.last.action.run}
    for run in newest_runs(store, now=store.now(), limit=_MOST_RUNS):
        if run.started < since:
            return
        if run.ended is not None and run.run not in recorded_runs:
            what = f"no record tells of run {run.run}, which ended on {run.ended:%d %b %Y}"
            yield Finding(kind="deleted", n=None, key=f"{RUNS}{run.run}/run.json", what=what)


@dataclass(frozen=True, slots=True)
class _Placed:
    """The readable records by number, and what is wrong with objects by themselves."""

    records: dict[int, AuditRecord]
    findings: tuple[Finding, ...]
    damaged: frozenset[int]

    @classmethod
    def of(cls, objects: Iterator[tuple[str, bytes]]) -> "_Placed":
        records: dict[int, AuditRecord] = {}
        findings = []
        damaged = set()
        for key, body in objects:
            record = _read(body)
            problem = _problem(key, record, records)
            if problem is not None:
                findings.append(problem)
                damaged |= {problem.n} if problem.n is not None else set()
            if record is not None:
                records.setdefault(record.n, record)
        return cls(records, tuple(findings), frozenset(damaged))


def _read(body: bytes) -> AuditRecord | None:
    if not body.endswith(b"\n") or body.count(b"\n") != 1:
        return None
    try:
        return read_record(body[:-1])
    except ValueError:
        return None


def _problem(key: str, record: AuditRecord | None, placed_before: dict[int, AuditRecord]) -> Finding | None:
    named = _NUMBER.search(key)
    n = int(named[1]) if named else None
    if record is None:
        what = "is no audit record" if n is None else "cannot be read any more"
        return Finding(kind="foreign" if n is None else "changed", n=n, key=key, what=what)
    if record.key != key:
        return Finding(kind="moved", n=n, key=key, what=f"holds record {record.n}, which belongs elsewhere")
    if record.n in placed_before:
        return Finding(kind="foreign", n=n, key=key, what="is a second record of that number")
    return None


def _against(head: AuditHead, placed: _Placed, today: date) -> Iterator[Finding]:
    marks = {mark.n: mark.sha256 for mark in head.marks}
    floor = head.floor(today)
    expected: str | None = head.last.sha256
    lowest = min((*placed.records, floor.n + 1))
    for n in range(head.last.n, lowest - 1, -1):
        record = placed.records.get(n)
        if record is None:
            if n > floor.n and n not in placed.damaged:
                yield _missing(n, head)
            expected = marks.get(n - 1)
            continue
        if expected is not None and record.sha256 != expected:
            yield Finding(
                kind="changed", n=n, key=record.key, what="is not what the record after it refers to"
            )
        expected = marks.get(n - 1, record.prev)
    for n in sorted(n for n in placed.records if n > head.last.n):
        key = placed.records[n].key
        yield Finding(kind="foreign", n=n, key=key, what=f"comes after the end of the chain ({head.last.n})")


def _missing(n: int, head: AuditHead) -> Finding:
    if n == head.last.n:
        return Finding(
            kind="deleted",
            n=n,
            key=head.last.key,
            what="the last record is gone (the next action restores it)",
        )
    return Finding(kind="deleted", n=n, key=f"{AUDIT}…-{n:010}.jsonl", what="is gone before its time")
