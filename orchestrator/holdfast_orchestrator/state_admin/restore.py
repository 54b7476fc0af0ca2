"""Restores an old state by hand: the only way in which anything but Terraform replaces a state.

    proposal = propose(place, copy)            # reads only; what it would orphan, and why it must not
    ended = carry_out(proposal, …)             # lease, Terraform's lock, backup, conditional write, read back

It works whatever lies there now: a state, a damaged or empty object, nothing. What is written has the
content of then, the lineage of the shard and a serial above every one seen, so that nobody mistakes it for
an older state. `terraform state push` could not do that into an absent or damaged object.
"""

import hashlib
import json
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from holdfast_orchestrator.errors import GateError, NeedsPersonError
from holdfast_orchestrator.record.belonging import ThisApp, records_of, refuse_other_app
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.moving import refuse_half_moved
from holdfast_orchestrator.record.state_record import StateRecord, note_state, read_state_record
from holdfast_orchestrator.state.backups import BACKUPS
from holdfast_orchestrator.state.conditional_writes import prove_conditional_writes
from holdfast_orchestrator.state.copies import StateCopies, StateCopy, highest_serial
from holdfast_orchestrator.state.exact_writes import create_once, write_and_read_back
from holdfast_orchestrator.state.lease import Lease
from holdfast_orchestrator.state.object_store import DurableStore, StoredObject
from holdfast_orchestrator.state.terraform_lock import holding_lock
from holdfast_orchestrator.state_admin.diff import RestoreDiff, restore_diff, restored
from holdfast_orchestrator.state_admin.operator import Operator
from holdfast_orchestrator.terraform.state_file import Condition, Recorded, StateObject, read_state
from holdfast_orchestrator.terraform.stateful_types import Protection


@dataclass(frozen=True, kw_only=True)
class StatePlace:
    """Where a shard's state lies, and what of it is protected beyond the lists.

    `project` is the app that asks; empty where no app does.
    """

    shard: str
    store: DurableStore
    bucket: str
    key: str
    project: str = ""
    protection: Protection = field(default_factory=Protection)

    @property
    def folder(self) -> str:
        """The shard's state folder."""
        return self.key.rpartition("/")[0]

    @property
    def copies(self) -> StateCopies:
        """The copies of the state."""
        return StateCopies(self.store, self.key)


