"""Takes a run up again: each of its shards that is still open, on this machine or another."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from holdfast_orchestrator.app.manifest import Manifest, Shard, by_bucket
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult, finished
from holdfast_orchestrator.deploy.run_context import DeployPolicy, RunContext
from holdfast_orchestrator.deploy.run_recorder import RunRecorder, Transcribe
from holdfast_orchestrator.deploy.shard.crash_recovery import not_begun, take_up
from holdfast_orchestrator.deploy.shard.deploy import at_work
from holdfast_orchestrator.deploy.shard.journal_replay import noted_shard
from holdfast_orchestrator.deploy.shard.operator_decision import refuse_unknown_addresses
from holdfast_orchestrator.deploy.shard.result import ResultBuilder
from holdfast_orchestrator.deploy.work.ending import Ending
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.next_commands import again_command
from holdfast_orchestrator.deploy.work.preflight import look, refuse_another_app
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.deploy.work.terraform_locks import outwait_lock
from holdfast_orchestrator.errors import (
    HoldfastError,
    InterruptedSafelyError,
    NeedsPersonError,
    RolledBackError,
    UsageError,
    machine_errors,
)
from holdfast_orchestrator.events import RunFinished
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import journalled_shards, read_journal
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.runs import read_run
from holdfast_orchestrator.record.shard_record import shard_of
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.lease_record import LEASES, LeaseRecord, StoredLease, read_lease
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.system.workers import WorkerPool

_PATIENCE_SECONDS = 300.0
_READERS = 8
# Outcomes of a shard that a run is done with; they are the same for every later caller.
_STAYS = (Outcome.UNCHANGED, Outcome.COMMITTED, Outcome.ROLLED_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    """Which run to take up, what a person decided, and the command line for the records.

    `decision` None: nobody has decided anything. `patience` is for how many seconds a Terraform on another
    machine is waited for that holds the state. With `heeds_stop`, nothing is begun once a stop was asked for.
    """

    run: str
    decision: OperatorDecision | None
    command: str = ""
    patience: float = 0.0
    heeds_stop: bool = True


def shards_of_run(run: str, app: tuple[Shard, ...], stores: Iterable[DurableStore]) -> tuple[Shard, ...]:
    """Return the shards a run worked on: as it wrote them down itself, else as the app has them now.

    Where that does not tell, those whose lease it left behind: not every run that holds a shard has a record.
    Raises UsageError where there is no such run.
    """
    stores, names = tuple(stores), set[str]()
    written: dict[str, Shard] = {}
    for store in stores:
        record = read_run(store, run)
        names.update(() if record is None else record.shards)
        for name in journalled_shards(store, run):
            shard = noted_shard(read_journal(store, JournalName(run, name)))
            if shard is not None:
                written[name] = shard
    now = {shard.name: shard for shard in app}
    if not names or names - set(now) - set(written):
        leased = {shard.name: shard for store in stores for shard in _leased(run, app, store)}
        written = leased | written
    # What is kept of a run that ends today, and for how long, is what the app says today.
    shards_by_name = now | {
        name: replace(shard, keeping=now[name].keeping, directory=now[name].directory)
        if name in now
        else shard
        for name, shard in written.items()
    }
    shards = tuple(shards_by_name[name] for name in sorted(names | set(written)) if name in shards_by_name)
    if not shards:
        raise UsageError(f"there is no run {run} to take up", next_step="to see them: holdfast runs")
    return shards


def _leased(run: str, app: tuple[Shard, ...], store: DurableStore) -> Iterator[Shard]:
    """The shards whose lease a run has: of the app, or as they were last deployed."""
    by_folder = {shard.state.folder: shard for shard in app}
    with WorkerPool(_READERS, thread_name_prefix="leases") as readers:
        for lease in readers.map(lambda head: _lease(run, store, head.key), store.list(f"{LEASES}/")):
            if lease is None:
                continue
            shard = by_folder.get(lease.folder) or _as_deployed(store, lease.folder)
            if shard is not None:
                yield shard


def _lease(run: str, store: DurableStore, key: str) -> StoredLease | None:
    """The lease, where that run holds it. One that nobody can read is reported when its shard is taken."""
    stored = store.get(key)
    with suppress(NeedsPersonError):
        lease = None if stored is None else read_lease(stored)
        if lease is not None and lease.record.held and lease.record.kind == "run":
            return lease if lease.record.run == run else None
    return None


def _as_deployed(store: DurableStore, folder: str) -> Shard | None:
    good = read_last_good(store, folder)
    return None if good is None or good.record.shard is None else shard_of(good.record.shard)


def take_up_run(
    request: ResumeRequest, run: Run, shards: tuple[Shard, ...], transcribe: Transcribe
) -> RunResult:
    """Bring a run to its end, shard after shard; returns what became of each.

    `transcribe` makes the transcript of what is shown, for the records.

    Raises UsageError for a decision about an object that none of its shards knows; nothing is begun then.
    """
    if request.decision is not None:
        refuse_unknown_addresses(request.run, request.decision, shards, run.tools.store)
    began = run.clock.monotonic()
    transcript = transcribe(run.emit)
    run = replace(run, emit=transcript)
    run_context = RunContext.open(run, shards, DeployPolicy(operator=True))
    recorder = RunRecorder(
        run=run,
        run_context=run_context,
        verb="resume",
        shards=shards,
        command=request.command,
        transcript=transcript,
    )
    run.emit(run.started("resume", shards))
    if all(read_run(run.tools.store(first), run.id) is None for first, *_ in by_bucket(shards)):
        recorder.begin()
    with run.stop.guarding():
        results = tuple(_told(run, _taken_up(request, run, shard, run_context)) for shard in shards)
        result = RunResult(
            run=run.id,
            verb="resume",
            shards=results,
            seconds=run.clock.monotonic() - began,
            interrupted=run.stop.asked,
        )
        recorder.end(result)
    run.emit(RunFinished(run=run.id, outcomes=dict(result.counts), seconds=result.seconds))
    return result


def known_shards(shards: tuple[Shard, ...], others: tuple[Shard, ...]) -> Manifest:
    """A manifest of the shards of the run, with the other shards of the app beside them."""
    names = {shard.name for shard in shards}
    every = (*shards, *(other for other in others if other.name not in names))
    run_names = {shard.name for shard in every}
    kept = tuple(
        replace(shard, depends_on=tuple(name for name in shard.depends_on if name in run_names))
        for shard in every
    )
    return Manifest(kept)


def go_on(shard: Shard, run: Run, run_context: RunContext) -> ShardResult | None:
    """Bring to its end what a process that died had begun on a shard for this very run.

    None where it had changed nothing: then nothing is held any more, and the shard may be begun anew; what
    another run has left open there is its beginning's to deal with. Waits for the lease as the run's policy
    says, and a while for a Terraform that the dead has left somewhere. A stop that is asked for lets it
    finish, as it does what runs.
    """
    store = run.tools.store(shard)
    kept = read_state_record(store, shard.state.folder)
    holder = run_context.leases(store).holder(shard.state.folder)
    if run.id not in (kept and kept.record.run, holder and holder.run):
        return None
    take = ResumeRequest(run=run.id, decision=None, patience=_PATIENCE_SECONDS, heeds_stop=False)
    ended = _ended(take, run, shard, run_context)
    return ended if isinstance(ended, ShardResult) else None


def go_on_undoing(shard: Shard, run: Run, run_context: RunContext) -> ShardResult:
    """Roll this run's failed shard back once more, now that the shards above it went back."""
    take = ResumeRequest(
        run=run.id, decision=OperatorDecision(), patience=_PATIENCE_SECONDS, heeds_stop=False
    )
    return _taken_up(take, run, shard, run_context)


