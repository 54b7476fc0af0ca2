"""The journal of one shard in one run: written before and after each step, read when the run died.

    <cache>/runs/<run>/<shard>.jsonl               on this machine, forced to disk (see _REDONE)
    _holdfast/runs/<run>/journal/<shard>/<seq>.json   in the bucket; <seq> is the first entry of the object
    <cache>/runs/<run>/<shard>.jsonl.superseded    what this machine had not told when another one carried on

A shard has a chain of its own so that shards never wait for each other, wherever they run. Entries go to
the bucket in order, behind the work's back, as many at a time as have come together (those of _REDONE wait a
second for company); before a step that changes something, the work waits until its entry lies there, so that
any machine can tell what a dead one may have done.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from threading import Condition, Lock
from typing import Any, Self

from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError
from holdfast_orchestrator.lifecycle import WRITING, Phase, is_begun_anew
from holdfast_orchestrator.record.journal.crash_points import CrashPoint, crash_point
from holdfast_orchestrator.record.journal.entry import (
    Edge,
    Entry,
    EntryDraft,
    JournalName,
    chained,
    look_first,
    next_entry,
)
from holdfast_orchestrator.record.journal.local_file import JournalFile
from holdfast_orchestrator.state.object_store import (
    ListedReader,
    ListedStore,
    ObjectExistsError,
    ObjectListing,
    ObjectStore,
)
from holdfast_orchestrator.state_key import file_name
from holdfast_orchestrator.system.runtime import Clock, Runtime
from holdfast_orchestrator.system.workers import Worker, WorkerPool, start_helper

_READERS = 8
_PATIENCE_SECONDS = 1.0
# Nothing is changed in these, and whoever finds them unwritten does them again. A killed process loses none
# of their entries; only a machine that goes down may, and never those before a step that changes something.
_REDONE = frozenset({
    Phase.PREPARED,
    Phase.SETTLE,
    Phase.VERIFY,
})  # fmt: skip
# How health was is asked again, and a promotion is told by the record of what is good.
_REDONE_ONCE_ENDED = frozenset({Phase.HEALTH, Phase.PROMOTED})
# After these nothing is left to do for the shard.
_ENDS = frozenset({Phase.PROMOTED, Phase.ROLLED_BACK, Phase.KEPT, Phase.HELD})


@dataclass(kw_only=True)
class Journal:
    """An open journal. Safe between threads; made by `begin`, `begin_anew` or `resume`."""

    name: JournalName
    file: JournalFile
    mirror: "Mirror"
    clock: Clock
    crash: CrashPoint | None
    entries: tuple[Entry, ...] = ()
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def begin(cls, name: JournalName, *, runtime: Runtime, store: ListedStore) -> Self:
        """Open the journal of a new run. Raises HoldfastError where one was begun before."""
        journal = cls._open(name, runtime, store)
        if journal.file.size:
            journal.close()
            raise _begun_before(name)
        return journal

    @classmethod
    def begin_anew(cls, name: JournalName, *, runtime: Runtime, store: ListedStore) -> Self:
        """Open the journal of a run that another process may have begun, and carry its chain on.

        Raises HoldfastError where that one may have changed something, and as `resume` does.
        """
        journal = cls.resume(name, runtime=runtime, store=store)
        if journal.last is not None and not is_begun_anew(journal.last.phase):
            journal.close()
            raise _begun_before(name)
        return journal

    @classmethod
    def resume(cls, name: JournalName, *, runtime: Runtime, store: ListedStore) -> Self:
        """Open the journal of a run that died, wherever that was.

        What only the bucket has is written here, and the other way round. Where another machine carried the
        run on without what this one knew last, the bucket is right: nothing was begun here that is not told
        there. Raises NeedsPersonError where something was, or where a chain is broken.
        """
        journal = cls._open(name, runtime, store)
        here, there = chained(name, journal.file.lines()), read_journal(store, name)
        common = sum(1 for _ in takewhile(_is_same, zip(here, there, strict=False)))
        if common < min(len(here), len(there)):
            if _has_begun_something(here[common:]):
                journal.close()
                raise NeedsPersonError(
                    f"the journal of shard {name.shard} in run {name.run} on this machine is not the one in "
                    "the bucket: two processes carried the run on",
                    next_step=look_first(name.shard),
                )
            journal.file.set_aside_after(common)
            here = here[:common]
        for entry in there[len(here) :]:
            journal.file.append(entry.line)
        for entry in here[len(there) :]:
            journal.mirror.push(entry)
        journal.entries = max(here, there, key=len)
        return journal

    @classmethod
    def _open(cls, name: JournalName, runtime: Runtime, store: ListedStore) -> Self:
        path = runtime.cache / "runs" / name.run / f"{file_name(name.shard)}.jsonl"
        return cls(
            name=name,
            file=JournalFile.open(path),
            mirror=Mirror(store, name),
            clock=runtime.clock,
            crash=crash_point(runtime.environ),
        )

    @property
    def last(self) -> Entry | None:
        """The entry written last."""
        return self.entries[-1] if self.entries else None

    def append(self, phase: Phase, edge: Edge, *, epoch: int, data: Mapping[str, Any] | None = None) -> Entry:
        """Write an entry; before a phase that changes something, wait until it lies in the bucket too.

        Raises HoldfastError where it cannot be written here, StateBucketError where it had to lie in the
        bucket and does not, NeedsPersonError where another process carries this run on.
        """
        with self._lock:
            draft = EntryDraft(epoch=epoch, phase=phase, edge=edge, at=self.clock.now(), data=data or {})
            entry = next_entry(self.name, self.last, draft)
            redone = _is_redone(phase, edge)
            self.file.append(entry.line, force=not redone)
            self.entries = (*self.entries, entry)
            awaited = edge == "before" and phase in WRITING
            if awaited:
                self.mirror.put(entry)
            else:
                self.mirror.push(entry, patient=redone)
        if awaited:
            self.flush()
        if self.crash is not None:
            self.crash.reached(phase, edge, self.name.shard)
        return entry

    def flush(self) -> None:
        """Return when every entry lies in the bucket. Raises what keeps them from it."""
        self.mirror.flush()

    def close(self) -> None:
        """Flush and close. Raises as `flush` does, after closing."""
        try:
            self.flush()
            if self.last is not None and self.last.phase in _ENDS and self.last.edge == "after":
                self.file.mark_ended()
        finally:
            self.mirror.close()
            self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()


class Mirror:
    """Writes entries to the bucket in the background, in order.

    What waits goes as one object: a request of its own for each entry is what a journal would cost most.
    """

    def __init__(self, store: ObjectStore, name: JournalName) -> None:
        self._store = store
        self._name = name
        self._waiting: deque[Entry] = deque()
        self._carrying = Lock()
        self._changed = Condition()
        self._has_news = self._is_urgent = self._is_closed = False
        self._thread: Worker | None = None

    def push(self, entry: Entry, *, patient: bool = False) -> None:
        """Hand over an entry; a `patient` one may wait a second for others.

        One that fails stays first in the queue for the next attempt.
        """
        self._waiting.append(entry)
        with self._changed:
            self._has_news = True
            self._is_urgent |= not patient
            self._changed.notify()
        if self._thread is None:
            self._thread = start_helper(self._work, name="journal")

    def put(self, entry: Entry) -> None:
        """Hand over an entry without starting a thread; the caller flushes at once."""
        self._waiting.append(entry)

    def flush(self) -> None:
        """Return when nothing waits. Raises StateBucketError or NeedsPersonError where something must."""
        with self._carrying:
            while waiting := len(self._waiting):
                # Others add at the end meanwhile; only who carries takes away.
                for _ in range(self._carried([self._waiting[place] for place in range(waiting)])):
                    self._waiting.popleft()

    def close(self) -> None:
        """Stop; what still waits is on this machine only."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while self._is_due():
            # What keeps them from it is told to whoever has to have them there.
            with suppress(HoldfastError):
                self.flush()

    def _is_due(self) -> bool:
        """Wait until there is something to write; False once the mirror is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_news or self._is_closed)
            self._changed.wait_for(lambda: self._is_urgent or self._is_closed, _PATIENCE_SECONDS)
            self._has_news = self._is_urgent = False
            return not self._is_closed

    def _carried(self, entries: Sequence[Entry]) -> int:
        """Write the entries; return how many lie there: fewer where an answer was lost and more came."""
        first, body = entries[0], b"".join(entry.line + b"\n" for entry in entries)
        key = self._name.key(first.seq)
        try:
            self._store.create(key, body)
        except ObjectExistsError:
            stored = self._store.get(key)
            if stored is None or not stored.body or not body.startswith(stored.body):
                raise NeedsPersonError(
                    f"entry {first.seq} of shard {self._name.shard} in run {self._name.run} was written by "
                    "another process, which carries this run on",
                    next_step=f"leave it to that process: holdfast show {self._name.run}",
                ) from None
            return stored.body.count(b"\n")
        return len(entries)


def read_journal(store: ListedReader, name: JournalName) -> tuple[Entry, ...]:
    """Read a journal from the bucket alone. Raises NeedsPersonError where its chain is broken."""
    keys = [head.key for head in store.list(name.prefix)]
    with WorkerPool(_READERS) as readers:
        objects = list(readers.map(store.get, keys))
    bodies = (stored.body for stored in objects if stored is not None)
    return chained(name, [line for body in bodies for line in body.removesuffix(b"\n").split(b"\n")])


def journalled_shards(store: ObjectListing, run: str) -> tuple[str, ...]:
    """Return the names of the shards a run has journals of."""
    return tuple(store.folders(f"_holdfast/runs/{run}/journal/"))


def _begun_before(name: JournalName) -> HoldfastError:
    return HoldfastError(
        f"there is a journal of run {name.run} already", next_step=f"holdfast resume {name.run}"
    )


def _is_same(entries: tuple[Entry, Entry]) -> bool:
    mine, theirs = entries
    return mine.line == theirs.line


def _has_begun_something(entries: Sequence[Entry]) -> bool:
    """Say whether entries follow one that had to lie in the bucket first."""
    return any(entry.edge == "before" and entry.phase in WRITING for entry in entries[:-1])


def _is_redone(phase: Phase, edge: Edge) -> bool:
    return phase in _REDONE or (edge == "after" and phase in _REDONE_ONCE_ENDED)
