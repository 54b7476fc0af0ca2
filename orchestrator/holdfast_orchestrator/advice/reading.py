"""The facts of an advice, read: configurations, states, run records, journals, earlier deployments.

Only reads. Records of the past that cannot be read are left out: it would only have made an advice better.
A state that cannot be read is an error.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from holdfast_orchestrator.advice import thresholds as at
from holdfast_orchestrator.advice.decide import advise, reasons_to_split
from holdfast_orchestrator.advice.facts import Advice, ShardFacts, Standing
from holdfast_orchestrator.advice.history import History
from holdfast_orchestrator.advice.inside import inside_of
from holdfast_orchestrator.app.manifest import Manifest, Shard, by_bucket
from holdfast_orchestrator.change_detection.normalize import UnreadableError, differing, normal
from holdfast_orchestrator.change_detection.upstream import outputs_needed
from holdfast_orchestrator.context.tools import Tools, check_buckets
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.journal.entry import Entry, JournalName
from holdfast_orchestrator.record.journal.journal import read_journal
from holdfast_orchestrator.record.last_good import earlier, read_last_good
from holdfast_orchestrator.record.runs import RunRecord, newest_runs
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.stateful_types import Protection

_READERS = 8


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads what there is to know of the shards of an app at the moment `now`."""

    manifest: Manifest
    tools: Tools
    now: datetime

    def advice(self, shards: Sequence[Shard]) -> Advice:
        """Return the advice on these shards; those that were never deployed are left out.

        Raises StateBucketError where a state bucket is missing, NeedsPersonError for a damaged state.
        """
        check_buckets(self.tools, tuple(shards))
        history = History.of(self._records(shards))
        with WorkerPool(_READERS, thread_name_prefix="advice") as readers:
            found = readers.map(lambda shard: self._facts(shard, history), shards)
            facts = [known for known in found if known is not None]
        return advise(facts, history, self.manifest.graph)

    def _records(self, shards: Sequence[Shard]) -> Iterator[RunRecord]:
        for first, *_ in by_bucket(shards):
            yield from newest_runs(self.tools.store(first), now=self.now, limit=at.HISTORY_RUNS)

    def _facts(self, shard: Shard, history: History) -> ShardFacts | None:
        store = self.tools.store(shard)
        snapshot = read_snapshot(store, shard.state.key)
        if snapshot is None or not snapshot.manages_something:
            return None
        known = ShardFacts(
            shard=shard,
            objects=tuple(_standing(snapshot, shard)),
            inside=inside_of(shard),
            plan_seconds=_plan_seconds(store, shard),
            reads=outputs_needed(json.loads(shard.configuration), self.manifest),
        )
        if not reasons_to_split(known, history):
            return known
        return replace(known, changes=tuple(_changes(store, shard)))


def _standing(snapshot: StateSnapshot, shard: Shard) -> Iterator[Standing]:
    protection = Protection(addresses=frozenset(shard.protected))
    for address, resource, instance in managed(snapshot.document):
        kind, attributes = resource["type"], instance.get("attributes") or {}
        yield Standing(
            address=address,
            stateful=protection.covers(address, kind, attributes),
        )


def _plan_seconds(store: DurableStore, shard: Shard) -> float | None:
    """How long the last plan of the last good deployment took, by its journal."""
    try:
        good = read_last_good(store, shard.state.folder)
        journal = () if good is None else read_journal(store, JournalName(good.record.run, shard.name))
    except HoldfastError:
        return None
    return last_plan_seconds(journal)


def last_plan_seconds(journal: Sequence[Entry]) -> float | None:
    """Return how long the last plan in a journal took, None where there is none."""
    took = [
        (after.at - before.at).total_seconds()
        for before, after in pairwise(journal)
        # After an apply the whole shard is planned once more; how long that takes is how long a plan takes.
        if before.phase is after.phase is Phase.VERIFY and (before.edge, after.edge) == ("before", "after")
    ]
    return took[-1] if took else None


def _changes(store: DurableStore, shard: Shard) -> Iterator[frozenset[str]]:
    """The blocks that each of the newest deployments changed against the one before it."""
    try:
        goods = earlier(store, shard.state.folder, limit=at.HISTORY_VERSIONS)
        found = [normal(read_artifact(store, good.artifact).configuration) for good in goods]
    except (HoldfastError, UnreadableError):
        return
    for now, before in pairwise(found):
        if changed := differing(before, now):
            yield frozenset(changed)