def _taken_up(request: ResumeRequest, run: Run, shard: Shard, run_context: RunContext) -> ShardResult:
    ended = _ended(request, run, shard, run_context)
    return ended if isinstance(ended, ShardResult) else ResultBuilder(shard=shard, run=run).failed(ended)


def _ended(request: ResumeRequest, run: Run, shard: Shard, run_context: RunContext) -> ShardResult | Failure:
    """Take a shard up; return its result, or a failure where the run had changed nothing here."""
    began = run.clock.monotonic()
    builder = ResultBuilder(shard=shard, run=run)
    try:
        with machine_errors():
            ended = _under_lease(request, run, shard, run_context, builder)
    except InterruptedSafelyError:
        ended = builder.stopped(_still_open(request))
    except HoldfastError as error:
        ended = builder.stopped(error)
    if isinstance(ended, Failure):
        return ended
    return ended if ended.seconds else replace(ended, seconds=run.clock.monotonic() - began)


def _under_lease(
    request: ResumeRequest, run: Run, shard: Shard, run_context: RunContext, builder: ResultBuilder
) -> ShardResult | Failure:
    store = run.tools.store(shard)
    kept = read_state_record(store, shard.state.folder)
    holder = run_context.leases(store).holder(shard.state.folder)
    unfinished = kept.record.run if kept is not None and kept.record.is_open else None
    if unfinished != request.run and (holder is None or holder.run != request.run):
        return _standing(store, shard, request, builder, unfinished)
    if request.heeds_stop and run.stop.asked:
        raise _still_open(request)
    doing = f"resuming {shard.name}"
    with at_work(shard, run, run_context, doing=doing, heeds_stop=request.heeds_stop) as leased:
        outwait_lock(leased, seconds=request.patience)
        recorded = look(leased)
        refuse_another_app(leased, recorded)
        if recorded.unfinished != request.run:
            # It died before it had changed anything: what it held is given back, and that is all.
            standing = _standing(store, shard, request, builder, recorded.unfinished)
            untouched = standing == not_begun(store, request.run, shard)
            return _given_back(request, store, shard, holder) if untouched and holder else standing
        launched = take_up(leased, recorded, decision=request.decision, builder=builder)
        unchanged = not_begun(store, request.run, shard)
        if launched.ending.failure == unchanged:
            return unchanged
        return builder.launched(launched)


