"""The phases of a rollback: build, plan, guard, apply and prove the way back to the last good version.

A rollback never starts another rollback. What the guard refuses is left as it is, for a person.
"""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from holdfast_orchestrator.deploy.decisions.configuration import RollbackConfiguration, build_rollback
from holdfast_orchestrator.deploy.decisions.guard import Violation
from holdfast_orchestrator.deploy.phases.assessment import Assessment, examine, in_doubt
from holdfast_orchestrator.deploy.phases.irreversible import (
    refuse_changed_inputs,
    refuse_lost_artifact,
    refuse_point_of_no_return,
)
from holdfast_orchestrator.deploy.phases.letting_go import creates_of_others, deletes_of_others
from holdfast_orchestrator.deploy.phases.rollback_inputs import (
    failed,
    goal_of,
    let_go,
    needs_of,
    tell_overwritten,
)
from holdfast_orchestrator.deploy.phases.rollback_plan import broken_rules, planned_back
from holdfast_orchestrator.deploy.phases.state_recovery import repair_state, settle_doubts
from holdfast_orchestrator.deploy.phases.tag_search import may_be_adopted, tagged_arns
from holdfast_orchestrator.deploy.phases.verification import prove, sentence, to_keep, told
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import BlockedRollbackError
from holdfast_orchestrator.deploy.work.kept_inputs import inputs_to_go_back_with
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import decisions
from holdfast_orchestrator.deploy.work.rollback_attempt import RollbackAttempt
from holdfast_orchestrator.deploy.work.sightings import holdings_of, note_sightings
from holdfast_orchestrator.deploy.work.terraform_locks import release_our_lock
from holdfast_orchestrator.engine.diagnostics import Diagnostic
from holdfast_orchestrator.errors import EngineError, GateError, NeedsPersonError
from holdfast_orchestrator.lifecycle import ROLLBACK_RETRIES, Phase
from holdfast_orchestrator.record.journal.saved_plan import keep_plan
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.plan import read_plan
from holdfast_orchestrator.terraform.state_edits import (
    deposed_to_swap,
    forget_in_state,
    move_in_state,
    swap_deposed,
)


