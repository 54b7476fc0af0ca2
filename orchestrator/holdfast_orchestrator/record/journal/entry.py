"""One line of a journal, and the chain the lines form.

Each line holds the SHA-256 of the line before it; the first holds that of the run's and the shard's name,
so that no line can be moved, left out, changed or brought in from another journal unnoticed.
"""

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.lifecycle import FIRST_NAMES, Phase, phase_named
from holdfast_orchestrator.state.json_object import parse_time, time_text
from holdfast_orchestrator.state.record_format import Format, Moment, copied

SCHEMA = "holdfast/journal/v1"

Edge = Literal["before", "after"]
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: `edge` of `phase` under lease `epoch`; `seq` counts from 1; `line` has its bytes.

    `name` is what the line calls the phase: earlier journals have more names than there are phases.
    """

    seq: int
    prev: str
    epoch: int
    shard: str
    phase: Phase
    name: str
    edge: Edge
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    line: bytes = field(repr=False)

    @property
    def begins(self) -> bool:
        """Whether the shard is begun with this entry, or begun anew."""
        return self.edge == "before" and self.name in FIRST_NAMES

    @property
    def sha256(self) -> str:
        """The digest that the next entry refers to."""
        return hashlib.sha256(self.line).hexdigest()


@dataclass(frozen=True, slots=True)
class JournalName:
    """Names a journal: one shard of one run."""

    run: str
    shard: str

    @property
    def seed(self) -> str:
        """The digest that the first entry refers to."""
        return hashlib.sha256(f"{SCHEMA}\n{self.run}\n{self.shard}".encode()).hexdigest()

    @property
    def prefix(self) -> str:
        """Where its entries lie in the bucket."""
        return f"_holdfast/runs/{self.run}/journal/{self.shard}/"

    def key(self, seq: int) -> str:
        """Return where one entry lies in the bucket."""
        return f"{self.prefix}{seq:08}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """An entry as it is written; `phase` is what the line calls it."""

    seq: int
    prev: str
    run: str
    shard: str
    epoch: int
    phase: str
    edge: Edge
    at: Moment
    data: Mapping[str, Any]


FORMAT = Format[JournalLine](SCHEMA, JournalLine, is_named=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """The content of an entry that has no place in a chain yet."""

    epoch: int
    phase: Phase
    edge: Edge
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


def next_entry(name: JournalName, before: Entry | None, draft: EntryDraft) -> Entry:
    """Return the entry of `draft` that follows `before` (None: the first)."""
    seq, prev = (1, name.seed) if before is None else (before.seq + 1, before.sha256)
    written = copied(
        JournalLine,
        draft,
        seq=seq,
        prev=prev,
        run=name.run,
        shard=name.shard,
        phase=draft.phase.value,
        at=parse_time(time_text(draft.at)),
    )
    return _entry(written, _ENCODE(FORMAT.to_json(written)).encode())


def read_entry(line: bytes) -> Entry:
    """Read a line, without its end. Raises ValueError where it is none."""
    return _entry(FORMAT.parse(line), line)


def _entry(read: JournalLine, line: bytes) -> Entry:
    return copied(Entry, read, phase=phase_named(read.phase), name=read.phase, line=line)


def chained(name: JournalName, lines: Iterable[bytes]) -> tuple[Entry, ...]:
    """Read lines that must form one unbroken chain. Raises NeedsPersonError where they do not."""
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = read_entry(line)
        except ValueError:
            raise _broken(name, number, "it cannot be read") from None
        expected = entries[-1].sha256 if entries else name.seed
        if entry.seq != number or entry.prev != expected:
            raise _broken(name, number, "it does not follow from the one before")
        entries.append(entry)
    return tuple(entries)


def _broken(name: JournalName, number: int, why: str) -> NeedsPersonError:
    return NeedsPersonError(
        f"the journal of shard {name.shard} in run {name.run} was changed: entry {number}: {why}",
        next_step=look_first(name.shard),
    )


def look_first(shard: str) -> str:
    """Return the next step for a shard when nobody can tell any more what a run did to it."""
    name = shlex.quote(shard)
    return (
        "compare its state with what exists before anything is deployed: "
        f"holdfast plan --stack {name} --refresh"
    )
