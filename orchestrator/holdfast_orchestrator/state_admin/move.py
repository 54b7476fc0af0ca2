"""Moves objects from shard to shard by their states: for a renamed stack, a part that moved, a merge.

    proposal = propose(wanted)               # reads only; raises where it must not be done
    done = carry_out(proposal, mover)        # `move_writes`: leases, locks, backups, conditional writes

The shard that gains is written first: for a moment both states have the objects, never none. A move that a
kill ended is proposed again as it was begun. In the cloud nothing changes.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import GateError, NeedsPersonError, UsageError
from holdfast_orchestrator.record.belonging import ThisApp, refuse_other_app
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.moving import Moving, refuse_half_moved
from holdfast_orchestrator.record.state_record import KeptRecord, read_state_record
from holdfast_orchestrator.state.object_store import DurableStore, StoredObject
from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.identity import IdentityIndex, TrackedObject, index_state
from holdfast_orchestrator.terraform.references import declares
from holdfast_orchestrator.terraform.state_edits import forget_in_state
from holdfast_orchestrator.terraform.state_file import Condition, StateObject, compare, read_state
from holdfast_orchestrator.terraform.state_file import Standing as StateStanding
from holdfast_orchestrator.terraform.stateful_types import Protection
from holdfast_orchestrator.terraform.transfer import with_objects

if TYPE_CHECKING:
    from holdfast_orchestrator.terraform.json_values import Document


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A request to move objects of `source` into the state of `target`; no addresses mean all that fit.

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
    """One of the two states with the shard's record; `new` is the state to write."""

    shard: Shard
    stored: StoredObject | None = field(repr=False)
    state: StateObject
    record: KeptRecord | None = field(default=None, repr=False)
    new: bytes | None = field(default=None, repr=False)

    @property
    def index(self) -> IdentityIndex:
        """The objects of the state."""
        return index_state(self.state.document, protection=Protection())

    @property
    def content(self) -> bytes:
        """The state after the move."""
        there = b"" if self.stored is None else self.stored.body
        return there if self.new is None else self.new

    @property
    def moving(self) -> Moving | None:
        """The move that was begun with this shard, if any."""
        return None if self.record is None else self.record.record.moving


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a move would do. `there` are those of `moved` that the receiver has already.

    `begun` is a move that did not end, and is gone on with.
    """

    wanted: Wanted
    source: Side
    target: Side
    moved: tuple[TrackedObject, ...]
    there: frozenset[str] = frozenset()
    begun: Moving | None = None

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of what leaves the source."""
        return frozenset(known.address for known in self.moved)

    @property
    def stays(self) -> int:
        """How many objects the source keeps."""
        return sum(known.address not in self.addresses for known in self.source.index)

    @property
    def others(self) -> int:
        """How many objects the target has that do not come with the move."""
        return sum(known.address not in self.addresses for known in self.target.index)


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
    begun = _begun(wanted, giving, gaining)
    if begun is not None:
        return _gone_on_with(begun, wanted, giving, gaining)
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
    gone = {known.address for known in moved}
    if gone - there:
        gained = with_objects(gaining.state.document, giving.state.document, gone - there)
        gaining = replace(gaining, new=_body(gained))
    giving = replace(giving, new=_body(forget_in_state(giving.state.document, gone)))
    return Proposal(wanted=wanted, source=giving, target=gaining, moved=moved, there=there)


def _begun(wanted: Wanted, giving: Side, gaining: Side) -> Moving | None:
    """Return the move between the two that did not end. Raises NeedsPersonError for one with a third."""
    for moving in (giving.moving, gaining.moving):
        if moving is None or not moving.is_begun(wanted.store):
            continue
        if moving.folders != (wanted.source.state.folder, wanted.target.state.folder):
            refuse_half_moved(wanted.store, moving)
        return moving
    return None


def _gone_on_with(moving: Moving, wanted: Wanted, giving: Side, gaining: Side) -> Proposal:
    moved = tuple(gaining.index.by_address[address] for address in moving.addresses)
    if giving.stored is not None and not moving.gave(giving.shard.state.folder, giving.stored.body):
        left = forget_in_state(giving.state.document or {}, moving.addresses)
        giving = replace(giving, new=_body(left))
    there = frozenset(moving.addresses)
    return Proposal(wanted=wanted, source=giving, target=gaining, moved=moved, there=there, begun=moving)


def _body(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode() + b"\n"


def _side(wanted: Wanted, shard: Shard) -> Side:
    store, folder = wanted.store, shard.state.folder
    kept, good = read_state_record(store, folder), read_last_good(store, folder)
    record = None if kept is None else kept.record
    last = None if good is None else good.record
    app = ThisApp(wanted.project, environment=shard.environment)
    refuse_other_app(app, shard.state.key, good=last, record=record)
    if record is not None and record.is_open:
        raise NeedsPersonError(
            f"run {record.run} of {shard.name} did not end", next_step=f"holdfast resume {record.run}"
        )
    stored = store.get(shard.state.key)
    state = read_state(shard.state.key, None if stored is None else stored.body)
    expected = record.state if record is not None else (None if last is None else last.state)
    standing = compare(state, expected)
    moving = None if record is None else record.moving
    if stored is not None and moving is not None and moving.gave(folder, stored.body):
        standing = StateStanding.SAME
    if standing not in (StateStanding.SAME, StateStanding.NONE_YET):
        raise NeedsPersonError(
            f"the state of {shard.name} is {standing}",
            next_step=f"settle that first: holdfast plan --stack {shard.name}",
        )
    if state.condition not in (Condition.WHOLE, Condition.ABSENT):
        raise NeedsPersonError(f"the state of {shard.name} is {state.condition}")
    return Side(shard=shard, stored=stored, state=state, record=kept)


def _chosen(wanted: Wanted, index: IdentityIndex) -> tuple[TrackedObject, ...]:
    """Return what moves: what was named, else all of a removed stack, else what only the target declares."""
    if any(known.deposed for known in index):
        raise GateError(
            f"{wanted.source.name} has objects that wait for their destruction",
            next_step=f"holdfast deploy --stack {shlex.quote(wanted.source.name)} ends that",
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
    """Return the addresses where the target has the same object. Raises GateError for a different one."""
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