def snapshot_partial(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Back up what the failure has left."""
    with leased.phase(Phase.PARTIAL_SNAPSHOT) as entry:
        leased.step("rolling back")
        if (snapshot := leased.snapshot()) is not None:
            entry["backup"] = leased.back_up(snapshot, "before rollback", artifact=attempt.artifact)
    return Phase.RB_BUILD


def build(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Work out the configuration to go back to, and make the edits only the state can express."""
    with leased.phase(Phase.RB_BUILD, retry=attempt.course.rollback_retries) as entry:
        refuse_lost_artifact(attempt)
        refuse_point_of_no_return(attempt)
        refuse_changed_inputs(leased, attempt)
        _swap_deposed(leased, attempt)
        assessment, rollback, built = _built(leased, attempt)
        # After a restart: a try that died may have made something too.
        if doubts := in_doubt(attempt, assessment):
            entry["found"] = [probed.to_json() for probed in settle_doubts(leased, attempt, doubts)]
            assessment, rollback, built = _built(leased, attempt)
        if built.problems:
            raise BlockedRollbackError(
                " ".join(built.problems),
                next_step=f"go on from what stands: holdfast resume {attempt.run} --accept-forward",
                violations=(),
            )
        let_go(attempt, rollback.needs, assessment.now, taken=assessment.settled.taken)
        tell_overwritten(attempt, rollback.needs, assessment.stored.document, rollback.created)
        entry["let_go"] = sorted(attempt.objects.let_go)
        _edit_state(leased, built)
    return Phase.RB_PLANNED


def recall(leased: LeasedShard, attempt: Attempt) -> None:
    """Work out once more what a dead run went back to: what its apply may have made is declared there.

    Changes nothing.
    """
    if attempt.good is None or attempt.good.lost is None:
        _built(leased, attempt)


def _built(
    leased: LeasedShard, attempt: Attempt
) -> tuple[Assessment, RollbackAttempt, RollbackConfiguration]:
    """Begin a try from the state as it is now; return what was assessed, the try, and its configuration."""
    assessment = examine(leased, attempt)
    created = assessment.settled.created | attempt.objects.adopted | attempt.leftovers.created
    needs = needs_of(leased, attempt, assessment, created)
    built = build_rollback(goal_of(attempt), failed(leased, attempt), needs=needs, state=assessment.now)
    attempt.rollback = RollbackAttempt(
        needs=needs,
        built=built,
        created=frozenset(created),
        inputs=inputs_to_go_back_with(leased, attempt, built.configuration),
    )
    return assessment, attempt.rollback, built


def give_up(attempt: Attempt) -> None:
    """Undo no more: nothing is left to settle of the rollback that was tried."""
    attempt.rollback = None


def note_error(attempt: Attempt, error: str) -> None:
    """Keep what went wrong on the way back."""
    attempt.rollback = _rollback_of(attempt).with_errors(error)


def reopen(attempt: Attempt) -> None:
    """Take up the rollback of a dead run where its apply may have ended: nothing of it is built any more."""
    attempt.rollback = RollbackAttempt()


def _rollback_of(attempt: Attempt) -> RollbackAttempt:
    return attempt.rollback or RollbackAttempt()


def plan(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Plan the rollback against the newest state, and hold exactly this plan against the rules.

    Raises BlockedRollbackError where a rule is broken, or where others have by now what the plan would make.
    """
    with leased.phase(Phase.RB_PLANNED) as entry:
        rollback = attempt.rollback = planned_back(leased, attempt, _rollback_of(attempt))
        violations = broken_rules(leased, attempt, rollback)
        entry["changes"] = sorted(read_plan(rollback.plan).touched) if rollback.plan else []
        entry["violations"] = [
            leased.run.redactor.text(f"{each.rule} {each.sentence}") for each in violations
        ]
        if rollback.plan:
            entry.update(_remembered(leased, attempt))
    if violations:
        raise BlockedRollbackError(
            "undoing this is refused: " + " ".join(dict.fromkeys(each.sentence for each in violations)),
            next_step=_ways_on(attempt.run, violations),
            violations=violations,
        )
    refuse_what_others_have(leased, attempt)
    return Phase.RB_APPLYING


def _remembered(leased: LeasedShard, attempt: Attempt) -> dict[str, Any]:
    """Keep what another machine needs to find what this plan made, in case this one dies."""
    plan = _rollback_of(attempt).plan
    asked = any(
        _makes_our_own(leased, earlier)
        for earlier in (*attempt.planning.plans, *attempt.planning.rollback_plans)
    )
    attempt.planning.rollback_plans.append(plan)
    kept = keep_plan(leased.store, attempt.run, plan)
    if asked or not _makes_our_own(leased, plan):
        return {"plan": kept}
    # Nothing that carries the shard's tags was to be made so far.
    tagged = attempt.objects.tagged_before = tagged_arns(leased)
    return {"plan": kept, "tagged": None if tagged is None else sorted(tagged)}


def _makes_our_own(leased: LeasedShard, plan: Document) -> bool:
    return any(may_be_adopted(change, leased.shard) for change in read_plan(plan))


def refuse_what_others_have(leased: LeasedShard, attempt: Attempt) -> None:
    """Raise BlockedRollbackError where another shard has by now what the rollback's plan would make."""
    rollback = _rollback_of(attempt)
    if rollback.plan_file is None:
        return
    if taken := creates_of_others(leased, rollback.plan):
        owners = "; ".join(f"{address} is {owner}'s now" for address, owner in sorted(taken.items()))
        raise BlockedRollbackError(
            f"undoing this is refused: {owners}",
            next_step=f"holdfast rollback {shlex.quote(min(taken.values()))}, then: "
            f"holdfast resume {attempt.run} --continue",
            violations=(),
        )


def _ways_on(run: str, violations: Sequence[Violation]) -> str:
    """The next steps where the guard refuses: its own advice, or going on from what is deployed."""
    steps = dict.fromkeys(violation.next_step for violation in violations)
    forward = f"holdfast resume {run} --accept-forward"
    named = any(forward in step for step in steps)
    return "; ".join((*steps, *(() if named else (f"`{forward}` undoes nothing",))))


def apply(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Apply the guarded plan; it is never interrupted by us."""
    rollback = _rollback_of(attempt)
    if rollback.plan_file is not None and (taken := deletes_of_others(leased, attempt, rollback.plan)):
        reasons = (f"{address} would be deleted: {why}" for address, why in sorted(taken.items()))
        attempt.rollback = rollback.with_errors("; ".join(reasons))
        return Phase.RB_RETRY
    with leased.phase(Phase.RB_APPLYING, boot=leased.boot) as entry:
        if rollback.plan_file is not None and rollback.terraform is not None:
            leased.lease.confirm()
            applied = rollback.terraform.apply(
                rollback.plan_file, holdings=holdings_of(leased, attempt, rollback.plan)
            )
            entry.update(note_sightings(attempt, applied.watched))
            attempt.evidence.records.append(applied.record)
            errors = (diagnostic for diagnostic in applied.diagnostics if diagnostic.is_error)
            attempt.rollback = replace(
                rollback, plan_file=None, code=applied.code, errors=tuple(map(_in_words, errors))
            )
        entry["code"] = _rollback_of(attempt).code
    return Phase.RB_SETTLE


def _in_words(error: Diagnostic) -> str:
    return f"{error.summary}: {error.detail}" if error.detail else error.summary


def settle(leased: LeasedShard, attempt: Attempt) -> Phase:
    """See that the state was saved; recover it where it was not."""
    with leased.phase(Phase.RB_SETTLE) as entry:
        assessment = examine(leased, attempt)
        entry["state"] = type(assessment.decision).__name__
        if not assessment.state_is_whole:
            repair_state(leased, attempt, assessment)
        if not assessment.state_is_whole or _rollback_of(attempt).built is None:
            # What was recovered, and what a restart found, needs a plan of its own.
            return Phase.RB_RETRY
        if doubts := in_doubt(attempt, assessment):
            probed = settle_doubts(leased, attempt, doubts)
            entry["found"] = [each.to_json() for each in probed]
            if probed:
                return Phase.RB_RETRY
    return Phase.RB_VERIFY


def verify(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Plan again, to prove that the last good version is back."""
    rollback = _rollback_of(attempt)
    with leased.phase(Phase.RB_VERIFY) as entry:
        leased.step("verifying the rollback")
        try:
            proof = prove(leased, attempt, rollback.configuration, back=True)
        except EngineError as error:
            attempt.rollback = rollback.with_errors(error.what)
            return Phase.RB_RETRY
        entry.update(told(proof))
        if proof.proven or (
            not proof.lost and set(proof.differing) <= {*attempt.decision.skip, *rollback.skipped}
        ):
            return Phase.ROLLED_BACK
        attempt.rollback = rollback.with_errors(sentence(proof))
    return Phase.RB_RETRY


def retry(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Try again with a fresh plan, a bounded number of times. Raises NeedsPersonError after that."""
    attempt.course.rollback_retries += 1
    rollback = _rollback_of(attempt)
    with leased.phase(Phase.RB_RETRY, retry=attempt.course.rollback_retries):
        if attempt.course.rollback_retries > ROLLBACK_RETRIES:
            why = "; ".join(dict.fromkeys(rollback.errors)) or "it gave no reason"
            raise NeedsPersonError(
                f"the rollback failed {attempt.course.rollback_retries} times: {why}",
                next_step=decisions(attempt.run),
            )
        leased.run.clock.sleep(float(attempt.course.rollback_retries))
        with suppress(GateError):
            release_our_lock(leased)
        attempt.rollback = replace(rollback, errors=())
    return Phase.RB_BUILD


def _swap_deposed(leased: LeasedShard, attempt: Attempt) -> None:
    snapshot = leased.snapshot()
    if snapshot is None:
        return
    swaps = deposed_to_swap(snapshot.document, to_keep(attempt))
    if swaps:
        leased.put_state(swap_deposed(snapshot.document, swaps), reason="before deposed objects are swapped")


def _edit_state(leased: LeasedShard, built: RollbackConfiguration) -> None:
    snapshot = leased.snapshot()
    if snapshot is None or not (built.state_moves or built.state_forgets):
        return
    document: Document = snapshot.document
    if built.state_forgets:
        document = forget_in_state(document, built.state_forgets)
    if built.state_moves:
        document = move_in_state(document, built.state_moves)
    leased.put_state(document, reason="before addresses are put right")
