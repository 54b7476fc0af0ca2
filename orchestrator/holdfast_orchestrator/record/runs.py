"""One record per run: begun by whom, from where, with what, and how it ended.

    _holdfast/runs/<run>/run.json

Names of runs sort by time (ULID), so the newest are found by asking for names after a moment, not by
listing them all. A record that never got its end is a run that still works or has died; its journals and
its shards' leases tell which.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError, UsageError
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.run_id import encoded
from holdfast_orchestrator.state.exact_writes import create_once
from holdfast_orchestrator.state.json_object import dump
from holdfast_orchestrator.state.object_store import (
    ListedReader,
    ObjectExistsError,
    ObjectListing,
    ObjectReader,
    ObjectStore,
    StoredObject,
)
from holdfast_orchestrator.state.record_format import Format, Moment
from holdfast_orchestrator.system.workers import WorkerPool

RUNS = "_holdfast/runs/"
RUNNING = "running"

_RUN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_READERS = 8
# Looked through one after another, each only where the one before held too few.
_WINDOWS = (timedelta(days=1), timedelta(days=8), timedelta(days=64))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run.

    `status` is "running", or how the run ended: the gravest outcome of its shards, or "interrupted".
    `shards` are names in dependency order, `outcomes` and `seconds` by shard name. `command` is the
    command line without secrets.
    """

    run: str
    status: str = RUNNING
    environments: tuple[str, ...]
    started: Moment
    ended: Moment | None = None
    actor: Actor
    git: str | None = None
    command: str
    shards: tuple[str, ...]
    outcomes: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """The environments, joined by commas."""
        return ",".join(self.environments)

    @property
    def verb(self) -> str:
        """What it was to do (deploy, destroy, rollback), as its command says; deploy where there is none."""
        words = self.command.split()
        return words[1] if len(words) > 1 else "deploy"

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON; `run`, `status`, `environment` and `started` are relied upon."""
        return {**FORMAT.to_json(self), "environment": self.environment}


FORMAT = Format[RunRecord]("holdfast/run/v1", RunRecord)


def checked_run(text: str) -> str:
    """Return the name of a run in upper case. Raises UsageError where it cannot be one."""
    if _RUN.fullmatch(text.upper()) is None:
        raise UsageError(
            f"a run is named by 26 letters and digits, got {text!r}", next_step="to see them: holdfast runs"
        )
    return text.upper()


def begin_run(store: ObjectStore, record: RunRecord) -> None:
    """Write that a run begins. Raises HoldfastError where another run has its name."""
    body = dump(FORMAT.schema, record.to_json())
    if not create_once(store, _key(record.run), body):
        raise HoldfastError(f"there is a run {record.run} already", next_step=f"holdfast show {record.run}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ended: its status, and the outcome and the seconds of its shards, by name."""

    status: str
    ended: datetime
    outcomes: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


def end_run(store: ObjectStore, run: str, end: RunEnd) -> RunRecord:
    """Write how a run ended; returns the whole record. A run that was resumed ends again.

    Raises NeedsPersonError where nothing says that it began.
    """
    while True:
        stored = store.get(_key(run))
        if stored is None:
            raise NeedsPersonError(f"there is no record of run {run}", next_step="holdfast runs")
        begun = _read(stored)
        record = replace(
            begun,
            status=end.status,
            ended=end.ended,
            outcomes={**begun.outcomes, **end.outcomes},
            seconds={**begun.seconds, **end.seconds},
        )
        try:
            store.replace(stored.head.key, dump(FORMAT.schema, record.to_json()), etag=stored.head.etag)
        except ObjectExistsError:
            # Another machine added its own shards' outcomes; ours go on top.
            continue
        return record


def read_run(store: ObjectReader, run: str) -> RunRecord | None:
    """Return the record of a run, None where the bucket knows none."""
    stored = store.get(_key(run))
    return None if stored is None else _read(stored)


def newest_runs(
    store: ListedReader, *, now: datetime, limit: int, environment: str | None = None
) -> tuple[RunRecord, ...]:
    """Return at most `limit` runs, newest first, of one environment where it is named."""
    wanted = (
        record
        for record in _records(store, _newest_names(store, now))
        if environment is None or environment in record.environments
    )
    return tuple(islice(wanted, limit))


def _newest_names(store: ObjectListing, now: datetime) -> Iterator[str]:
    """All names, newest first; older ones are only asked for when the newer have been taken."""
    yielded: set[str] = set()
    for after in (*(_name_at(now - window) for window in _WINDOWS), ""):
        names = [name for name in store.folders(RUNS, after=after) if name not in yielded]
        yielded.update(names)
        yield from sorted(names, reverse=True)


def _name_at(moment: datetime) -> str:
    return encoded(max(0, int(moment.timestamp() * 1000)), 0)


def _records(store: ObjectReader, names: Iterator[str]) -> Iterator[RunRecord]:
    with WorkerPool(_READERS) as readers:
        while some := list(islice(names, _READERS)):
            for stored in readers.map(lambda name: store.get(_key(name)), some):
                if stored is not None:
                    yield _read(stored)


def _key(run: str) -> str:
    return f"{RUNS}{run}/run.json"


def _read(stored: StoredObject) -> RunRecord:
    return FORMAT.read(stored, next_step="the same facts: holdfast audit")
