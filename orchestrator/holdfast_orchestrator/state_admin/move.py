"""Objects from shard to shard, by their states: a renamed stack, a part that moved, a merge.

    proposal = propose(wanted)               # reads only; raises where it must not be done
    done = carry_out(proposal, mover)        # leases, locks, backups of both, two conditional writes

The shard that gains is written first: for a moment both states have the objects, never none. After a kill the
same command goes on: what the receiver has already only leaves the giver. In the cloud nothing changes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.errors import GateError, NeedsPersonError, UsageError
from holdfast_orchestrator.manifest import Shard
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.belonging import refuse_other_app
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.state_record import (
    Handed,
    Received,
    StateRecord,
    read_state_record,
    write_state_record,
)
from holdfast_orchestrator.rollback.addresses import configuration_address
from holdfast_orchestrator.rollback.identities import IdentityIndex, TrackedObject, index_state
from holdfast_orchestrator.rollback.references import declares
from holdfast_orchestrator.rollback.state_objects import Condition, Recorded, StateObject, compare, read_state
from holdfast_orchestrator.rollback.state_objects import Standing as StateStanding
from holdfast_orchestrator.rollback.stateful import Protection
from holdfast_orchestrator.rollback.transfer import with_objects, without_objects
from holdfast_orchestrator.runtime import Runtime
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.conditional_writes import prove_conditional_writes
from holdfast_orchestrator.state.lease import Claim, Lease, Leases
from holdfast_orchestrator.state.snapshot import snapshot_of
from holdfast_orchestrator.state.store import DurableStore, ObjectExistsError, StoredObject
from holdfast_orchestrator.state.terraform_lock import holding_lock

if TYPE_CHECKING:
    from holdfast_orchestrator.rollback.documents import Document


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: objects of `source` into the state of `target`; no addresses mean all that fit.

    `source_in_app` says whether the app has the source still; `project` is the app.
    """

    source: Shard
    target: Shard
    store: DurableStore = field(repr=False)
    project: str
    source_in_app: bool
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two states, as it lies there."""

    shard: Shard
    stored: StoredObject | None = field(repr=False)
    state: StateObject

    @property
    def index(self) -> IdentityIndex:
        """Its objects."""
        return index_state(self.state.document, protection=Protection())


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a move would do. `there` are those of `moved` that the receiver has already."""

    wanted: Wanted
    source: Side
    target: Side
    moved: tuple[TrackedObject, ...]
    there: frozenset[str] = frozenset()

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of what leaves the source."""
        return frozenset(known.address for known in self.moved)

    @property
    def stays(self) -> int:
        """How many objects the source keeps."""
        return sum(known.address not in self.addresses for known in self.source.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A move that was made; `backups` are of both states from before, by shard name."""

    run: str
    backups: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Mover:
    """Who moves, in which run, in what world."""

    runtime: Runtime
    actor: Actor
    run: str


def propose(wanted: Wanted) -> Proposal:
    """Say what the move would do; changes nothing.

    Raises UsageError where nothing fits, GateError where the receiver does not declare an object or has
    another one there, NeedsPersonError where a state is not the recorded one or a run did not end.
    """
    source, target = wanted.source, wanted.target
    if source.state.folder == target.state.folder:
        raise UsageError("move needs two different stacks")
    places = [(one.state.bucket, one.account, one.region) for one in (source, target)]
    if places[0] != places[1]:
        raise UsageError(f"{source.name} and {target.name} are not in the same bucket, account and region")
    giving, gaining = _side(wanted, source), _side(wanted, target)
    if giving.state.document is None:
        raise UsageError(f"{source.name} has no state, so there is nothing to move")
    moved = _chosen(wanted, giving.index)
    there = _there(moved, gaining)
    configuration: Document = json.loads(target.configuration)
    undeclared = [known.address for known in moved if not declares(configuration, known.address)]
    if undeclared:
        raise GateError(
            f"{target.name} does not declare {', '.join(undeclared)}; its next deploy would delete what "
            "moves there",
            next_step=f"declare it in {target.name} under the same address, or name what moves: --address",
        )
    return Proposal(wanted=wanted, source=giving, target=gaining, moved=moved, there=there)


