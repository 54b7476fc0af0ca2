"""Refuses decisions about addresses that no shard of the run knows.

A shell takes the quotes off `aws_sqs_queue.q["a"]`. A rollback that paid no heed to the address which is
left would destroy the very object that was to be kept.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.errors import NeedsPersonError, UsageError, nearest
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import read_journal
from holdfast_orchestrator.record.journal.saved_plan import read_plan
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.plan import read_plan as read_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Left:
    """A shard a run has left open: addresses that are in its state or may come into it, and all it knows."""

    shard: str
    there: frozenset[str]
    known: frozenset[str]


def refuse_unknown_addresses(
    run: str, decision: OperatorDecision, shards: Iterable[Shard], store_of: Callable[[Shard], DurableStore]
) -> None:
    """Return if some shard that the run has left open knows each address the person named.

    Reads only. Raises UsageError for the first one that none of them knows.
    """
    if not (decision.skip or decision.orphan):
        return
    left = [each for shard in shards if (each := _left(run, shard, store_of(shard))) is not None]
    if not left:
        return
    for address in decision.orphan:
        _refuse_unknown(run, "--orphan", address, {each.shard: each.there for each in left})
    for address in decision.skip:
        _refuse_unknown(run, "--skip", address, {each.shard: each.known for each in left})


def _refuse_unknown(run: str, option: str, address: str, known: dict[str, frozenset[str]]) -> None:
    every = sorted(frozenset().union(*known.values()))
    if address in every:
        return
    meant = nearest(address, every)
    names = ", ".join(known)
    what = f"{option} {address}: run {run} has left {names} open, and no object at that address"
    if not meant:
        raise UsageError(what, next_step=f"look for its address: holdfast state pull {next(iter(known))}")
    raise UsageError(
        f"{what}; the nearest is {meant}",
        next_step=f"holdfast resume {run} {option} {shlex.quote(meant)}",
    )


def _left(run: str, shard: Shard, store: DurableStore) -> _Left | None:
    kept = read_state_record(store, shard.state.folder)
    if kept is None or not kept.record.is_open or kept.record.run != run:
        return None
    # What a plan knows may come into the state yet, or was let go of when this was tried before.
    there = frozenset((*_in_state(store, shard), *_planned(store, JournalName(run, shard.name))))
    return _Left(shard=shard.name, there=there, known=there.union(_good(store, shard)))


def _in_state(store: DurableStore, shard: Shard) -> Iterator[str]:
    with suppress(NeedsPersonError):
        if (snapshot := read_snapshot(store, shard.state.key)) is not None:
            yield from (address for address, _, _ in managed(snapshot.document))


def _planned(store: DurableStore, name: JournalName) -> Iterator[str]:
    """What the plans name by which the run was gated; a plan that is gone is reported when it is needed."""
    with suppress(NeedsPersonError):
        for entry in read_journal(store, name):
            key = entry.data.get("plan") if entry.phase in (Phase.PREPARED, Phase.RETRY_FORWARD) else None
            for change in () if key is None else read_changes(read_plan(store, key, shard=name.shard)):
                yield from (change.address, change.previous_address or change.address)


def _good(store: DurableStore, shard: Shard) -> Iterator[str]:
    """The addresses of the last good deployment: a rollback may make an object there again."""
    with suppress(NeedsPersonError):
        if (promoted := read_last_good(store, shard.state.folder)) is not None:
            yield from (tracked.address for tracked in promoted.record.index)
