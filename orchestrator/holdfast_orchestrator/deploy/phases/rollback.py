"""The way back: last good configuration against the partial state, guarded, applied, proved.

A rollback never starts another rollback. What the guard refuses is left as it is, for a person.
"""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.inputs import NOTHING, Inputs
from holdfast_orchestrator.deploy.decisions.configuration import (
    RollbackConfiguration,
    RollbackNeeds,
    build_rollback,
)
from holdfast_orchestrator.deploy.decisions.guard import Bounds, Candidate, Violation, Written, judge_rollback
from holdfast_orchestrator.deploy.decisions.skipping import skipped_together
from holdfast_orchestrator.deploy.phases.assessment import Assessment, examine, in_doubt
from holdfast_orchestrator.deploy.phases.irreversible import (
    let_upstreams_go_first,
    refuse_changed_inputs,
    refuse_lost_artifact,
    refuse_point_of_no_return,
)
from holdfast_orchestrator.deploy.phases.letting_go import creates_of_others, deletes_of_others
from holdfast_orchestrator.deploy.phases.rollback_inputs import (
    declared_by_good,
    failed,
    goal_of,
    let_go,
    needs_of,
    tell_overwritten,
)
from holdfast_orchestrator.deploy.phases.state_recovery import repair_state, settle_doubts
from holdfast_orchestrator.deploy.phases.tag_search import may_be_adopted, tagged_arns
from holdfast_orchestrator.deploy.phases.verification import accepting_back, prove, sentence, to_keep, told
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import BlockedRollbackError
from holdfast_orchestrator.deploy.work.kept_inputs import inputs_to_go_back_with
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import decisions
from holdfast_orchestrator.deploy.work.sightings import holdings_of, note_sightings
from holdfast_orchestrator.deploy.work.terraform_locks import release_our_lock
from holdfast_orchestrator.engine.toolchain import dotted
from holdfast_orchestrator.errors import EngineError, GateError, NeedsPersonError
from holdfast_orchestrator.lifecycle import ROLLBACK_RETRIES, Phase
from holdfast_orchestrator.record.artifact import Artifact, read_artifact
from holdfast_orchestrator.record.journal.saved_plan import keep_plan
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.differences import judge_differences
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.plan import Stamp, prior_stamp, read_plan
from holdfast_orchestrator.terraform.state_edits import (
    deposed_to_swap,
    forget_in_state,
    move_in_state,
    swap_deposed,
)
from holdfast_orchestrator.terraform.versions import locked_providers

_FILE = "rollback.tfplan"
_LOCK = ".terraform.lock.hcl"


@dataclass(slots=True, kw_only=True)
class Rollback:
    """A rollback in the making."""

    needs: RollbackNeeds = field(default_factory=RollbackNeeds)
    built: RollbackConfiguration | None = None
    created: frozenset[Identity] = frozenset()
    prior: Stamp = field(default_factory=lambda: Stamp("", 0))
    terraform: Any = field(default=None, repr=False)
    plan_file: Path | None = None
    plan: Document = field(default_factory=dict, repr=False)
    code: int = 0
    errors: tuple[str, ...] = ()
    skipped: frozenset[str] = frozenset()
    inputs: Inputs = NOTHING

    @property
    def configuration(self) -> Document:
        """The configuration to go back to."""
        return {} if self.built is None else self.built.configuration


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
        found, built = _built(leased, attempt)
        # After a restart: a try that died may have made something too.
        if doubts := in_doubt(attempt, found):
            entry["found"] = [one.to_json() for one in settle_doubts(leased, attempt, doubts)]
            found, built = _built(leased, attempt)
        if built.problems:
            raise BlockedRollbackError(
                " ".join(built.problems),
                next_step=f"go on from what stands: holdfast resume {attempt.run} --accept-forward",
                violations=(),
            )
        let_go(attempt, attempt.rollback.needs, found.now, taken=found.settled.taken)
        tell_overwritten(attempt, attempt.rollback.needs, found.stored.document, attempt.rollback.created)
        entry["let_go"] = sorted(attempt.objects.let_go)
        _edit_state(leased, built)
    return Phase.RB_PLANNED


def recall(leased: LeasedShard, attempt: Attempt) -> None:
    """Work out once more what a dead run went back to: what its apply may have made is declared there.

    Changes nothing.
    """
    if attempt.good is None or attempt.good.lost is None:
        _built(leased, attempt)


def _built(leased: LeasedShard, attempt: Attempt) -> tuple[Assessment, RollbackConfiguration]:
    """Build the rollback from what there is now; return both."""
    assessment = examine(leased, attempt)
    created = assessment.settled.created | attempt.objects.adopted | attempt.leftovers.created
    needs = needs_of(leased, attempt, assessment, created)
    built = build_rollback(goal_of(attempt), failed(leased, attempt), needs=needs, state=assessment.now)
    attempt.rollback = Rollback(
        needs=needs,
        built=built,
        created=frozenset(created),
        inputs=inputs_to_go_back_with(leased, attempt, built.configuration),
    )
    return assessment, built


