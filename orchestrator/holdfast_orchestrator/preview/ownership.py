"""A plan that is only shown, held against the owners as its deploy would be: what moves, what is refused."""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.shard.planning import PlanTask
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.ownership.bucket_owners import BucketOwners
from holdfast_orchestrator.ownership.conflicts import shard_name
from holdfast_orchestrator.ownership.handover import Handover, find_moves
from holdfast_orchestrator.ownership.settle import PlannedShard, Settled, settle_ownership
from holdfast_orchestrator.plan.document import Action, ResourceChange
from holdfast_orchestrator.plan.shard import MadePlan, quiet
from holdfast_orchestrator.record.belonging import refuse_other_lineage
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.moving import refuse_half_moved
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.owners import Owner

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform


@dataclass(frozen=True, kw_only=True)
class ReadShard:
    """A shard that is only read: it is planned without its lease."""

    shard: Shard
    run: Run
    store: DurableStore
    owners: BucketOwners

    @property
    def folder(self) -> str:
        """The folder of its state."""
        return self.shard.state.folder

    def say(self, sentence: str) -> None:
        """Tell something."""
        self.run.emit(Notice(shard=self.shard.name, message=f"{self.run.label(self.shard.name)}: {sentence}"))

    def bare_terraform(self, configuration: Document | None = None) -> "Terraform":
        """Return Terraform, not initialized, with this configuration (None: the shard's own)."""
        shard = self.shard
        if configuration is not None:
            shard = replace(shard, configuration=json.dumps(configuration, indent=1).encode())
        return self.run.tools.terraform(shard, quiet)


@dataclass(frozen=True, kw_only=True)
class PlannedOwnership:
    """The owners as the plans of one run ask them, and what may move between its shards."""

    run: Run
    book: BucketOwners
    handover: Handover

    @classmethod
    def of(cls, run: Run, working: frozenset[str]) -> "PlannedOwnership":
        """Look at what may move between the shards that are planned. Where none is, nothing is read."""
        book = BucketOwners()
        return cls(run=run, book=book, handover=find_moves(run, working, book))

    def read(self, shard: Shard) -> ReadShard:
        """Return a shard to be planned."""
        return ReadShard(shard=shard, run=self.run, store=self.run.tools.store(shard), owners=self.book)

    def refuse_strange(self, place: ReadShard, snapshot: StateSnapshot | None) -> None:
        """Return if the state may be planned against.

        Raises GateError for another shard's state, NeedsPersonError where a move of it did not end.
        """
        store, folder = place.store, place.folder
        kept = read_state_record(store, folder)
        if kept is not None:
            refuse_half_moved(store, kept.record.moving)
        good = read_last_good(store, folder) if kept is None else None
        recorded = good.record.state if good is not None else None if kept is None else kept.record.state
        if snapshot is not None and (recorded is None or recorded.lineage != snapshot.lineage):
            refuse_other_lineage(store, place.shard, snapshot.lineage)

    def settled(self, place: PlannedShard, made: MadePlan, task: PlanTask) -> Settled:
        """Return the plan with what moves, or stays because others have it, and what is against others."""
        settling = settle_ownership(place, made, snapshot=task.snapshot, turn=task.turn, only_shown=True)
        words = {
            address: f"moves here from {shard_name(place, Owner(folder, ''))}"
            for address, folder in settling.received.items()
        }
        words |= {address: f"only forgotten: {why}" for address, why in settling.ownership.let_go.items()}
        words |= {
            move.owner.address: f"moves to {self.run.label(move.target)}"
            for move in self.handover.moves
            if move.source == place.shard.name and move.certain
        }
        return Settled(_shown(made, words), conflicts=settling.conflicts)


def _shown(made: MadePlan, words: dict[str, str]) -> MadePlan:
    """The plan as it will be: moves are imports and forgets, and no gate has to judge them."""
    if not words:
        return made
    changes = tuple(_worded(change, words.get(change.address)) for change in made.document.changes)
    settled = {change.address for change in changes if change.ownership is not None}
    changed = made.raw.get("resource_changes") or ()
    rest = [change for change in changed if change.get("address") not in settled]
    return replace(
        made,
        document=replace(made.document, changes=changes),
        raw={**made.raw, "resource_changes": rest},
    )


def _worded(change: ResourceChange, words: str | None) -> ResourceChange:
    match change.action:
        case Action.CREATE if words is not None:
            return replace(change, action=Action.NO_OP, imported=True, ownership=words)
        case Action.DELETE if words is not None:
            return replace(change, action=Action.FORGET, ownership=words)
        case _:
            return change
