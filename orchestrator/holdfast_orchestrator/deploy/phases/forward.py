"""The way forward: put deletes off, apply what was gated, prove it, delete, promote."""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.deploy.decisions.deferred_deletes import (
    Staging,
    deleted_and_made,
    stage,
    stage_one_problems,
    stage_two,
    stage_two_problems,
)
from holdfast_orchestrator.deploy.decisions.read_again import because_of_changes
from holdfast_orchestrator.deploy.decisions.verification import CLEAN_FINGERPRINT
from holdfast_orchestrator.deploy.phases.before_destroy import prepare_destroy
from holdfast_orchestrator.deploy.phases.destroy import destroy_again, refuse_more_than_agreed, settle_destroy
from holdfast_orchestrator.deploy.phases.irreversible import judge_reversible
from holdfast_orchestrator.deploy.phases.letting_go import (
    deletes_at_once,
    let_go_in_state,
    not_ours_to_delete,
)
from holdfast_orchestrator.deploy.phases.verification import (
    accepting,
    prove,
    sentence,
    tell_reads,
    tell_unused,
    told,
    way_out,
)
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import Failure, failure_of, failure_of_error
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard, recorded
from holdfast_orchestrator.deploy.work.next_commands import correct_and_deploy
from holdfast_orchestrator.deploy.work.preflight import refuse_other_state
from holdfast_orchestrator.deploy.work.sightings import (
    holdings_of,
    look_once_more,
    note_applied,
    note_sightings,
)
from holdfast_orchestrator.deploy.work.terraform_locks import note_stolen_lock, refuse_stolen_lock
from holdfast_orchestrator.errors import (
    EXIT_FAILED,
    GateError,
    HoldfastError,
    LeasedError,
    NeedsPersonError,
)
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.artifact import readable_configurations
from holdfast_orchestrator.record.journal.saved_plan import keep_plan
from holdfast_orchestrator.system.stop import Urgency
from holdfast_orchestrator.terraform.differences import judge_differences
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.plan import read_plan

_STAGE_ONE = "stage-one.tfplan"
_STAGE_TWO = "stage-two.tfplan"
_LET_GO = "let-go.tfplan"


def put_deletes_off(leased: LeasedShard, attempt: Attempt) -> None:
    """Where the plan deletes something, plan a first stage that does not.

    Raises GateError where that plan is not the gated one without its deletes.
    """
    if attempt.verb == "destroy":
        return
    attempt.planning.staging = staging_of(leased, attempt)
    _refuse_to_delete_what_waits(attempt)
    _refuse_to_delete_what_is_made(attempt)
    if attempt.planning.staging.stage_one is None:
        return
    leased.step("planning the first stage")
    terraform = leased.terraform(attempt.planning.staging.stage_one)
    outcome = terraform.plan(out=_STAGE_ONE)
    attempt.planning.terraform = terraform
    attempt.planning.plan_file = outcome.plan if outcome.changes else None
    if outcome.changes:
        refuse_other_state(leased, outcome.plan)
        shown = terraform.show_plan(outcome.plan)
        problems = stage_one_problems(
            shown,
            put_off=attempt.planning.staging.put_off,
            accepted=[*attempt.tainted, *(each.address for each in attempt.planning.staging.not_put_off)],
        )
        if problems:
            raise GateError(
                "the deletes of this plan cannot be put off: " + " ".join(problems),
                next_step="deploy the deletes by themselves, in a change of their own",
            )
        judge_reversible(leased, attempt, shown)


def _refuse_to_delete_what_waits(attempt: Attempt) -> None:
    for each in attempt.planning.staging.not_put_off:
        if each.address in attempt.objects.ownership.held:
            raise GateError(
                f"{each.address} goes to another shard of this run, and cannot wait for it: {each.why}",
                next_step="deploy the shard that takes it first, by itself",
            )


def _refuse_to_delete_what_is_made(attempt: Attempt) -> None:
    both = deleted_and_made(attempt.plan, {each.address for each in attempt.planning.staging.not_put_off})
    if both:
        raise GateError(
            " ".join(f"{old} would be deleted, and is the object that {new} is to be." for old, new in both),
            next_step="declare that it moved (`moved` from the old address to the new one), then deploy",
        )


def staging_of(leased: LeasedShard, attempt: Attempt) -> Staging:
    """Split the newest plan into two stages. Half-made objects are not kept: they go in the first."""
    changes = attempt.plan.get("resource_changes") or ()
    whole = [change for change in changes if change["address"] not in attempt.tainted]
    plan = {**attempt.plan, "resource_changes": whole}
    return stage(
        attempt.wanted, plan=plan, earlier=_earlier(leased, attempt), hold=attempt.objects.ownership.held
    )


