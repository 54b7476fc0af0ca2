"""A plan that is only shown, held against the owners as its deploy would be: what moves, what is refused."""

from dataclasses import dataclass, replace

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.ownership.bucket_owners import BucketOwners
from holdfast_orchestrator.ownership.conflicts import shard_name
from holdfast_orchestrator.ownership.handover import Handover, find_moves
from holdfast_orchestrator.ownership.settle import Look, Turn, places_in
from holdfast_orchestrator.plan.document import Action, ResourceChange
from holdfast_orchestrator.plan.result import Refusal
from holdfast_orchestrator.plan.shard import MadePlan
from holdfast_orchestrator.record.belonging import refuse_other_lineage
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.moving import refuse_half_moved
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.owners import Owner
from holdfast_orchestrator.terraform.plan import read_plan


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """A shard that is planned."""

    shard: Shard
    run: Run
    store: DurableStore

    @property
    def folder(self) -> str:
        return self.shard.state.folder

    def say(self, sentence: str) -> None:
        self.run.emit(Notice(shard=self.shard.name, message=f"{self.run.label(self.shard.name)}: {sentence}"))


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

    def refuse_strange(self, shard: Shard, snapshot: StateSnapshot | None) -> None:
        """Return if the state may be planned against.

        Raises GateError for another shard's state, NeedsPersonError where a move of it did not end.
        """
        store, folder = self.run.tools.store(shard), shard.state.folder
        kept = read_state_record(store, folder)
        if kept is not None:
            refuse_half_moved(store, kept.record.moving)
        good = read_last_good(store, folder) if kept is None else None
        recorded = good.record.state if good is not None else None if kept is None else kept.record.state
        if snapshot is not None and (recorded is None or recorded.lineage != snapshot.lineage):
            refuse_other_lineage(store, shard, snapshot.lineage)

    def judge(
        self, shard: Shard, made: MadePlan, snapshot: StateSnapshot | None
    ) -> tuple[MadePlan, tuple[Refusal, ...]]:
        """Return the plan with what moves, or stays because others have it; and why a deploy is refused."""
        changes = [change for change in read_plan(made.raw) if change.touches] if made.raw else []
        deletes = [change for change in changes if change.deletes]
        creates = [change for change in changes if change.creates or change.importing]
        if not deletes and not creates:
            return made, ()
        look = Look(
            place=_Planned(shard=shard, run=self.run, store=self.run.tools.store(shard)),
            book=self.book,
            owners=self.book.of(shard, self.run).lately(),
            turn=Turn(handover=self.handover.of(shard.name)),
            places=places_in(made, shard.state.folder),
        )
        let_go = look.let_go([change for change in deletes if not change.replaces], snapshot)
        _, received, conflicts = look.moves(creates, [change for change in deletes if not change.replaces])
        told = dict.fromkeys((one.sentence, one.next_step) for one in conflicts)
        words = {
            address: f"moves here from {self._name(look, folder)}" for address, folder in received.items()
        }
        words |= {address: f"only forgotten: {why}" for address, why in let_go.items()}
        words |= {
            move.owner.address: f"moves to {self.run.label(move.target)}"
            for move in self.handover.moves
            if move.source == shard.name and move.certain
        }
        return _shown(made, words), tuple(Refusal(what=what, next_step=after) for what, after in told)

    @staticmethod
    def _name(look: Look, folder: str) -> str:
        return shard_name(look.place, Owner(folder, ""))


def _shown(made: MadePlan, words: dict[str, str]) -> MadePlan:
    """The plan as it will be: moves are imports and forgets, and no gate has to judge them."""
    if not words:
        return made
    changes = tuple(_said(change, words.get(change.address)) for change in made.document.changes)
    settled = {change.address for change in changes if change.ownership is not None}
    rest = [one for one in made.raw.get("resource_changes") or () if one.get("address") not in settled]
    return replace(
        made,
        document=replace(made.document, changes=changes),
        raw={**made.raw, "resource_changes": rest},
    )


def _said(change: ResourceChange, words: str | None) -> ResourceChange:
    match change.action:
        case Action.CREATE if words is not None:
            return replace(change, action=Action.NO_OP, imported=True, ownership=words)
        case Action.DELETE if words is not None:
            return replace(change, action=Action.FORGET, ownership=words)
        case _:
            return change