def plan(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Plan the rollback against the newest state, and hold exactly this plan against the rules.

    Raises BlockedRollbackError where a rule is broken, or where others have by now what the plan would make.
    """
    rollback: Rollback = attempt.rollback
    with leased.phase(Phase.RB_PLANNED) as entry:
        _plan_back(leased, attempt)
        violations = broken_rules(leased, attempt)
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


def _plan_back(leased: LeasedShard, attempt: Attempt) -> None:
    rollback: Rollback = attempt.rollback
    snapshot = leased.snapshot()
    rollback.prior = Stamp("", 0) if snapshot is None else Stamp(snapshot.lineage, snapshot.serial)
    rollback.terraform = leased.terraform(rollback.configuration, rollback.inputs)
    try:
        outcome = rollback.terraform.plan(out=_FILE)
    except EngineError as error:
        let_upstreams_go_first(leased, attempt, error)
        raise
    rollback.plan_file = outcome.plan if outcome.changes else None
    rollback.plan = rollback.terraform.show_plan(outcome.plan) if outcome.changes else {}
    if outcome.changes and attempt.decision.skip:
        _plan_without(leased, attempt)


def broken_rules(leased: LeasedShard, attempt: Attempt) -> tuple[Violation, ...]:
    """The rules that the rollback's plan breaks."""
    rollback: Rollback = attempt.rollback
    if rollback.plan_file is None:
        return ()
    runner = _written(rollback.terraform)
    candidate = Candidate(rollback.plan, prior_stamp(read_source(rollback.plan_file)), runner)
    return judge_rollback(candidate, _bounds(leased, attempt, runner))


def _remembered(leased: LeasedShard, attempt: Attempt) -> dict[str, Any]:
    """Keep what any machine needs to look for what this plan may have made, should this one die."""
    plan: Document = attempt.rollback.plan
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
    if attempt.rollback.plan_file is None:
        return
    if taken := creates_of_others(leased, attempt):
        told = "; ".join(f"{address} is {owner}'s now" for address, owner in sorted(taken.items()))
        raise BlockedRollbackError(
            f"undoing this is refused: {told}",
            next_step=f"holdfast rollback {shlex.quote(min(taken.values()))}, then: "
            f"holdfast resume {attempt.run} --continue",
            violations=(),
        )


def _ways_on(run: str, violations: Sequence[Violation]) -> str:
    """What can be done where the guard refuses: its own advice, and to go on from what is deployed."""
    steps = dict.fromkeys(one.next_step for one in violations)
    forward = f"holdfast resume {run} --accept-forward"
    named = any(forward in step for step in steps)
    return "; ".join((*steps, *(() if named else (f"`{forward}` undoes nothing",))))


def apply(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Apply the guarded plan; it is never interrupted by us."""
    rollback: Rollback = attempt.rollback
    if rollback.plan_file is not None and (taken := deletes_of_others(leased, attempt)):
        told = "; ".join(f"{address} would be deleted: {why}" for address, why in sorted(taken.items()))
        rollback.errors = (*rollback.errors, told)
        return Phase.RB_RETRY
    with leased.phase(Phase.RB_APPLYING, boot=leased.boot) as entry:
        if rollback.plan_file is not None:
            leased.lease.confirm()
            applied = rollback.terraform.apply(
                rollback.plan_file, holdings=holdings_of(leased, attempt, rollback.plan)
            )
            rollback.plan_file = None
            entry.update(note_sightings(attempt, applied.watched))
            attempt.evidence.records.append(applied.record)
            rollback.code = applied.code
            rollback.errors = tuple(
                f"{one.summary}: {one.detail}" if one.detail else one.summary
                for one in applied.diagnostics
                if one.is_error
            )
        entry["code"] = rollback.code
    return Phase.RB_SETTLE


def settle(leased: LeasedShard, attempt: Attempt) -> Phase:
    """See that the state was saved; recover it where it was not."""
    rollback: Rollback = attempt.rollback
    with leased.phase(Phase.RB_SETTLE) as entry:
        assessment = examine(leased, attempt)
        entry["state"] = type(assessment.decision).__name__
        if not assessment.state_is_whole:
            repair_state(leased, attempt, assessment)
        if not assessment.state_is_whole or rollback.built is None:
            # What was recovered, and what a restart found, needs a plan of its own.
            return Phase.RB_RETRY
        if doubts := in_doubt(attempt, assessment):
            there = settle_doubts(leased, attempt, doubts)
            entry["found"] = [one.to_json() for one in there]
            if there:
                return Phase.RB_RETRY
    return Phase.RB_VERIFY


def verify(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Plan again, to prove that the last good version is back."""
    rollback: Rollback = attempt.rollback
    with leased.phase(Phase.RB_VERIFY) as entry:
        leased.step("verifying the rollback")
        try:
            proof = prove(leased, attempt, rollback.configuration, back=True)
        except EngineError as error:
            rollback.errors = (*rollback.errors, error.what)
            return Phase.RB_RETRY
        entry.update(told(proof))
        if proof.proven or (
            not proof.lost and set(proof.differing) <= {*attempt.decision.skip, *rollback.skipped}
        ):
            return Phase.ROLLED_BACK
        rollback.errors = (*rollback.errors, sentence(proof))
    return Phase.RB_RETRY


def retry(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Once more with a fresh plan, a bounded number of times. Raises NeedsPersonError after that."""
    attempt.course.rollback_retries += 1
    rollback: Rollback = attempt.rollback or Rollback()
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
        rollback.errors = ()
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


def _plan_without(leased: LeasedShard, attempt: Attempt) -> None:
    """Plan again, of everything but the addresses a person leaves as they are.

    Raises BlockedRollbackError where Terraform takes one of them along for the sake of another.
    """
    rollback: Rollback = attempt.rollback
    skip = attempt.decision.skip
    planned = [change for change in read_plan(rollback.plan) if change.touches]
    rollback.skipped = frozenset(
        change.address for change in planned if {change.address, change.previous_address} & {*skip}
    )
    targets = sorted({change.address for change in planned} - rollback.skipped)
    if not targets:
        rollback.plan_file, rollback.plan = None, {}
        return
    outcome = rollback.terraform.plan(out=_FILE, targets=targets)
    rollback.plan_file = outcome.plan if outcome.changes else None
    # A plan with targets is never complete; what is left out was left out on purpose.
    shown = rollback.terraform.show_plan(outcome.plan) if outcome.changes else {}
    rollback.plan = {**shown, "complete": True} if shown else {}
    all_the_same = {
        change.address for change in read_plan(rollback.plan) if change.touches
    } & rollback.skipped
    if all_the_same:
        raise BlockedRollbackError(
            f"{', '.join(sorted(all_the_same))} cannot be skipped alone: other things to undo depend on it",
            next_step=_skip_more(leased, attempt, targets),
            violations=(),
        )


def _skip_more(leased: LeasedShard, attempt: Attempt, targets: Sequence[str]) -> str:
    """The command that skips what has to be skipped together, and the one that undoes nothing."""
    rollback: Rollback = attempt.rollback
    together = skipped_together(
        attempt.decision.skip, targets, configuration=rollback.configuration, state=_document(leased) or {}
    )
    options = " ".join(f"--skip {shlex.quote(address)}" for address in together)
    orphans = "".join(f" --orphan {shlex.quote(address)}" for address in attempt.decision.orphan)
    resume = f"holdfast resume {attempt.run}"
    return f"{resume} {options}{orphans}; or: {resume} --accept-forward"


def _bounds(leased: LeasedShard, attempt: Attempt, runner: Written) -> Bounds:
    rollback: Rollback = attempt.rollback
    snapshot = leased.snapshot()
    version = "" if snapshot is None else str(snapshot.document.get("terraform_version", ""))
    built, now = rollback.built, leased.index(_document(leased))
    forgets = {*rollback.needs.forget, *(() if built is None else built.state_forgets)}
    return Bounds(
        last_good=to_keep(attempt),
        created=rollback.created,
        touched=attempt.touched
        | {known.address for known in now if known.identity in rollback.created}
        | _settled(leased, attempt),
        prior=rollback.prior,
        writer=Written(version or runner.terraform, _writer_providers(leased, attempt)),
        moves=rollback.needs.moves,
        forgets=frozenset(forgets),
        imports=frozenset(block.address for block in rollback.needs.import_again),
        declared=declared_by_good(attempt, now),
        protection=leased.protection,
        before=_attributes_before(attempt),
        health_began=attempt.health.began or attempt.leftovers.health_began,
        approvals=attempt.consents,
        run=attempt.run,
        shard=leased.shard.name,
    )


def _settled(leased: LeasedShard, attempt: Attempt) -> frozenset[str]:
    """What the rollback's plan updates only because it differs each time, as somebody accepted."""
    rules = accepting_back(leased.shard, attempt, attempt.rollback.configuration)
    judged = judge_differences(read_plan(attempt.rollback.plan), rules)
    return frozenset(use.resource for use in judged.accepted)


def _attributes_before(attempt: Attempt) -> dict[tuple[str, str], Document]:
    """What the state said of each object when the run began, by type and id."""
    return {
        (resource["type"], str(attributes.get("id"))): attributes
        for _, resource, instance in managed(attempt.before.document or {})
        if (attributes := instance.get("attributes")) is not None
    }


def _written(terraform: Any) -> Written:
    lock = terraform.workdir / _LOCK
    providers = locked_providers(read_source(lock).decode()) if lock.is_file() else {}
    return Written(dotted(terraform.engine.version), providers)


def _writer_providers(leased: LeasedShard, attempt: Attempt) -> Mapping[str, str]:
    """The versions the failed apply used, as its artifact has them."""
    artifact: Artifact = read_artifact(leased.store, attempt.artifact)
    return dict(artifact.providers)


def _document(leased: LeasedShard) -> Any:
    snapshot = leased.snapshot()
    return None if snapshot is None else snapshot.document
