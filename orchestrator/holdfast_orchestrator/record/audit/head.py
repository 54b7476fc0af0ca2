"""The end of the audit chain: one object that says which record is the last, and holds it whole.

    _holdfast/audit-head.json

A record is added by replacing the head, under a condition, with one that holds the new record; only then
is the record written to its own place. So two writers cannot fork the chain, a writer that dies in
between loses nothing (the next one puts the record where it belongs), and a last record that was deleted
is missed.

The head also remembers how far the chain was on earlier days (`marks`): the bucket's lifecycle removes
old records, and only those before the mark of the retention's first day may be gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Self

from holdfast_orchestrator.record.audit.entry import GENESIS, AuditRecord, read_record
from holdfast_orchestrator.state.object_store import StoredObject
from holdfast_orchestrator.state.record_format import Format, WrittenAs, copied

HEAD = "_holdfast/audit-head.json"

# With 90 days a mark for every day that has records; with seven years one for every 40 days.
_MARKS = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """Before the first record of `day` the chain had `n` records, the last with this digest."""

    day: date
    n: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The last record, the marks (oldest first), and how many days records are kept."""

    last: AuditRecord
    marks: tuple[Mark, ...]
    retention_days: int

    def body(self) -> bytes:
        """Return the object's bytes."""
        return FORMAT.body(self)

    def floor(self, today: date) -> Mark:
        """Return the mark behind which records may have expired: all after it must be there."""
        oldest = today - timedelta(days=self.retention_days)
        kept = [mark for mark in self.marks if mark.day >= oldest]
        if kept:
            return kept[0]
        if date.fromisoformat(self.last.date) >= oldest:
            return Mark(today, self.last.n - 1, self.last.prev)
        return Mark(today, self.last.n, self.last.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    n: int
    sha256: str
    retention_days: int
    marks: tuple[tuple[date, int, str], ...]
    line: str

    @classmethod
    def of(cls, head: AuditHead) -> Self:
        marks = tuple((mark.day, mark.n, mark.sha256) for mark in head.marks)
        return copied(
            cls, head, n=head.last.n, sha256=head.last.sha256, marks=marks, line=head.last.line.decode()
        )

    def value(self) -> AuditHead:
        marks = tuple(Mark(*mark) for mark in self.marks)
        return copied(AuditHead, self, last=read_record(self.line.encode()), marks=marks)


FORMAT = Format[AuditHead](
    "holdfast/audit-head/v1", Annotated[AuditHead, WrittenAs(_Document, _Document.of, _Document.value)]
)


def next_marks(head: AuditHead | None, day: date, retention_days: int) -> tuple[Mark, ...]:
    """Return the marks once a record of `day` has been added to `head` (None: it is the first)."""
    if head is None:
        return (Mark(day, 0, GENESIS),)
    apart = timedelta(days=max(1, retention_days // _MARKS))
    marks = head.marks
    if day - marks[-1].day >= apart:
        marks = (*marks, Mark(day, head.last.n, head.last.sha256))
    return tuple(_still_needed(marks, day - timedelta(days=retention_days) - 2 * apart))


def read_head(stored: StoredObject) -> AuditHead:
    """Read the head. Raises NeedsPersonError where it is damaged."""
    return FORMAT.read(stored, next_step="holdfast audit verify, then put an earlier version back")


def _still_needed(marks: tuple[Mark, ...], oldest: date) -> Iterable[Mark]:
    recent = [mark for mark in marks if mark.day >= oldest]
    return recent or marks[-1:]