def _standing(
    store: DurableStore, shard: Shard, request: ResumeRequest, builder: ResultBuilder, unfinished: str | None
) -> ShardResult | Failure:
    """What became of a shard that the run has ended or never begun.

    `unfinished` is another run that has not come to its end here.
    """
    record = read_run(store, request.run)
    outcome = None if record is None else record.outcomes.get(shard.name)
    if record is not None and outcome in _STAYS:
        is_undone = outcome == Outcome.ROLLED_BACK
        stands = _undone(request, store, shard, builder) if is_undone else builder.good(Outcome(outcome))
        return replace(stands, seconds=record.seconds.get(shard.name, 0.0))
    if unfinished is not None:
        return Failure(
            reason=f"run {unfinished} is open here; it has not come to its end",
            next_step=f"holdfast resume {unfinished}",
            evidence=(),
        )
    return _by_its_journal(store, shard, request, builder)


def _by_its_journal(
    store: DurableStore, shard: Shard, request: ResumeRequest, builder: ResultBuilder
) -> ShardResult | Failure:
    good = read_last_good(store, shard.state.folder)
    if good is not None and good.record.run == request.run:
        return builder.good(Outcome.COMMITTED)
    entries = read_journal(store, JournalName(request.run, shard.name))
    phase = entries[-1].phase if entries else None
    if phase is Phase.PROMOTED:
        # Another deployment is the last good one by now.
        return builder.good(Outcome.COMMITTED)
    if phase is Phase.ROLLED_BACK:
        return _undone(request, store, shard, builder)
    if phase is Phase.KEPT:
        return builder.failed(
            _so(request, store, shard, f"run {request.run} had failed here, and undone nothing")
        )
    return not_begun(store, request.run, shard)


def _given_back(request: ResumeRequest, store: DurableStore, shard: Shard, holder: LeaseRecord) -> Failure:
    """The failure of a run that left nothing but a lease, with the command for a move that it began."""
    ended = f"run {request.run} ended while it was {holder.doing}"
    kept = read_state_record(store, shard.state.folder)
    moving = None if kept is None else kept.record.moving
    if moving is not None and moving.is_begun(store):
        reason = f"{ended}; what it held was given back, and the move is half done"
        return Failure(reason=reason, next_step=moving.command, evidence=())
    return _so(request, store, shard, f"{ended}; it left nothing open, and what it held was given back")


def _still_open(request: ResumeRequest) -> InterruptedSafelyError:
    return InterruptedSafelyError("interrupted; still open", next_step=f"holdfast resume {request.run}")


def _undone(request: ResumeRequest, store: DurableStore, shard: Shard, builder: ResultBuilder) -> ShardResult:
    return builder.ended(
        Ending(
            outcome=Outcome.ROLLED_BACK,
            exit_code=RolledBackError.exit_code,
            failure=_so(request, store, shard, f"run {request.run} had undone it already"),
        )
    )


def _so(request: ResumeRequest, store: DurableStore, shard: Shard, reason: str) -> Failure:
    record = read_run(store, request.run)
    again = again_command(shard, "deploy" if record is None else record.verb)
    return Failure(reason=reason, next_step=again, evidence=())


def _told(run: Run, result: ShardResult) -> ShardResult:
    run.emit(finished(result))
    return result