def apply_stage_one(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Apply the plan that was gated, and no other."""
    reasons = not_ours_to_delete(leased, attempt, deletes_at_once(attempt))
    attempt.evidence.code, attempt.evidence.errors = 0, ()
    looked = look_once_more(leased, attempt)
    noted = {"retry": attempt.course.retries, "boot": leased.boot, "handed": sorted(reasons), **looked}
    with leased.phase(Phase.APPLYING, **noted) as entry:
        if attempt.evidence.code != 0:
            entry["refused"] = True
            return Phase.SETTLE
        leased.step("applying")
        if reasons:
            _let_go_at_once(leased, attempt, reasons)
        if attempt.verb == "destroy" and not _is_prepared(leased, attempt):
            entry["refused"] = True
            return Phase.SETTLE
        if attempt.planning.plan_file is None:
            attempt.evidence.code, attempt.evidence.errors = 0, ()
        else:
            entry.update(run_apply(leased, attempt))
    return Phase.SETTLE


def _is_prepared(leased: LeasedShard, attempt: Attempt) -> bool:
    """Whether all that is to be destroyed can be; the failure says why not."""
    try:
        prepare_destroy(leased, attempt)
    except (NeedsPersonError, LeasedError):
        raise
    except HoldfastError as error:
        attempt.evidence.code, attempt.failure = EXIT_FAILED, failure_of_error(error, leased.shard)
        return False
    return True


def _let_go_at_once(leased: LeasedShard, attempt: Attempt, reasons: Mapping[str, str]) -> None:
    """Take what the first apply must not delete out of the state, and plan again."""
    planned = {change.address for change in attempt.planned if change.deletes} - set(
        attempt.planning.staging.put_off
    )
    let_go_in_state(leased, attempt, reasons)
    outcome = attempt.planning.terraform.plan(out=_LET_GO, destroy=attempt.verb == "destroy")
    attempt.planning.plan_file = outcome.plan if outcome.changes else None
    if not outcome.changes:
        return
    refuse_other_state(leased, outcome.plan)
    shown = attempt.planning.terraform.show_plan(outcome.plan)
    new = {change.address for change in read_plan(shown) if change.deletes} - (planned - reasons.keys())
    if new:
        raise NeedsPersonError(f"{', '.join(sorted(new))} would be deleted, which nobody was shown")


def run_apply(leased: LeasedShard, attempt: Attempt) -> dict[str, Any]:
    """Apply `attempt.plan_file`, keep what the apply says of itself, and return what the journal keeps."""
    leased.lease.confirm()
    holdings = holdings_of(leased, attempt)
    traceable = because_of_changes(attempt.planning.plans, attempt.configuration) is None
    with leased.run.stop.interrupting(attempt.planning.terraform.interrupt):
        applied = attempt.planning.terraform.apply(
            attempt.planning.plan_file, holdings=holdings, traceable=traceable
        )
    noted = note_applied(leased, attempt, applied.watched)
    attempt.planning.plan_file = None
    attempt.evidence.records.append(applied.record)
    attempt.evidence.code = applied.code
    attempt.evidence.errors = tuple(
        diagnostic.text for diagnostic in applied.diagnostics if diagnostic.is_error
    )
    attempt.evidence.diagnostics = applied.diagnostics
    attempt.verification.verified = None
    note_stolen_lock(leased, attempt)
    if not applied:
        attempt.evidence.interrupted = leased.run.stop.urgency is Urgency.INTERRUPT
        attempt.failure = failure_of(applied, leased.shard, interrupted=attempt.evidence.interrupted)
    return noted


def verify(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Plan again, to prove that the apply made what was planned; once more after the deferred deletes."""
    after_deletes = attempt.planning.deletes_begun
    with leased.phase(Phase.VERIFY, after_deletes=after_deletes) as entry:
        leased.step("verifying")
        configuration = attempt.final_configuration if after_deletes else attempt.stage_configuration
        entry.update(check(leased, attempt, configuration))
    if attempt.verification.verified != "proven":
        return Phase.CLASSIFY
    return Phase.PROMOTED if after_deletes else Phase.HEALTH


def check(leased: LeasedShard, attempt: Attempt, configuration: Document) -> Mapping[str, object]:
    """Verify, and keep the answer for the classification; a plan that fails is an answer too."""
    if attempt.verb == "destroy":
        return _check_destroyed(leased, attempt)
    try:
        proof = prove(leased, attempt, configuration)
    except NeedsPersonError:
        raise
    except HoldfastError as error:
        return _not_verified(leased, attempt, error)
    attempt.verification.verified = "proven" if proof.proven else "differs"
    refuse_stolen_lock(leased, attempt)
    attempt.verification.residual = None if proof.fingerprint == CLEAN_FINGERPRINT else proof.fingerprint
    if not proof.proven and attempt.failure is None:
        attempt.failure = Failure(
            reason=f"the verify failed: {sentence(proof)}",
            next_step=way_out(proof, leased),
            evidence=(),
            lasts=True,
        )
    attempt.verification.reads = proof.reads
    if proof.proven:
        tell_unused(leased, proof)
        tell_reads(leased, proof.reads)
    return told(proof)


def make_deletes(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Make the deletes that were put off, now that the new version is healthy."""
    attempt.planning.deletes_begun = True
    # What was proven is the first stage.
    attempt.verification.verified = None
    put_off = _put_off_now(attempt)
    reasons = not_ours_to_delete(leased, attempt, put_off)
    with leased.phase(Phase.DELETING, put_off=put_off, boot=leased.boot, handed=sorted(reasons)) as entry:
        leased.step("deleting")
        let_go_in_state(leased, attempt, reasons)
        problems = _plan_stage_two(leased, attempt)
        if problems:
            attempt.evidence.code, attempt.failure = (
                1,
                _because(leased, f"the deletes were not made: {' '.join(problems)}"),
            )
        elif attempt.planning.plan_file is not None:
            entry.update(run_apply(leased, attempt))
        entry["code"] = attempt.evidence.code
    return Phase.VERIFY if attempt.evidence.code == 0 else Phase.CLASSIFY


def retry(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Plan afresh after a failure that passes by itself, and pass the gates again."""
    attempt.course.retries += 1
    with leased.phase(Phase.RETRY_FORWARD, retry=attempt.course.retries) as entry:
        leased.step("trying again")
        leased.run.clock.sleep(float(2**attempt.course.retries))
        terraform = leased.terraform(attempt.wanted if attempt.imports else None)
        holdings = None if attempt.verb == "destroy" else holdings_of(leased, attempt)
        outcome = terraform.plan(destroy=attempt.verb == "destroy", holdings=holdings)
        entry.update(note_sightings(attempt, outcome.watched))
        if not outcome.changes:
            attempt.failure, attempt.evidence.errors = None, ()
            entry["verify"] = dict(check(leased, attempt, attempt.configuration))
            return Phase.CLASSIFY
        attempt.planning.deletes_begun = False
        refuse_other_state(leased, outcome.plan)
        shown = terraform.show_plan(outcome.plan)
        if attempt.verb == "destroy":
            refuse_more_than_agreed(attempt, shown)
        attempt.planning.plans.append(shown)
        attempt.planning.terraform, attempt.planning.plan_file = terraform, outcome.plan
        if attempt.verb != "destroy":
            judge_reversible(leased, attempt, shown)
            put_deletes_off(leased, attempt)
        entry["plan"] = keep_plan(leased.store, attempt.run, shown)
        attempt.failure = None
    return Phase.APPLYING


def state_afterwards(leased: LeasedShard) -> dict[str, object]:
    """The newest state as the journal notes it."""
    noted = recorded(leased.snapshot())
    return {} if noted is None else noted.to_json()


def _put_off_now(attempt: Attempt) -> list[str]:
    """What was put off and does not wait for the receiver of a move."""
    held = attempt.objects.ownership.held
    return [address for address in attempt.planning.staging.put_off if address not in held]


def _plan_stage_two(leased: LeasedShard, attempt: Attempt) -> tuple[str, ...]:
    index, put_off = leased.index_now(), _put_off_now(attempt)
    second = stage_two(attempt.final_configuration, put_off=put_off, state=index)
    if second.problems:
        return second.problems
    for block in second.forgotten:
        leased.say(
            f"{block} is the same object as one the new version has: it is not deleted, only forgotten"
        )
    terraform = leased.terraform(second.configuration)
    outcome = terraform.plan(out=_STAGE_TWO)
    attempt.planning.terraform = terraform
    attempt.planning.plan_file = outcome.plan if outcome.changes else None
    attempt.evidence.code = 0
    if not outcome.changes:
        return ()
    refuse_other_state(leased, outcome.plan)
    shown = terraform.show_plan(outcome.plan)
    settled = judge_differences(read_plan(shown), accepting(leased, attempt.configuration))
    return stage_two_problems(
        shown,
        put_off=put_off,
        forgotten=second.forgotten,
        state=index,
        accepted={use.resource for use in settled.accepted},
    )


def _not_verified(leased: LeasedShard, attempt: Attempt, error: HoldfastError) -> dict[str, object]:
    attempt.verification.verified = "failed"
    attempt.evidence.errors = (*attempt.evidence.errors, error.what)
    attempt.failure = attempt.failure or failure_of_error(error, leased.shard)
    return {"failed": leased.run.redactor.text(error.what)}


def _check_destroyed(leased: LeasedShard, attempt: Attempt) -> dict[str, object]:
    try:
        attempt.verification.remaining = settle_destroy(leased, attempt)
    except NeedsPersonError:
        raise
    except HoldfastError as error:
        return _not_verified(leased, attempt, error)
    attempt.verification.verified = "differs" if attempt.verification.remaining else "proven"
    if attempt.verification.remaining and attempt.failure is None:
        attempt.failure = Failure(
            reason="not everything was destroyed", next_step=destroy_again(leased, attempt), evidence=()
        )
    return {"remaining": list(attempt.verification.remaining)}


def _earlier(leased: LeasedShard, attempt: Attempt) -> list[Document]:
    """Configurations that may have the blocks this deploy removes, newest first."""
    kept = readable_configurations(leased.store, attempt.leftovers.artifacts)
    good = [] if attempt.good is None or attempt.good.lost else [attempt.good.configuration]
    held = () if attempt.kept is None else attempt.kept.record.held
    return [*kept, *good, *readable_configurations(leased.store, held)]


def _because(leased: LeasedShard, reason: str) -> Failure:
    return Failure(reason=reason, next_step=correct_and_deploy(leased.shard), evidence=())