def carry_out(proposal: Proposal, mover: Mover, *, on_step: Callable[[str], object] = lambda _: None) -> Done:
    """Make the move that was proposed, and no other.

    Raises LeasedError where somebody is at work on one of the two, NeedsPersonError where a state is no
    longer the one that was looked at.
    """
    wanted, now = proposal.wanted, mover.runtime.clock.now()
    sides = sorted((proposal.source, proposal.target), key=lambda side: side.shard.state.folder)
    prove_conditional_writes(wanted.store, bucket=wanted.target.state.bucket)
    with ExitStack() as held:
        leases = {}
        for side in sides:
            leases[side.shard.name] = held.enter_context(_lease(side, proposal, mover))
        for side in sides:
            place = side.shard.state
            operation = "holdfast move"
            lock = holding_lock(wanted.store, place.key, bucket=place.bucket, operation=operation, now=now)
            held.enter_context(lock)
        on_step("backing up both states")
        backups = {
            side.shard.name: _back_up(side.stored, wanted.store, mover) for side in sides if side.stored
        }
        new = proposal.addresses - proposal.there
        source: Document = proposal.source.state.document or {}
        if new:
            on_step(f"writing the state of {wanted.target.name}")
            gained = with_objects(proposal.target.state.document, source, new)
            _write(proposal.target, gained, wanted.store, leases)
        _note(proposal, proposal.target, mover, now)
        on_step(f"writing the state of {wanted.source.name}")
        _write(proposal.source, without_objects(source, proposal.addresses), wanted.store, leases)
        _note(proposal, proposal.source, mover, now)
    return Done(run=mover.run, backups=backups)


def _side(wanted: Wanted, shard: Shard) -> Side:
    store, folder = wanted.store, shard.state.folder
    kept, good = read_state_record(store, folder), read_last_good(store, folder)
    record = None if kept is None else kept.record
    last = None if good is None else good.record
    refuse_other_app(wanted.project, shard.state.key, good=last, record=record)
    if record is not None and record.is_open:
        raise NeedsPersonError(
            f"run {record.run} of {shard.name} did not end", next_step=f"holdfast resume {record.run}"
        )
    stored = store.get(shard.state.key)
    state = read_state(shard.state.key, None if stored is None else stored.body)
    expected = record.state if record is not None else (None if last is None else last.state)
    standing = compare(state, expected)
    if standing not in (StateStanding.SAME, StateStanding.NONE_YET):
        raise NeedsPersonError(
            f"the state of {shard.name} is {standing}",
            next_step=f"settle that first: holdfast plan --stack {shard.name}",
        )
    if state.condition not in (Condition.WHOLE, Condition.ABSENT):
        raise NeedsPersonError(f"the state of {shard.name} is {state.condition}")
    return Side(shard=shard, stored=stored, state=state)


def _chosen(wanted: Wanted, index: IdentityIndex) -> tuple[TrackedObject, ...]:
    """What leaves: what was named, else all of a stack that is gone, else what only the receiver declares."""
    if any(known.deposed for known in index):
        raise GateError(
            f"{wanted.source.name} has objects that wait for their destruction",
            next_step=f"holdfast deploy --stack {wanted.source.name} ends that",
        )
    if wanted.addresses:
        named = {*wanted.addresses}
        chosen = [known for known in index if {known.address, configuration_address(known.address)} & named]
        found = {each for known in chosen for each in (known.address, configuration_address(known.address))}
        if named - found:
            there = ", ".join(sorted({known.address for known in index})) or "nothing"
            raise UsageError(
                f"{wanted.source.name} has no {', '.join(sorted(named - found))}; there is: {there}"
            )
        return tuple(chosen)
    if not wanted.source_in_app:
        return tuple(index)
    ours: Document = json.loads(wanted.source.configuration)
    theirs: Document = json.loads(wanted.target.configuration)
    chosen = [
        known for known in index if not declares(ours, known.address) and declares(theirs, known.address)
    ]
    if not chosen:
        raise UsageError(
            f"nothing that {wanted.source.name} has is declared in {wanted.target.name} and not in "
            f"{wanted.source.name} any more",
            next_step="move the code first, then run this before the next deploy; or name it: --address",
        )
    return tuple(chosen)


