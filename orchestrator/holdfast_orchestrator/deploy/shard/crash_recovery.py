"""Finishes or undoes the work of a run that died, found by the open record it left."""

from dataclasses import replace

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.deploy.phases.rollback import recall, reopen
from holdfast_orchestrator.deploy.shard.journal_replay import old_shard, reopened
from holdfast_orchestrator.deploy.shard.result import ResultBuilder
from holdfast_orchestrator.deploy.shard.start import finish
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.ending import Ending, Launched
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import again_command, decisions, restore_commands
from holdfast_orchestrator.deploy.work.preflight import RecordedShard, look
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.deploy.work.terraform_locks import release_our_lock, wait_for_children
from holdfast_orchestrator.errors import EXIT_FAILED, NeedsPersonError
from holdfast_orchestrator.lifecycle import Phase, Resume, next_after_crash
from holdfast_orchestrator.record.artifact import PUT_BACK
from holdfast_orchestrator.record.journal.entry import Entry, JournalName, look_first
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.record.runs import read_run
from holdfast_orchestrator.record.state_record import write_state_record
from holdfast_orchestrator.state.object_store import DurableStore

_BACK = ("rb_", "partial_snapshot")


def finish_what_was_left(
    leased: LeasedShard, recorded: RecordedShard, *, destroying: bool = False
) -> RecordedShard:
    """End the run that was left unfinished, if there is one; return what is recorded afterwards.

    A destroy that was left is carried on by another destroy only: whoever deploys wants what is left.
    Raises NeedsPersonError where that run waits for somebody, or has to from now on.
    """
    run = recorded.unfinished
    if run is None:
        return recorded
    leased.say(f"run {run} was left unfinished; it is brought to an end first")
    launched = take_up(leased, recorded, decision=None, builder=None, destroying=destroying)
    ending = launched.ending
    if ending.failure is not None and ending.outcome in (Outcome.NEEDS_HUMAN, Outcome.BLOCKED):
        raise NeedsPersonError(
            f"run {run} is not at its end: {ending.failure.reason}", next_step=ending.failure.next_step
        )
    ended = ending.outcome.value.replace("_", " ") if ending.failure is None else ending.failure.reason
    leased.say(f"run {run}: {ended}")
    return look(leased)


def take_up(
    leased: LeasedShard,
    recorded: RecordedShard,
    *,
    decision: OperatorDecision | None,
    builder: ResultBuilder | None,
    destroying: bool = True,
) -> Launched:
    """Carry an unfinished run on, or undo it. `decision` None: nobody has decided anything.

    With `destroying` a destroy is carried on.
    `builder` is told how it ended, where that is the shard's end too.
    Raises NeedsPersonError where it waits for a decision and there is none.
    """
    kept = recorded.last_run
    wait_for_children(leased, next_step=f"holdfast resume {kept.record.run}")
    release_our_lock(leased)
    if recorded.good is not None and recorded.good.record.run == kept.record.run:
        return _only_close(leased, recorded)
    try:
        return _carried_on(leased, recorded, decision=decision, builder=builder, destroying=destroying)
    except NeedsPersonError as error:
        if error.next_step not in (look_first(leased.shard.name), PUT_BACK):
            raise
        ends = f"a restored state ends that run: {restore_commands(leased.store, leased.shard)}"
        raise NeedsPersonError(error.what, next_step=f"{error.next_step}; {ends}") from None


def _carried_on(
    leased: LeasedShard,
    recorded: RecordedShard,
    *,
    decision: OperatorDecision | None,
    builder: ResultBuilder | None,
    destroying: bool,
) -> Launched:
    name = JournalName(recorded.last_run.record.run, leased.shard.name)
    with Journal.resume(name, runtime=leased.run.runtime, store=leased.store) as journal:
        entries = journal.entries
        if _was_not_begun(entries):
            return _only_close(leased, recorded)
        old = replace(leased, journal=journal, shard=old_shard(leased, entries))
        attempt = reopened(old, recorded, entries, decision or OperatorDecision())
        attempt.course.goes_on = destroying
        return finish(old, attempt, _phase(old, attempt, entries, decision), builder=builder)


def _was_not_begun(entries: tuple[Entry, ...]) -> bool:
    if not entries:
        return True
    return next_after_crash(entries[-1].phase).action is Resume.START_OVER


def _phase(
    leased: LeasedShard, attempt: Attempt, entries: tuple[Entry, ...], decision: OperatorDecision | None
) -> Phase:
    last = entries[-1]
    if last.phase in (Phase.ROLLED_BACK, Phase.KEPT):
        return last.phase
    if decision is not None and decision.accept_forward:
        return _forward(leased, attempt, entries)
    if last.phase is Phase.NEEDS_OPERATOR:
        return _after_stuck(attempt, entries, decision)
    phase = next_after_crash(last.phase).phase
    if phase in (Phase.RB_SETTLE, Phase.RB_VERIFY):
        reopen(attempt)
        return Phase.RB_SETTLE
    if phase in (Phase.RETRY_FORWARD, Phase.HELD):
        return Phase.CLASSIFY
    return phase


def _forward(leased: LeasedShard, attempt: Attempt, entries: tuple[Entry, ...]) -> Phase:
    """Undo no more: settle what the rollback's apply had begun like what the deploy had begun."""
    if any(entry.phase is Phase.RB_APPLYING for entry in entries):
        recall(leased, attempt)
    return Phase.CLASSIFY


def _after_stuck(attempt: Attempt, entries: tuple[Entry, ...], decision: OperatorDecision | None) -> Phase:
    if decision is None:
        reason = entries[-1].data.get("reason", "it could not be told why")
        raise NeedsPersonError(
            f"run {attempt.run} waits for a decision: {reason}",
            next_step=decisions(attempt.run),
        )
    return Phase.RB_BUILD if any(entry.phase.value.startswith(_BACK) for entry in entries) else Phase.CLASSIFY


def _only_close(leased: LeasedShard, recorded: RecordedShard) -> Launched:
    """Close the record of a run that had changed nothing, or had only not closed it."""
    kept = recorded.last_run
    state = recorded.expected
    record = replace(kept.record, is_open=False, state=state, at=leased.run.clock.now())
    write_state_record(leased.store, leased.folder, record, after=kept)
    serial = None if state is None else state.serial
    if recorded.good is not None and recorded.good.record.run == kept.record.run:
        return Launched(ending=Ending(outcome=Outcome.COMMITTED), serial=serial, backup=None)
    ending = Ending(
        outcome=Outcome.FAILED,
        exit_code=EXIT_FAILED,
        failure=not_begun(leased.store, kept.record.run, leased.shard),
    )
    return Launched(ending=ending, serial=serial, backup=None)


def not_begun(store: DurableStore, run: str, shard: Shard) -> Failure:
    """The failure of a shard that a run never began to change."""
    record = read_run(store, run)
    return Failure(
        reason=f"run {run} ended before it had changed anything here; nothing was changed",
        next_step=again_command(shard, "deploy" if record is None else record.verb),
        evidence=(),
    )
