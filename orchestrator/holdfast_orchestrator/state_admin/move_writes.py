"""Carries a proposed move out: what is written, and in which order.

    backups of both states
    both state records    that a move is begun, and which states it gives (`record.moving`)
    the gaining state     for a moment both have the objects, never none
    the giving state
    both last-good        so that the next deploy that fails is undone to what is right now
    both state records    which state to expect, and what came and went; the gainer's is the last

After a kill the same command goes on. Each write is made over exactly what was looked at.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.moving import Moving
from holdfast_orchestrator.record.shard_record import note_of
from holdfast_orchestrator.record.state_record import (
    Handed,
    Received,
    StateRecord,
    read_state_record,
    write_state_record,
)
from holdfast_orchestrator.state.conditional_writes import prove_conditional_writes
from holdfast_orchestrator.state.exact_writes import write_and_read_back
from holdfast_orchestrator.state.lease import Lease
from holdfast_orchestrator.state.object_store import ObjectStore
from holdfast_orchestrator.state.terraform_lock import holding_lock_again
from holdfast_orchestrator.state_admin.move import Proposal, Side
from holdfast_orchestrator.state_admin.moved_records import promote_both
from holdfast_orchestrator.state_admin.operator import Operator
from holdfast_orchestrator.terraform.state_file import Recorded, read_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A move that was made; `backups` are of both states from before, by shard name.

    `not_good` says why the last good deployments could not be rewritten; None: they were.
    """

    run: str
    backups: Mapping[str, str]
    not_good: str | None = None


def carry_out(
    proposal: Proposal, operator: Operator, *, on_step: Callable[[str], object] = lambda _: None
) -> Done:
    """Make the move that was proposed, and no other.

    Raises LeasedError where somebody is at work on one of the two, NeedsPersonError where a state is no
    longer the one that was looked at.
    """
    wanted, now = proposal.wanted, operator.runtime.clock.now()
    sides = sorted((proposal.source, proposal.target), key=lambda side: side.shard.state.folder)
    prove_conditional_writes(wanted.store, bucket=wanted.target.state.bucket)
    doing = f"moving objects from {wanted.source.name} to {wanted.target.name}"
    with ExitStack() as held:
        leases = {
            side.shard.name: held.enter_context(operator.lease(wanted.store, side.shard.state.folder, doing))
            for side in sides
        }
        for side in sides:
            place = side.shard.state
            held.enter_context(
                holding_lock_again(
                    wanted.store, place.key, bucket=place.bucket, operation="holdfast move", now=now
                )
            )
        on_step("backing up both states")
        backups = {
            side.shard.name: operator.back_up(wanted.store, side.stored, "before move")
            for side in sides
            if side.stored
        }
        moving = proposal.begun or _begin(proposal, operator, now)
        for side in (proposal.target, proposal.source):
            if side.new is not None:
                on_step(f"writing the state of {side.shard.name}")
                _write(side, side.new, wanted.store, leases)
        on_step("writing the last good deployments of both")
        not_good = promote_both(proposal, moving, operator.actor, now)
        for side in (proposal.source, proposal.target):
            _note(proposal, side, moving, now)
    return Done(run=operator.run, backups=backups, not_good=not_good)


def _begin(proposal: Proposal, operator: Operator, now: datetime) -> Moving:
    """Say in both records what is going to be written, before it is."""
    target, source = proposal.target, proposal.source
    moving = Moving(
        run=operator.run,
        source=note_of(source.shard),
        target=note_of(target.shard),
        addresses=tuple(sorted(proposal.addresses)),
        states={side.shard.state.folder: _recorded(side.content) for side in (source, target)},
        first=(source if target.new is None else target).shard.state.folder,
    )
    for side in (target, source):
        record = _record(proposal, side, now)
        write_state_record(
            proposal.wanted.store, side.shard.state.folder, replace(record, moving=moving), after=side.record
        )
    return moving


def _record(proposal: Proposal, side: Side, now: datetime) -> StateRecord:
    """Return the shard's record, or a first one of the state that lies there."""
    if side.record is not None:
        return side.record.record
    recorded = None if side.stored is None else _recorded(side.stored.body)
    project = proposal.wanted.project or None
    # A record names a run; nothing has run here yet.
    return StateRecord(run="", is_open=False, state=recorded, at=now, project=project, stack=side.shard.name)


def _recorded(body: bytes) -> Recorded:
    return read_state("the state", body).recorded


def _write(side: Side, body: bytes, store: ObjectStore, leases: Mapping[str, Lease]) -> None:
    """Write a state over exactly the one that was looked at, and read it back."""
    key = side.shard.state.key
    leases[side.shard.name].confirm()
    etag = None if side.stored is None else side.stored.head.etag
    if write_and_read_back(store, key, body, etag=etag) is None:
        raise NeedsPersonError(
            f"the state at {key} was changed by somebody else in the meantime",
            next_step="look again: holdfast move without --yes",
        )


def _note(proposal: Proposal, side: Side, moving: Moving, now: datetime) -> None:
    """Write which state to expect now, and what came or went."""
    store, folder = proposal.wanted.store, side.shard.state.folder
    kept = read_state_record(store, folder)
    before = _record(proposal, side, now) if kept is None else kept.record
    if before.moving is None and before.run == moving.run:
        return
    record = replace(
        before,
        run=moving.run,
        state=moving.states[folder],
        at=now,
        fingerprint=None,
        moving=None,
        project=proposal.wanted.project or before.project,
        stack=side.shard.name,
    )
    if side is proposal.target:
        received = [
            Received(identity=known.identity, source=moving.folders[0], run=moving.run, at=now)
            for known in proposal.moved
        ]
        record = replace(record, received=(*record.received, *received))
    else:
        handed = [
            Handed(identity=known.identity, address=known.address, id=known.id, run=moving.run, at=now)
            for known in proposal.moved
        ]
        record = replace(record, handed=(*record.handed, *handed))
    write_state_record(store, folder, record, after=kept)
