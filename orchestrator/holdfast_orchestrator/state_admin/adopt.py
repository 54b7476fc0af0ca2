"""Adopts a state: copies it from where another tool keeps it to the shard's own place.

    proposal = propose(wanted)               # reads only; raises where it must not be done
    done = carry_out(proposal, operator)      # lease, both locks, backup, conditional write, records, mark

The state arrives byte for byte, with its lineage and its serial. Each step may be done a second time: after a
kill the same command goes on where it ended. A state that is there already is written over only where it
is an older one of the same lineage, or manages nothing.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.adopted import Adopted, write_adopted
from holdfast_orchestrator.record.state_record import StateRecord, note_state
from holdfast_orchestrator.state.conditional_writes import prove_conditional_writes
from holdfast_orchestrator.state.exact_writes import write_and_read_back
from holdfast_orchestrator.state.json_object import time_text
from holdfast_orchestrator.state.lease import Lease
from holdfast_orchestrator.state.object_store import StoredObject
from holdfast_orchestrator.state_admin.adopt_refusals import refuse_own_places, refuse_unfit
from holdfast_orchestrator.state_admin.adopt_way import Wanted, Way, count, way_to
from holdfast_orchestrator.state_admin.operator import Operator
from holdfast_orchestrator.state_admin.sources import Note, adoption_lock
from holdfast_orchestrator.terraform.given_state import given_state
from holdfast_orchestrator.terraform.state_file import Recorded, StateObject, read_state


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What an adoption would do. `given` is the state, `now` what lies at the shard's own place."""

    wanted: Wanted
    given: StateObject
    content: bytes = field(repr=False)
    now: StateObject
    stored: StoredObject | None = field(repr=False)
    way: Way

    @property
    def document(self) -> Mapping[str, Any]:
        """The state."""
        return self.given.document or {}

    @property
    def objects(self) -> int:
        """How many objects it manages."""
        return count(self.given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An adoption that was made. `mark` says so at the old place; `backup` is of what was there before."""

    run: str
    mark: str
    backup: str | None


def propose(wanted: Wanted) -> Proposal:
    """Say what taking the state over would do; changes nothing.

    Raises UsageError for what is no state, or not one of this stack, GateError where another shard has it or
    another state is there, NeedsPersonError where what is there is damaged or a run has not ended.
    """
    refuse_own_places(wanted)
    content = wanted.source.read()
    given = given_state(wanted.source.place, content)
    refuse_unfit(wanted, given)
    stored = wanted.store.get(wanted.shard.state.key)
    now = read_state(wanted.target, None if stored is None else stored.body)
    return Proposal(
        wanted=wanted, given=given, content=content, now=now, stored=stored, way=way_to(wanted, given, now)
    )


def carry_out(
    proposal: Proposal, operator: Operator, *, on_step: Callable[[str], object] = lambda _: None
) -> Done:
    """Make the adoption that was proposed, and no other.

    Raises LeasedError where somebody is at work on the shard or at the source, NeedsPersonError where either
    is no longer what was looked at.
    """
    wanted, shard, now = proposal.wanted, proposal.wanted.shard, operator.runtime.clock.now()
    prove_conditional_writes(wanted.store, bucket=shard.state.bucket)
    with ExitStack() as held:
        lease = held.enter_context(
            operator.lease(wanted.store, shard.state.folder, f"adopting a state for {shard.name}")
        )
        bucket, into = shard.state.bucket, wanted.target
        held.enter_context(adoption_lock(wanted.store, shard.state.key, bucket=bucket, into=into, now=now))
        content = held.enter_context(wanted.source.held(now, into=into))
        _refuse_changed(proposal, content)
        backup = _put(proposal, operator, lease, on_step)
        on_step("writing the records")
        _note(proposal, operator)
        on_step(f"marking {wanted.source.place}")
        mark = wanted.source.mark(_note_of(proposal, operator))
    return Done(run=operator.run, mark=mark, backup=backup)


def _put(
    proposal: Proposal, operator: Operator, lease: Lease, on_step: Callable[[str], object]
) -> str | None:
    """Back up what is there and write the state over it, unless it is there already."""
    store, key = proposal.wanted.store, proposal.wanted.shard.state.key
    if proposal.way is Way.THERE:
        return None
    backup = None
    if proposal.stored is not None:
        on_step("backing up what is there")
        backup = operator.back_up(store, proposal.stored, "before adopt")
    lease.confirm()
    on_step(f"writing serial {proposal.given.serial}")
    etag = None if proposal.stored is None else proposal.stored.head.etag
    written = write_and_read_back(store, key, proposal.content, etag=etag)
    if written is None:
        raise NeedsPersonError(
            f"the state at {key} was changed by somebody else in the meantime; nothing was adopted",
            next_step="look again: holdfast adopt without --yes",
        )
    operator.back_up(store, written, "as it was adopted")
    return backup


def _note(proposal: Proposal, operator: Operator) -> None:
    """Write that this state is the one to expect, and where it came from."""
    wanted, given = proposal.wanted, proposal.given
    shard, now = wanted.shard, operator.runtime.clock.now()
    newer = proposal.way is Way.THERE and proposal.now.sha256 != given.sha256
    if not newer:
        record = StateRecord(
            run=operator.run,
            is_open=False,
            state=Recorded(given.lineage, given.serial, hashlib.sha256(proposal.content).hexdigest()),
            at=now,
            project=wanted.project or None,
            stack=shard.name,
        )
        note_state(wanted.store, shard.state.folder, record)
    adopted = Adopted(
        shard=shard.name,
        run=operator.run,
        at=now,
        actor=str(operator.actor),
        source=wanted.source.place,
        lineage=given.lineage,
        serial=given.serial,
        sha256=given.sha256,
        declared=None if shard.elsewhere is None else shard.elsewhere.place,
    )
    write_adopted(wanted.store, shard.state.folder, adopted)


def _note_of(proposal: Proposal, operator: Operator) -> Note:
    return Note(
        state_is_now_at=proposal.wanted.target,
        shard=proposal.wanted.shard.name,
        lineage=proposal.given.lineage,
        serial=proposal.given.serial,
        run=operator.run,
        actor=str(operator.actor),
        at=time_text(operator.runtime.clock.now()),
    )


def _refuse_changed(proposal: Proposal, content: bytes) -> None:
    wanted = proposal.wanted
    head = wanted.store.head(wanted.shard.state.key)
    before = proposal.stored
    if content != proposal.content or (head and head.etag) != (before and before.head.etag):
        which = wanted.target if content == proposal.content else wanted.source.place
        raise NeedsPersonError(
            f"{which} was changed by somebody else in the meantime; nothing was adopted",
            next_step="look again: holdfast adopt without --yes",
        )
