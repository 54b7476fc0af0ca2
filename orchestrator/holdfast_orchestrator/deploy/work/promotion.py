"""The one write that means "committed", and the record of the state it leaves."""

from dataclasses import replace

from holdfast_orchestrator.change_detection.fingerprinting import fingerprint_of
from holdfast_orchestrator.change_detection.upstream import outputs_needed
from holdfast_orchestrator.deploy.decisions.configuration import Pin
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard, recorded
from holdfast_orchestrator.deploy.work.preflight import RecordedShard
from holdfast_orchestrator.deploy.work.task import Baseline
from holdfast_orchestrator.record.fingerprint import ObjectStamp, VerifiedInputs
from holdfast_orchestrator.record.last_good import (
    LastGood,
    PinnedInput,
    Promoted,
    Rejected,
    promote,
    read_last_good,
)
from holdfast_orchestrator.record.shard_record import note_of
from holdfast_orchestrator.record.state_record import (
    Handed,
    KeptRecord,
    Leftovers,
    Received,
    StateRecord,
    write_state_record,
)
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot
from holdfast_orchestrator.terraform.holdings import unproven_in
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex
from holdfast_orchestrator.terraform.json_values import Document, digest
from holdfast_orchestrator.terraform.plan import read_plan


def promote_shard(leased: LeasedShard, attempt: Attempt) -> Promoted | None:
    """Write the record of what is good now. None where no state is left to speak of."""
    snapshot = attempt.verification.standing or leased.snapshot()
    if snapshot is None:
        return None
    record = LastGood(
        generation=0,
        run=attempt.run,
        artifact=attempt.artifact,
        state=snapshot.recorded,
        state_version=snapshot.version,
        outputs_sha256=digest(snapshot.outputs),
        inputs={
            name: PinnedInput(generation=pin.generation, outputs_sha256=pin.outputs_sha256)
            for name, pin in (
                () if attempt.verb == "destroy" else pins_now(leased, attempt.configuration).items()
            )
        },
        index=leased.index(snapshot.document),
        residual=attempt.verification.residual,
        accepted=attempt.verification.accepted,
        accepted_mark=attempt.verification.accepted_mark,
        health=tuple(attempt.health.answers),
        actor=leased.run_context.actor,
        git=leased.run_context.git,
        at=leased.run.clock.now(),
        project=leased.run.project or None,
        shard=note_of(leased.shard),
        verb=attempt.verb,
        target=attempt.task.target,
        rejected=_rejected(attempt),
        not_made=_not_made(attempt, snapshot.document, leased.index(snapshot.document)),
    )
    after = None if attempt.good is None else attempt.good.promoted
    if after is not None and after.record.run == attempt.run:
        return after
    promoted = promote(leased.store, leased.folder, record, after=after)
    if attempt.verb != "destroy" and not attempt.objects.ownership.held:
        state = ObjectStamp(snapshot.etag, snapshot.version)
        attempt.verification.fingerprint = fingerprint_of(
            leased, promoted, state=state, proven=attempt.verification.proven
        )
    return promoted


def _not_made(attempt: Attempt, state: Document, now: IdentityIndex) -> frozenset[Identity]:
    """What the shard has and no run of it is proven to have made; what a record says of that stays so."""
    earlier = frozenset[Identity]() if attempt.good is None else attempt.good.record.not_made
    fresh = {tracked for tracked in now if tracked.identity not in attempt.before.index}
    unproven = unproven_in(state, attempt.objects.sightings) - attempt.objects.adopted
    made = {change.address for plan in attempt.planning.plans for change in read_plan(plan) if change.creates}
    taken_over = {
        tracked.identity
        for tracked in fresh
        if tracked.address in attempt.imported or (tracked.address in made and tracked.identity in unproven)
    }
    return (earlier | taken_over) & {tracked.identity for tracked in now}


def _rejected(attempt: Attempt) -> tuple[Rejected, ...]:
    """The versions that were rolled back from by hand; what is deployed again knowingly is none any more."""
    before = () if attempt.good is None else attempt.good.record.rejected
    kept = {each.configuration: each for each in before}
    if attempt.task.rejected is not None:
        kept[attempt.task.rejected.configuration] = attempt.task.rejected
    if attempt.verb == "deploy":
        kept.pop(digest(attempt.configuration), None)
    return tuple(kept.values())