@dataclass(frozen=True, kw_only=True)
class RestoreProposal:
    """What a restore would do.

    `warnings` are sentences; `stored` is the object it would replace; `open_run` the run that it would end.
    """

    place: StatePlace
    copy: StateCopy
    then: StateObject
    now: StateObject
    stored: StoredObject | None = field(repr=False)
    diff: RestoreDiff
    document: dict[str, Any] = field(repr=False)
    warnings: tuple[str, ...] = ()
    open_run: str | None = None

    @property
    def serial(self) -> int:
        """The serial the restored state would get."""
        return int(self.document["serial"])

    @property
    def needless(self) -> bool:
        """Whether the state is already what it would be restored to, and no open run is to be ended."""
        return self.now.sha256 == self.then.sha256 and self.open_run is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A restore that was made. `backup` is the key of what was there before, None for nothing."""

    serial: int
    lineage: str
    backup: str | None


def propose(place: StatePlace, copy: StateCopy) -> RestoreProposal:
    """Say what putting this copy back would do; changes nothing.

    Raises GateError where it must not be done: the copy belongs to another lineage, or to nobody knows whom,
    or the shard is another app's. Raises NeedsPersonError where a move of it did not end: the other of the
    two states counts on what lies here.
    """
    _refuse_other_app(place)
    before = _record(place)
    refuse_half_moved(place.store, None if before is None else before.moving)
    then, _ = place.copies.read(copy)
    stored = place.store.get(place.key)
    now = read_state(place.key, None if stored is None else stored.body)
    every = place.copies.all()
    record, warnings = _recorded(place)
    lineage = (
        record.lineage
        if record is not None
        else now.lineage or next((copied.lineage for copied in every), None)
    )
    diff = restore_diff(then, now, protection=place.protection, lineage=lineage)
    if diff.refusals:
        raise GateError(
            " ".join(diff.refusals),
            next_step=f"choose another copy: holdfast state backups {shlex.quote(place.shard)}",
        )
    document = restored(then, now)
    highest = max(highest_serial(every, then.lineage), -1 if record is None else record.serial)
    document["serial"] = max(document["serial"], highest + 1)
    return RestoreProposal(
        place=place,
        copy=copy,
        then=then,
        now=now,
        stored=stored,
        diff=diff,
        document=document,
        warnings=warnings,
        open_run=before.run if before is not None and before.is_open else None,
    )


def carry_out(
    proposal: RestoreProposal, operator: Operator, *, on_step: Callable[[str], object] = lambda _: None
) -> Restored:
    """Make the restore that was proposed, and no other.

    Raises LeasedError where somebody is at work on the shard, NeedsPersonError where the state is no longer
    the one that was compared, or is not what was written.
    """
    place = proposal.place
    prove_conditional_writes(place.store, bucket=place.bucket)
    doing = f"restoring the state of {place.shard}"
    now = operator.runtime.clock.now()
    with (
        operator.lease(place.store, place.folder, doing) as lease,
        holding_lock(
            place.store, place.key, bucket=place.bucket, operation="holdfast state restore", now=now
        ),
    ):
        return _carry_out(proposal, operator, lease, on_step)


def _carry_out(
    proposal: RestoreProposal, operator: Operator, lease: Lease, on_step: Callable[[str], object]
) -> Restored:
    place, body = proposal.place, json.dumps(proposal.document, indent=2).encode() + b"\n"
    _still(proposal)
    on_step("backing up what is there")
    backup = _back_up(proposal, operator)
    lease.confirm()
    on_step(f"writing serial {proposal.serial}")
    etag = None if proposal.stored is None else proposal.stored.head.etag
    if write_and_read_back(place.store, place.key, body, etag=etag) is None:
        raise _overtaken(place)
    _note(proposal, operator, body)
    return Restored(serial=proposal.serial, lineage=proposal.then.lineage, backup=backup)


def _record(place: StatePlace) -> StateRecord | None:
    """The record of the state; one that is damaged counts as none."""
    with suppress(NeedsPersonError):
        kept = read_state_record(place.store, place.folder)
        return None if kept is None else kept.record
    return None


def _refuse_other_app(place: StatePlace) -> None:
    with suppress(NeedsPersonError):
        good, record = records_of(place.store, place.folder)
        refuse_other_app(ThisApp(place.project), place.key, good=good, record=record)


def _recorded(place: StatePlace) -> tuple[Recorded | None, tuple[str, ...]]:
    """Return the state that Holdfast last recorded, and warnings about the records."""
    try:
        kept = read_state_record(place.store, place.folder)
    except NeedsPersonError:
        return None, ("the record of this shard's state cannot be read; deploy with --rebaseline afterwards",)
    warnings: tuple[str, ...] = ()
    if kept is not None and kept.record.is_open:
        warnings = (f"run {kept.record.run} of this shard did not end; it cannot be resumed afterwards",)
    if kept is not None and kept.record.state is not None:
        return kept.record.state, warnings
    with suppress(NeedsPersonError):
        good = read_last_good(place.store, place.folder)
        return (None if good is None else good.record.state), warnings
    return None, warnings


def _still(proposal: RestoreProposal) -> None:
    head = proposal.place.store.head(proposal.place.key)
    before = proposal.stored
    if (head and head.etag) != (before and before.head.etag):
        raise _overtaken(proposal.place)


def _back_up(proposal: RestoreProposal, operator: Operator) -> str | None:
    stored, place = proposal.stored, proposal.place
    if stored is None or not stored.body:
        return None
    if proposal.now.condition is not Condition.WHOLE:
        # Nothing to restore from later, but perhaps something to read in it.
        key = f"{BACKUPS}/{place.folder}/damaged/{hashlib.sha256(stored.body).hexdigest()}.bin"
        create_once(place.store, key, stored.body)
        return key
    return operator.back_up(place.store, stored, "before restore")


def _note(proposal: RestoreProposal, operator: Operator, body: bytes) -> None:
    """Record the state for the next deploy. A record that cannot be read was warned of before."""
    state = Recorded(proposal.then.lineage, proposal.serial, hashlib.sha256(body).hexdigest())
    record = StateRecord(run=operator.run, is_open=False, state=state, at=operator.runtime.clock.now())
    with suppress(NeedsPersonError):
        note_state(proposal.place.store, proposal.place.folder, record)


def _overtaken(place: StatePlace) -> NeedsPersonError:
    return NeedsPersonError(
        f"the state at {place.key} was changed by somebody else in the meantime; nothing was restored",
        next_step="look at the difference again",
    )