def _there(moved: tuple[TrackedObject, ...], gaining: Side) -> frozenset[str]:
    """The addresses at which the receiver has the very object. Raises GateError for another one there."""
    there = gaining.index.by_address
    other = [
        known.address
        for known in moved
        if known.address in there and there[known.address].identity != known.identity
    ]
    if other:
        raise GateError(
            f"{gaining.shard.name} has another object at {', '.join(other)} already",
            next_step=f"rename one of the two, and deploy {gaining.shard.name} first",
        )
    return frozenset(known.address for known in moved if known.address in there)


def _lease(side: Side, proposal: Proposal, mover: Mover) -> Any:
    claim = Claim(
        folder=side.shard.state.folder,
        run=mover.run,
        owner=str(mover.actor),
        doing=f"moving objects from {proposal.wanted.source.name} to {proposal.wanted.target.name}",
    )
    return Leases(proposal.wanted.store, mover.runtime).take(claim)


def _back_up(stored: StoredObject, store: DurableStore, mover: Mover) -> str:
    now = mover.runtime.clock.now()
    meta = BackupMeta(
        run=mover.run,
        reason="before move",
        at=now,
        written=stored.head.modified or now,
        actor=str(mover.actor),
    )
    return keep_backup(store, snapshot_of(stored), meta)


def _write(side: Side, document: Mapping[str, Any], store: DurableStore, leases: Mapping[str, Lease]) -> None:
    """Write a state over exactly the one that was looked at, and read it back."""
    key, body = side.shard.state.key, json.dumps(document, indent=2).encode() + b"\n"
    leases[side.shard.name].confirm()
    try:
        if side.stored is None:
            store.create(key, body)
        else:
            store.replace(key, body, etag=side.stored.head.etag)
    except ObjectExistsError:
        # Our own write, whose answer was lost, is read back like any other.
        pass
    found = store.get(key)
    if found is None or found.body != body:
        raise NeedsPersonError(
            f"the state at {key} was changed by somebody else in the meantime",
            next_step="look again: holdfast move without --yes",
        )


def _note(proposal: Proposal, side: Side, mover: Mover, now: datetime) -> None:
    """Write which state to expect now, and what came or went."""
    store, folder, project = proposal.wanted.store, side.shard.state.folder, proposal.wanted.project
    stored = store.get(side.shard.state.key)
    state = read_state(side.shard.state.key, None if stored is None else stored.body)
    kept = read_state_record(store, folder)
    recorded = Recorded(
        state.lineage, state.serial, hashlib.sha256(stored.body if stored else b"").hexdigest()
    )
    record = StateRecord(run=mover.run, is_open=False, state=recorded, at=now)
    if kept is not None:
        record = replace(kept.record, run=mover.run, state=recorded, at=now, footing=None)
    record = replace(record, project=project or record.project, stack=side.shard.name)
    if side is proposal.target:
        source = proposal.wanted.source.state.folder
        received = [
            Received(identity=known.identity, source=source, run=mover.run, at=now)
            for known in proposal.moved
        ]
        record = replace(record, received=(*record.received, *received))
    else:
        handed = [
            Handed(identity=known.identity, address=known.address, id=known.id, run=mover.run, at=now)
            for known in proposal.moved
        ]
        record = replace(record, handed=(*record.handed, *handed))
    write_state_record(store, folder, record, after=kept)
