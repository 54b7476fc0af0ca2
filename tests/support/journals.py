"""Journals of one run, and a bucket that is away now and then."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast_orchestrator.errors import StateBucketError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import (
    Edge,
    Entry,
    JournalName,
)
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore, ObjectHead
from holdfast_orchestrator.system.runtime import Runtime

NAME = JournalName("01JD6ZT3V9M2B8Q4K7X5N1C0RG", "orders-prod-eu-west-1")


def write_some(journal: Journal) -> None:
    journal.append(Phase.PREPARED, "before", epoch=3)
    journal.append(Phase.PREPARED, "after", epoch=3, data={"lease": "t"})
    journal.append(Phase.APPLYING, "before", epoch=3, data={"pid": 4711})


def file_of(runtime: Runtime) -> Path:
    return runtime.cache / "runs" / NAME.run / f"{NAME.shard}.jsonl"


def told(entries: tuple[Entry, ...]) -> list[tuple[str, str]]:
    return [(entry.phase.value, entry.edge) for entry in entries]


def elsewhere(runtime: Runtime) -> Runtime:
    return replace(runtime, cache=runtime.cache.with_name("another-machine"))


class Flaky(MemoryStore):
    away = False

    def create(self, key: str, body: bytes) -> ObjectHead:
        if self.away:
            raise StateBucketError("the bucket cannot be reached")
        return super().create(key, body)


def begun(runtime: Runtime, store: DurableStore, *steps: tuple[Phase, Edge]) -> None:
    """A process writes these and dies."""
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        for phase, edge in steps:
            journal.append(phase, edge, epoch=1)


def known_here_alone(runtime: Runtime, phase: Phase, edge: Edge) -> "Flaky":
    """A journal of one entry is on this machine, and not in the bucket it belongs to."""
    store = Flaky()
    journal = Journal.begin(NAME, runtime=runtime, store=store)
    store.away = True
    journal.append(phase, edge, epoch=1)
    with pytest.raises(StateBucketError):
        journal.close()
    store.away = False
    return store
