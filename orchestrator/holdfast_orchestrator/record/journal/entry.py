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
from typing import Any, Literal, cast

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.lifecycle import FIRST_NAMES, Phase, phase_named
from holdfast_orchestrator.state.json_object import parse_time, time_text

SCHEMA = "holdfast/journal/v1"

Edge = Literal["before", "after"]
_EDGES = ("before", "after")
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record: `edge` of `phase` under lease `epoch`; `seq` counts from 1; `line` is it as written.

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
        """What the next entry refers to."""
        return hashlib.sha256(self.line).hexdigest()


@dataclass(frozen=True, slots=True)
class JournalName:
    """Whose journal: one shard of one run."""

    run: str
    shard: str

    @property
    def seed(self) -> str:
        """What the first entry refers to."""
        return hashlib.sha256(f"{SCHEMA}\n{self.run}\n{self.shard}".encode()).hexdigest()

    @property
    def prefix(self) -> str:
        """Where its entries lie in the bucket."""
        return f"_holdfast/runs/{self.run}/journal/{self.shard}/"

    def key(self, seq: int) -> str:
        """Return where one entry lies in the bucket."""
        return f"{self.prefix}{seq:08}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """What an entry is to say, before it has its place in a chain."""

    epoch: int
    phase: Phase
    edge: Edge
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


def next_entry(name: JournalName, before: Entry | None, draft: EntryDraft) -> Entry:
    """Return the entry of `draft` that follows `before` (None: the first)."""
    seq, prev = (1, name.seed) if before is None else (before.seq + 1, before.sha256)
    written = time_text(draft.at)
    fields = {
        "seq": seq,
        "prev": prev,
        "run": name.run,
        "shard": name.shard,
        "epoch": draft.epoch,
        "phase": draft.phase.value,
        "edge": draft.edge,
        "at": written,
        "data": draft.data,
    }
    return Entry(
        seq=seq,
        prev=prev,
        epoch=draft.epoch,
        shard=name.shard,
        phase=draft.phase,
        name=draft.phase.value,
        edge=draft.edge,
        at=parse_time(written),
        data=draft.data,
        line=_ENCODE(fields).encode(),
    )


def read_entry(line: bytes) -> Entry:
    """Read a line, without its end. Raises ValueError, KeyError or TypeError where it is none."""
    document = json.loads(line)
    if document["edge"] not in _EDGES:
        raise ValueError(document["edge"])
    return Entry(
        seq=int(document["seq"]),
        prev=document["prev"],
        epoch=int(document["epoch"]),
        shard=document["shard"],
        phase=phase_named(document["phase"]),
        name=document["phase"],
        edge=cast("Edge", document["edge"]),
        at=parse_time(document["at"]),
        data=document["data"],
        line=line,
    )


def chained(name: JournalName, lines: Iterable[bytes]) -> tuple[Entry, ...]:
    """Read lines that must form one unbroken chain. Raises NeedsPersonError where they do not."""
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = read_entry(line)
        except (ValueError, KeyError, TypeError):
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
    """Return what to do about a shard where it cannot be told any more what a run did to it."""
    name = shlex.quote(shard)
    return (
        "compare its state with what exists before anything is deployed: "
        f"holdfast plan --stack {name} --refresh"
    )