def pins_now(leased: LeasedShard, configuration: Document) -> dict[str, Pin]:
    """What a configuration reads from each upstream shard: the digest of exactly those outputs."""
    pins = {}
    for upstream, names in outputs_needed(configuration, leased.run.manifest).items():
        other = leased.run.manifest.by_name[upstream]
        store = leased.run.tools.store(other)
        snapshot = read_snapshot(store, other.state.key)
        outputs = {} if snapshot is None else snapshot.outputs
        good = read_last_good(store, other.state.folder)
        pins[upstream] = Pin(
            generation=0 if good is None else good.record.generation,
            outputs_sha256=digest({name: outputs.get(name) for name in sorted(names)}),
        )
    return pins


def open_record(leased: LeasedShard, attempt: Attempt) -> KeptRecord:
    """Say that a run is about to change the shard."""
    record = StateRecord(
        run=attempt.run,
        is_open=True,
        state=recorded(attempt.before.snapshot),
        leftovers=attempt.leftovers,
        at=leased.run.clock.now(),
        seconds=None if attempt.kept is None else attempt.kept.record.seconds,
        project=leased.run.project or None,
        stack=leased.shard.name,
        received=() if attempt.kept is None else attempt.kept.record.received,
        handed=() if attempt.kept is None else attempt.kept.record.handed,
        held=() if attempt.kept is None else attempt.kept.record.held,
    )
    return write_state_record(leased.store, leased.folder, record, after=attempt.kept)


def close_record(leased: LeasedShard, attempt: Attempt, *, leftovers: Leftovers | None = None) -> None:
    """Say that the run has ended, and which state it left. Without `leftovers` nothing is unsettled."""
    if attempt.kept is None or not attempt.kept.record.is_open:
        return
    record = replace(
        attempt.kept.record,
        is_open=False,
        state=recorded(attempt.verification.standing or leased.snapshot()),
        leftovers=leftovers or Leftovers(),
        at=leased.run.clock.now(),
        fingerprint=attempt.verification.fingerprint if leftovers is None else None,
        seconds=(leased.run.clock.now() - attempt.task.began).total_seconds(),
    )
    if leftovers is None and attempt.rollback is None:
        record = _with_moves(leased, attempt, record)
    attempt.kept = write_state_record(leased.store, leased.folder, record, after=attempt.kept)


def _with_moves(leased: LeasedShard, attempt: Attempt, record: StateRecord) -> StateRecord:
    """The record with what came from other shards, and what went to them: a rollback by hand needs it."""
    good = () if attempt.good is None else (attempt.good.record.artifact,)
    record = replace(record, held=(*good, *record.held) if attempt.objects.ownership.held else ())
    if not (attempt.objects.ownership.received or attempt.objects.handed_over):
        return record
    snapshot = attempt.verification.standing or leased.snapshot()
    now = leased.index(None if snapshot is None else snapshot.document).by_address
    received = [
        Received(identity=now[address].identity, source=source, run=attempt.run, at=record.at)
        for address, source in sorted(attempt.objects.ownership.received.items())
        if address in now
    ]
    handed = [
        Handed(identity=tracked.identity, address=address, id=tracked.id, run=attempt.run, at=record.at)
        for address, tracked in sorted(attempt.objects.handed_over.items())
    ]
    return replace(record, received=(*record.received, *received), handed=(*record.handed, *handed))


def before_now(leased: LeasedShard, snapshot: StateSnapshot | None) -> Baseline:
    """What there is before anything was changed."""
    return Baseline(
        snapshot=snapshot, index=leased.index(None if snapshot is None else snapshot.document), backup=None
    )


def renew_fingerprint(
    leased: LeasedShard, recorded: RecordedShard, good: Promoted, proven: VerifiedInputs | None
) -> None:
    """Write down what a plan that found nothing has proven of a deployment that is recorded already."""
    kept, stored = recorded.kept, leased.store.head(leased.shard.state.key)
    if kept is None or kept.record.is_open or kept.record.leftovers != Leftovers() or stored is None:
        return
    fingerprint = fingerprint_of(leased, good, state=ObjectStamp(stored.etag, stored.version), proven=proven)
    if fingerprint is not None and fingerprint != kept.record.fingerprint:
        write_state_record(
            leased.store, leased.folder, replace(kept.record, fingerprint=fingerprint), after=kept
        )
