"""Before a plan is gated: whose are the objects it would create, import and delete?

A create of what another state has is a move, where that shard lets go of it in this run: it becomes an
import. Else it is refused; all such creates are named at once. A delete of what another state has is no
delete: the object is let go of, here and again right before the deletes are made (`letting_go`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.ownership.bucket_owners import BucketOwners
from holdfast_orchestrator.ownership.conflicts import Conflict, Place, conflict_with, shard_name
from holdfast_orchestrator.ownership.handover import ShardHandover
from holdfast_orchestrator.plan.document import Action as DocumentAction
from holdfast_orchestrator.plan.document import PlanDocument
from holdfast_orchestrator.plan.shard import MadePlan
from holdfast_orchestrator.record.state_record import Handed, StateRecord
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot
from holdfast_orchestrator.state_key import STATE_FILE
from holdfast_orchestrator.terraform.create_semantics import is_doubtful
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.import_ids import ImportBlock, import_id
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.owners import (
    Owner,
    Owners,
    Ownership,
    PlannedPlaces,
    keys_by_address,
    object_key,
    owned_elsewhere,
    place_of,
)
from holdfast_orchestrator.terraform.plan import Action, Change, read_plan

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform


class PlannedShard(Place, Protocol):
    """A shard that is planned: with its lease to deploy it, or without to show what a deploy would do."""

    @property
    def owners(self) -> BucketOwners:
        """Who owns what, as the run asks it."""

    def bare_terraform(self, configuration: Document | None = None) -> "Terraform":
        """Return Terraform, not initialized, with this configuration (None: the shard's own)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a shard is about to do: deploy, `destroy`, or go back to before `back_to`.

    `record` is its state record, where there is one.
    """

    handover: ShardHandover = field(default_factory=ShardHandover)
    destroy: bool = False
    back_to: datetime | None = None
    record: StateRecord | None = None

    def came_later(self, identity: Identity | None) -> str | None:
        """Say where an object came from that was received after what is gone back to; None: it was not."""
        if self.back_to is None or self.record is None:
            return None
        received = [
            item for item in self.record.received if item.identity == identity and item.at > self.back_to
        ]
        return f"it came from {received[0].source} in run {received[0].run}" if received else None

    def given_later(self, address: str, kind: str) -> Handed | None:
        """Return the object that was at this address and was handed over after what is gone back to."""
        if self.back_to is None or self.record is None:
            return None
        handed = [
            item
            for item in self.record.handed
            if (item.address, item.identity.kind) == (address, kind) and item.at > self.back_to
        ]
        return handed[-1] if handed else None


@dataclass(frozen=True, slots=True)
class Settled:
    """A plan in which everything belongs to its shard; a preview's may have conflicts."""

    made: MadePlan
    ownership: Ownership = field(default_factory=Ownership)
    conflicts: tuple[Conflict, ...] = ()

    @property
    def document(self) -> PlanDocument:
        """What is going to be done: without the deletes that are not made."""
        kept, document = self.ownership.kept, self.made.document
        changes = (
            change
            for change in document.changes
            if change.action is not DocumentAction.DELETE or change.address not in kept
        )
        return replace(document, changes=tuple(changes))


@dataclass(frozen=True, slots=True)
class Settling:
    """Whose the objects of a plan are: imports in place of creates, where those come from, conflicts."""

    ownership: Ownership = field(default_factory=Ownership)
    blocks: tuple[ImportBlock, ...] = ()
    received: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()


def settle_ownership(
    leased: PlannedShard,
    made: MadePlan,
    *,
    snapshot: StateSnapshot | None,
    turn: Turn,
    only_shown: bool = False,
) -> Settling:
    """Hold a plan against the owners of its bucket; with `only_shown`, as they were read last.

    Raises NeedsPersonError where a destroy cannot tell what other shards have.
    """
    changes = [change for change in read_plan(made.raw) if change.touches] if made.raw else []
    deletes = [change for change in changes if change.deletes]
    creates = [] if turn.destroy else [change for change in changes if change.creates or change.importing]
    if not deletes and not creates:
        return Settling()
    book = leased.owners.of(leased.shard, leased.run)
    look = Look(
        place=leased,
        book=leased.owners,
        owners=book.now() if deletes and not only_shown else book.lately(),
        turn=turn,
        places=places_in(made, leased.folder),
    )
    if not deletes and not only_shown and look.meets_others(creates):
        # What was so at the beginning of the run may be otherwise by now.
        look = replace(look, owners=book.now())
    if turn.destroy:
        look.refuse_unreadable()
    let_go = look.let_go(deletes, snapshot)
    orphaned = {
        change.address: f"{why}; it stays in the cloud, and no state has it"
        for change in deletes
        if change.address not in let_go and (why := turn.came_later(change.identity))
    }
    blocks, received, conflicts = look.moves(creates, [change for change in deletes if not change.replaces])
    ownership = Ownership(
        let_go=let_go,
        orphaned=orphaned,
        held=turn.handover.held & {change.address for change in deletes} - let_go.keys(),
    )
    return Settling(ownership, tuple(blocks), received, tuple(conflicts))


@dataclass(frozen=True, kw_only=True)
class Look:
    """One plan held against the owners of its bucket; `book` has what this process is about to make."""

    place: Place
    book: BucketOwners
    owners: Owners
    turn: Turn
    places: PlannedPlaces

    def meets_others(self, creates: Sequence[Change]) -> bool:
        """Whether another state seems to have something that would be made."""
        keys = filter(None, map(self._key, creates))
        return any(self.owners.has(key, besides=self.place.folder) for key in keys)

    def refuse_unreadable(self) -> None:
        unreadable = self.owners.unreadable_besides(self.place.shard.state.key)
        if unreadable:
            raise NeedsPersonError(
                f"{unreadable[0]} cannot be read, and may have what this would destroy",
                next_step=f"put it right: holdfast state backups {_folder(unreadable[0])}",
            )

    def let_go(self, deletes: Sequence[Change], snapshot: StateSnapshot | None) -> dict[str, str]:
        """The deletes that are not made, because another state has the object or may have it."""
        place, folder = self.place, self.place.folder
        keys = keys_by_address(None if snapshot is None else snapshot.document, folder)
        owners = owned_elsewhere((change.address for change in deletes), keys, self.owners, folder=folder)
        return {address: f"{shard_name(place, owner)} has it" for address, owner in owners.items()}

    def moves(
        self, creates: Sequence[Change], deletes: Sequence[Change]
    ) -> tuple[list[ImportBlock], dict[str, str], list[Conflict]]:
        """The creates that are imports, where from, and everything that is against others."""
        blocks, received, conflicts = list[ImportBlock](), dict[str, str](), list[Conflict]()
        for change in creates:
            key = self._key(change)
            if key is None:
                continue
            owner = self.owners.has(key, besides=self.place.folder)
            if owner is None:
                conflicts.extend(self._unowned(change, key))
                blocks.extend(self._given(change))
            elif owner not in self.turn.handover.released or change.replaces:
                conflicts.append(
                    conflict_with(self.place, change.address, owner, back=self.turn.back_to is not None)
                )
            elif change.importing:
                received[change.address] = owner.folder
            elif (block := self._block(change, owner)) is None:
                conflicts.append(conflict_with(self.place, change.address, owner, importable=False))
            else:
                blocks.append(block)
                received[change.address] = owner.folder
                self.place.say(f"{change.address} moves here from {shard_name(self.place, owner)}")
        conflicts.extend(self._promised(deletes))
        return blocks, received, conflicts

    def _key(self, change: Change) -> ObjectKey | None:
        # What is imported is there, and says itself where.
        values = change.before if change.importing else _known(change)
        where = self.places.of(change.address)
        return object_key(change.kind, values or {}, address=change.address, place=where)

    def _unowned(self, change: Change, key: ObjectKey) -> Iterator[Conflict]:
        """What is against a create that no state is known to have."""
        unreadable = self.owners.unreadable_besides(self.place.shard.state.key)
        if unreadable and not change.importing and is_doubtful(change.kind, change.after or {}):
            yield Conflict(
                f"{change.address} may be in the state {unreadable[0]}, which cannot be read.",
                f"put it right: holdfast state backups {_folder(unreadable[0])}",
            )
        first = self.book.claim(key, self.place.shard.name) if key.place is not None else None
        if first not in (None, self.place.shard.name):
            yield Conflict(
                f"{change.address} is also made by {self.place.run.label(str(first))} in this run.",
                "declare it in one of them, or give one another name",
            )

    def _given(self, change: Change) -> Iterator[ImportBlock]:
        """The import of what was handed over since, and is in no state now."""
        given = self.turn.given_later(change.address, change.kind)
        if given is not None and change.action is Action.CREATE:
            by_id = import_id(change.kind, given.id, _known(change))
            if by_id is not None:
                yield ImportBlock(change.address, by_id, given.id)

    def _block(self, change: Change, owner: Owner) -> ImportBlock | None:
        """How to import what the other shard has: by what its state says of it."""
        snapshot = read_snapshot(self.place.store, f"{owner.folder}/{STATE_FILE}")
        for address, _, instance in managed({} if snapshot is None else snapshot.document):
            if address == owner.address and "deposed" not in instance:
                attributes = instance.get("attributes") or {}
                attribute_id = str(attributes.get("id") or "") or None
                by_id = import_id(change.kind, attribute_id, attributes)
                return None if by_id is None else ImportBlock(change.address, by_id, attribute_id)
        return None

    def _promised(self, deletes: Sequence[Change]) -> Iterator[Conflict]:
        """Deletes of what another shard of the app declares, which is not deployed with this one."""
        label, shard = self.place.run.label, self.place.shard.name
        for change in deletes:
            target = self.turn.handover.promised.get(change.address)
            if target is not None:
                yield Conflict(
                    f"{change.address} would be deleted, and {label(target)} declares it.",
                    f"deploy both: --stack {label(shard)} --stack {label(target)}",
                )


def places_in(made: MadePlan, folder: str) -> PlannedPlaces:
    """Where a plan of the shard with this state folder would make its objects."""
    return PlannedPlaces(made.raw, place_of(folder))


def _known(change: Change) -> Document:
    """What the plan knows of the object beforehand."""
    unknown = change.after_unknown
    return {name: value for name, value in (change.after or {}).items() if unknown.get(name) is not True}


def _folder(state_key: str) -> str:
    return state_key.rpartition("/")[0]
