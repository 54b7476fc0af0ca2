"""Drives the state machine of one shard's deploy: each phase does its work and names the next.

The phases and arrows are `lifecycle`'s; what a phase does is in `forward`, `state_recovery`, `rollback`
and `work.promotion`.
After the first write, an error becomes a phase, never an exception: going forward it is classified, going
back it is tried again, and what is left is a named state that a person can take up.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress

from holdfast_orchestrator.deploy.decisions.verdict import Verdict
from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.deploy.phases import forward
from holdfast_orchestrator.deploy.phases import rollback as undo
from holdfast_orchestrator.deploy.phases import state_recovery as recovery
from holdfast_orchestrator.deploy.phases.assessment import Assessment, examine, may_be_done, verdict_of
from holdfast_orchestrator.deploy.phases.destroy import destroy_again
from holdfast_orchestrator.deploy.phases.health import gate_health
from holdfast_orchestrator.deploy.phases.rollback_inputs import unproven
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.ending import Ending
from holdfast_orchestrator.deploy.work.failure import BlockedRollbackError, Failure, failure_of_error
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import (
    correct_and_deploy,
    deploy_after_all,
    deploy_command,
)
from holdfast_orchestrator.deploy.work.promotion import close_record, promote_shard
from holdfast_orchestrator.deploy.work.terraform_locks import release_our_lock
from holdfast_orchestrator.errors import (
    EXIT_FAILED,
    GateError,
    HoldfastError,
    LeasedError,
    NeedsPersonError,
    RolledBackError,
    machine_errors,
)
from holdfast_orchestrator.inputs.kept import doubts_about, reapplied
from holdfast_orchestrator.lifecycle import FORWARD_RETRIES, Phase, follow
from holdfast_orchestrator.record.state_record import Leftovers

_BACK = frozenset({
    Phase.PARTIAL_SNAPSHOT,
    Phase.RB_BUILD,
    Phase.RB_PLANNED,
    Phase.RB_APPLYING,
    Phase.RB_SETTLE,
    Phase.RB_VERIFY,
    Phase.RB_RETRY,
})  # fmt: skip
# What was proven is still so: nothing of ours has written the state since.
_AFTER_VERIFY = frozenset({Phase.HEALTH, Phase.PROMOTED})


def drive(leased: LeasedShard, attempt: Attempt, phase: Phase) -> Ending:
    """Go on from `phase` to an end.

    Raises LeasedError where the shard was taken from us: then nothing more is touched; WrongArrowError for a
    step that the table of phases does not have, which is a defect.
    """
    while True:
        if phase not in _AFTER_VERIFY:
            attempt.verification.standing = None
        ending = _ENDS.get(phase)
        if ending is not None:
            return ending(leased, attempt)
        phase = follow(phase, _next(leased, attempt, phase))


def _next(leased: LeasedShard, attempt: Attempt, phase: Phase) -> Phase:
    """Do the work of a phase, and return where it leads; an error leads somewhere too."""
    try:
        with machine_errors():
            return _STEPS[phase](leased, attempt)
    except LeasedError:
        raise
    except HoldfastError as error:
        return _after_error(leased, attempt, phase, error)


def _after_error(leased: LeasedShard, attempt: Attempt, phase: Phase, error: HoldfastError) -> Phase:
    """The phase that an error leads to: whatever was begun gets a named state."""
    if isinstance(error, NeedsPersonError):
        attempt.failure = _told(leased, error, attempt.failure)
        attempt.course.blocked = isinstance(error, BlockedRollbackError)
        return Phase.NEEDS_OPERATOR
    if phase in _BACK:
        undo.note_error(attempt, error.what)
        if phase is not Phase.RB_RETRY:
            return Phase.RB_RETRY
    if phase in (Phase.DELETING, Phase.RETRY_FORWARD, Phase.HEALTH):
        attempt.evidence.code = attempt.evidence.code or 1
        # A gate or a plan that refuses makes the failure definite, if it does not pass by itself.
        attempt.evidence.errors = (*attempt.evidence.errors, error.what)
        attempt.failure = attempt.failure or failure_of_error(error, leased.shard)
        attempt.health.healthy = attempt.health.healthy and phase is not Phase.HEALTH
        return Phase.CLASSIFY
    attempt.failure = _told(leased, error, attempt.failure)
    return Phase.NEEDS_OPERATOR


def _settle(leased: LeasedShard, attempt: Attempt) -> Phase:
    with leased.phase(Phase.SETTLE) as entry:
        if attempt.evidence.code != 0:
            _unlock(leased)
        assessment = examine(leased, attempt)
        entry.update(code=attempt.evidence.code, state=type(assessment.decision).__name__)
        entry["doubt"] = [step.address for step in assessment.settled.in_doubt]
    return Phase.VERIFY if attempt.evidence.code == 0 and assessment.state_is_whole else Phase.CLASSIFY


def _classify(leased: LeasedShard, attempt: Attempt) -> Phase:
    with leased.phase(Phase.CLASSIFY) as entry:
        if attempt.evidence.code != 0:
            _unlock(leased)
        assessment = examine(leased, attempt)
        verdict = verdict_of(attempt, assessment)
        if verdict in (Verdict.TRANSIENT, Verdict.DEFINITE) and _is_to_be_checked(attempt, assessment):
            # The exit code is a hint; a verify is the verdict.
            leased.step("verifying")
            before = attempt.failure
            configuration = (
                attempt.final_configuration if attempt.planning.deletes_begun else attempt.stage_configuration
            )
            forward.check(leased, attempt, configuration)
            attempt.failure = before or attempt.failure
            verdict = verdict_of(attempt, assessment)
        entry["verdict"] = verdict.name
        if attempt.failure is not None:
            entry["failure"] = leased.run.redactor.text(attempt.failure.reason)
    return _after_verdict(leased, attempt, verdict)


def _after_verdict(leased: LeasedShard, attempt: Attempt, verdict: Verdict) -> Phase:
    if verdict not in (Verdict.STATE_NOT_SAVED, Verdict.IN_DOUBT):
        undo.give_up(attempt)
    match verdict:
        case Verdict.STATE_NOT_SAVED:
            return Phase.STATE_RECOVERY
        case Verdict.IN_DOUBT:
            return Phase.RESOLVE
        case Verdict.APPLIED_AFTER_ALL:
            attempt.failure, attempt.evidence.code = None, 0
            return Phase.HEALTH
        case Verdict.CREDENTIALS:
            raise NeedsPersonError(
                "the credentials are not valid any more, so nothing can be done or undone with them",
                next_step=f"get new ones, then: holdfast resume {attempt.run}",
            )
        case Verdict.DEFINITE if _is_cut_off(leased, attempt):
            return Phase.RETRY_FORWARD
        case Verdict.TRANSIENT if attempt.course.retries < FORWARD_RETRIES and not leased.run.stop.asked:
            return Phase.RETRY_FORWARD
        case _:
            return Phase.KEPT if _is_kept(attempt) else Phase.PARTIAL_SNAPSHOT


def _is_kept(attempt: Attempt) -> bool:
    if attempt.verb == "destroy" or not attempt.policy.rollback:
        return True
    return not attempt.good_index.objects and attempt.policy.on_first_failure == "keep"


def _is_cut_off(leased: LeasedShard, attempt: Attempt) -> bool:
    """Whether a destroy was cut off, and nothing forbids to carry it on."""
    if attempt.verb != "destroy" or not attempt.course.goes_on or leased.run.stop.asked:
        return False
    return attempt.evidence.code != EXIT_FAILED and attempt.course.retries < FORWARD_RETRIES


def _is_to_be_checked(attempt: Attempt, assessment: Assessment) -> bool:
    if attempt.verification.verified is not None or not attempt.health.healthy:
        return False
    return attempt.verb == "destroy" or attempt.evidence.code is None or may_be_done(assessment)


def _health(leased: LeasedShard, attempt: Attempt) -> Phase:
    if attempt.verb == "destroy":
        return Phase.PROMOTED
    with leased.phase(Phase.HEALTH) as entry:
        gate_health(leased, attempt)
        entry.update(
            healthy=attempt.health.healthy, answers=[dict(answer) for answer in attempt.health.answers]
        )
    if not attempt.health.healthy:
        return Phase.CLASSIFY
    return (
        Phase.DELETING
        if attempt.planning.staging.put_off and not attempt.planning.deletes_begun
        else Phase.PROMOTED
    )


def _committed(leased: LeasedShard, attempt: Attempt) -> Ending:
    with leased.phase(Phase.PROMOTED) as entry:
        promoted = promote_shard(leased, attempt)
        entry["generation"] = None if promoted is None else promoted.record.generation
        close_record(leased, attempt)
    if attempt.decision.accept_forward:
        for note in attempt.notes:
            leased.say(note)
    return Ending(
        outcome=Outcome.COMMITTED,
        accepted=attempt.verification.accepted,
        verify=attempt.verification.reads,
    )


def _rolled_back(leased: LeasedShard, attempt: Attempt) -> Ending:
    with leased.phase(Phase.ROLLED_BACK) as entry:
        close_record(
            leased, attempt, leftovers=_leftovers(leased, attempt) if attempt.decision.skip else None
        )
        entry.update(forward.state_afterwards(leased))
    attempt.notes.extend(
        f"{address} was skipped: it stays as the failed version left it" for address in attempt.decision.skip
    )
    failure = attempt.failure or _unknown(leased)
    if attempt.good is None:
        done = "what it had made is destroyed again, verified"
    else:
        record = attempt.good.record
        done = f"last good {reapplied(record.run, doubts_about(leased.store, record.artifact))}"
    return Ending(
        outcome=Outcome.ROLLED_BACK,
        exit_code=RolledBackError.exit_code,
        accepted=attempt.verification.accepted,
        put_back=attempt.put_back,
        failure=Failure(
            reason=f"{failure.reason.removesuffix('.')}; {done}",
            next_step=failure.next_step if failure.lasts else correct_and_deploy(leased.shard),
            evidence=(*failure.evidence, *_origin(attempt), *attempt.notes),
        ),
    )


def _kept(leased: LeasedShard, attempt: Attempt) -> Ending:
    # A Terraform that was killed, in the verify's plan too, leaves its lock; somebody else's stays.
    with suppress(HoldfastError):
        release_our_lock(leased)
    assessment = examine(leased, attempt)
    with leased.phase(Phase.KEPT) as entry:
        close_record(leased, attempt, leftovers=_leftovers(leased, attempt))
        entry.update(forward.state_afterwards(leased))
    failure = attempt.failure or _unknown(leased)
    if attempt.verb == "destroy":
        return _half_destroyed(leased, attempt, failure)
    addresses = ", ".join(tracked.address for tracked in assessment.now) or "nothing"
    return Ending(
        outcome=Outcome.FAILED,
        exit_code=EXIT_FAILED,
        done=attempt.progress().counts(),
        failure=Failure(
            reason=failure.reason,
            next_step=failure.next_step,
            evidence=(
                *failure.evidence,
                *attempt.notes,
                f"there is now: {addresses}",
                "nothing was undone; the next deploy goes on from here",
            ),
        ),
    )


def _half_destroyed(leased: LeasedShard, attempt: Attempt, failure: Failure) -> Ending:
    left, again = attempt.verification.remaining, destroy_again(leased, attempt)
    count = "an unknown number of" if left is None else str(len(left))
    # Those are about a deploy.
    needless = {again, correct_and_deploy(leased.shard), deploy_after_all(leased.shard)}
    advice = "" if failure.next_step in needless else failure.next_step
    evidence = () if not left else (f"still there: {', '.join(left)}",)
    return Ending(
        outcome=Outcome.FAILED,
        exit_code=EXIT_FAILED,
        done=attempt.progress().counts(),
        failure=Failure(
            reason=f"{failure.reason}; {count} object{'' if count == '1' else 's'} still exist"
            f"{'s' if count == '1' else ''}",
            next_step=f"{advice}, then: {again}" if advice else again,
            evidence=(*failure.evidence, *attempt.notes, *evidence, "the next destroy goes on from here"),
        ),
    )


def _leftovers(leased: LeasedShard, attempt: Attempt) -> Leftovers:
    """What this run leaves behind for a later one to undo."""
    assessment = examine(leased, attempt)
    made = (assessment.settled.created | attempt.objects.adopted) - unproven(leased, attempt, assessment.now)
    return Leftovers(
        created=frozenset(attempt.leftovers.created | made),
        touched=attempt.touched,
        artifacts=tuple(dict.fromkeys((attempt.artifact, *attempt.leftovers.artifacts))),
        health_began=attempt.health_began,
    )


def _stuck(leased: LeasedShard, attempt: Attempt) -> Ending:
    failure = attempt.failure or _unknown(leased)
    leased.mark(
        Phase.NEEDS_OPERATOR,
        "before",
        reason=leased.run.redactor.text(failure.reason),
        blocked=attempt.course.blocked,
    )
    evidence = (*failure.evidence, *attempt.notes, f"run {attempt.run} stays open until somebody decides")
    return Ending(
        outcome=Outcome.BLOCKED if attempt.course.blocked else Outcome.NEEDS_HUMAN,
        exit_code=NeedsPersonError.exit_code,
        failure=Failure(
            reason=failure.reason,
            next_step=failure.next_step or f"holdfast resume {attempt.run} --continue",
            evidence=evidence,
        ),
    )


def _unlock(leased: LeasedShard) -> None:
    try:
        release_our_lock(leased)
    except GateError as error:
        # Somebody's lock on a state that is in the middle of a deploy is a person's to judge.
        raise NeedsPersonError(error.what, next_step=error.next_step) from None


def _origin(attempt: Attempt) -> tuple[str, ...]:
    if attempt.good is None:
        return ()
    record = attempt.good.record
    commit = f", commit {record.git[:12]}" if record.git else ""
    return (f"before: deploy {record.run} by {record.actor} on {record.at:%d %b %Y}{commit}",)


def _told(leased: LeasedShard, error: HoldfastError, earlier: Failure | None) -> Failure:
    latest = failure_of_error(error, leased.shard)
    if earlier is None or earlier.reason in latest.reason:
        return latest
    return Failure(
        reason=f"{latest.reason} (the deploy had failed: {earlier.reason})",
        next_step=latest.next_step,
        evidence=(*latest.evidence, *earlier.evidence),
    )


def _unknown(leased: LeasedShard) -> Failure:
    return Failure(
        reason="the run that deployed this died before it had ended",
        next_step=deploy_command(leased.shard),
        evidence=(),
    )


_STEPS: Mapping[Phase, Callable[[LeasedShard, Attempt], Phase]] = {
    Phase.APPLYING: forward.apply_stage_one,
    Phase.SETTLE: _settle,
    Phase.VERIFY: forward.verify,
    Phase.HEALTH: _health,
    Phase.DELETING: forward.make_deletes,
    Phase.CLASSIFY: _classify,
    Phase.STATE_RECOVERY: recovery.recover_state,
    Phase.RESOLVE: recovery.resolve,
    Phase.RETRY_FORWARD: forward.retry,
    Phase.PARTIAL_SNAPSHOT: undo.snapshot_partial,
    Phase.RB_BUILD: undo.build,
    Phase.RB_PLANNED: undo.plan,
    Phase.RB_APPLYING: undo.apply,
    Phase.RB_SETTLE: undo.settle,
    Phase.RB_VERIFY: undo.verify,
    Phase.RB_RETRY: undo.retry,
}
_ENDS: Mapping[Phase, Callable[[LeasedShard, Attempt], Ending]] = {
    Phase.PROMOTED: _committed,
    Phase.ROLLED_BACK: _rolled_back,
    Phase.KEPT: _kept,
    Phase.NEEDS_OPERATOR: _stuck,
}
