"""STATE_RECOVERY and RESOLVE: bring what only the events or the cloud know back into the state."""

from collections.abc import Iterator, Sequence

from holdfast_orchestrator.deploy.decisions.apply_progress import Step
from holdfast_orchestrator.deploy.decisions.imports import judge_import_plan, plan_imports
from holdfast_orchestrator.deploy.decisions.state_recovery import (
    AskOperator,
    MergeByImport,
    NothingToDo,
    PutRescued,
    RebuildByImport,
    RestoreCopy,
    UseStored,
)
from holdfast_orchestrator.deploy.phases.assessment import Assessment, examine, in_doubt
from holdfast_orchestrator.deploy.phases.object_lookup import (
    Probed,
    known_ids,
    look_for,
    may_be_there,
    was_refused,
)
from holdfast_orchestrator.deploy.phases.tag_search import stable_tags
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import restore_commands
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.terraform.error_patterns import says_exists
from holdfast_orchestrator.terraform.import_ids import ImportBlock, with_imports

_FILE = "import.tfplan"
_MOST_RECOVERIES = 3


def recover_state(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Make the stored state the truth again. Raises NeedsPersonError where only a person can tell how."""
    attempt.course.recoveries += 1
    if attempt.course.recoveries > _MOST_RECOVERIES:
        raise NeedsPersonError("the state could not be recovered: what was put back did not stay")
    assessment = examine(leased, attempt)
    with leased.phase(Phase.STATE_RECOVERY, decision=type(assessment.decision).__name__):
        leased.step("recovering the state")
        repair_state(leased, attempt, assessment)
    return Phase.CLASSIFY


def repair_state(leased: LeasedShard, attempt: Attempt, assessment: Assessment) -> None:
    """Do what was decided about the state."""
    match assessment.decision:
        case NothingToDo() | UseStored():
            pass
        case PutRescued(_, state) | RestoreCopy(_, state):
            leased.put_state(state, reason="before the state is recovered")
        case MergeByImport(missing, _):
            _put_rescued_away(leased)
            _import_missing(leased, attempt, missing)
        case RebuildByImport(_, state, missing):
            if state is not None:
                leased.put_state(state, reason="before the state is recovered")
            _put_rescued_away(leased)
            _import_missing(leased, attempt, missing)
        case AskOperator(why, missing, next_step):
            named = f" Not in it: {', '.join(_named(missing))}." if missing else ""
            copies = restore_commands(leased.store, leased.shard)
            raise NeedsPersonError(f"{why}{named}", next_step=f"{next_step}: {copies}")
    _put_rescued_away(leased)


def resolve(leased: LeasedShard, attempt: Attempt) -> Phase:
    """Look for every create in doubt, and adopt what is proved to be ours."""
    doubts = in_doubt(attempt, examine(leased, attempt))
    with leased.phase(Phase.RESOLVE, doubts=[step.address for step in doubts]) as entry:
        leased.step("looking for objects in doubt")
        entry["found"] = [probed.to_json() for probed in settle_doubts(leased, attempt, doubts)]
    return Phase.CLASSIFY


def settle_doubts(leased: LeasedShard, attempt: Attempt, doubts: Sequence[Step]) -> tuple[Probed, ...]:
    """Look for what these creates may have made, adopt what is ours, note what is not; return what is there.

    Raises NeedsPersonError where it cannot be found out.
    """
    probed = look_for(leased, attempt, doubts)
    _adopt(leased, attempt, probed)
    attempt.notes.extend(_not_found(leased, attempt, doubts, probed))
    attempt.objects.looked_for.update((step.address, step.id_value) for step in doubts)
    return probed


def _put_rescued_away(leased: LeasedShard) -> None:
    """Archive a state that an apply could not save: Terraform does not start beside one."""
    if (rescued := leased.rescued()) is not None:
        leased.put_away(rescued)


def _adopt(leased: LeasedShard, attempt: Attempt, probed: Sequence[Probed]) -> None:
    ours = [each for each in probed if each.why is None]
    if ours:
        import_objects(leased, attempt, [ImportBlock(each.address, each.import_id) for each in ours])
        attempt.objects.adopted.update(each.identity for each in ours)
        attempt.objects.proved.update(each.identity for each in ours if each.was_absent)
        attempt.notes.extend(
            f"{each.address} had been made after all: {each.import_id}, adopted" for each in ours
        )
    attempt.notes.extend(
        f"{each.import_id} stands where {each.address} was to be made; it is left alone: {each.why}"
        for each in probed
        if each.why is not None
    )


def _not_found(
    leased: LeasedShard, attempt: Attempt, doubts: Sequence[Step], probed: Sequence[Probed]
) -> Iterator[str]:
    """Name what may exist all the same, and how a person finds it."""
    if not may_be_there(attempt):
        return
    existing = {each.address for each in probed}
    held = leased.index_now().by_address
    tags = ", ".join(f"{tag.key}={tag.value}" for tag in stable_tags(leased.shard))
    for step in doubts:
        ids = known_ids(leased, attempt, step)
        if was_refused(attempt, step):
            continue
        if step.address in existing or (ids and step.address not in held):
            continue
        # An address that an object has is never imported to.
        why = "only AWS knows its id" if not ids else "what it was to replace stands at its address"
        thing = f"an {step.kind} {' or '.join(ids) if ids else f'with the tags {tags}'} that no state has"
        if _exists(attempt, step):
            yield (
                f"one like {step.address} exists already, says AWS: most likely it was there before. "
                f"If an answer of AWS was lost, it is {thing}"
            )
        else:
            yield f"{step.address} may have been made: its answer was lost, and {why}. Look for {thing}"


def _exists(attempt: Attempt, step: Step) -> bool:
    """Whether AWS answered the create that the object exists."""
    errors = (
        diagnostic.text
        for diagnostic in attempt.evidence.diagnostics
        if diagnostic.is_error and diagnostic.address == step.address
    )
    return any(map(says_exists, errors))


def _import_missing(leased: LeasedShard, attempt: Attempt, missing: Sequence[Step]) -> None:
    plan = plan_imports(missing, attempt.planned_values())
    if plan.by_hand:
        raise NeedsPersonError(
            f"no state knows {', '.join(_named(plan.by_hand))}, and Terraform cannot import them by itself",
            next_step=f"terraform -chdir={leased.workdir} import ADDRESS ID, "
            f"then: holdfast resume {attempt.run}",
        )
    if plan.blocks:
        before = {tracked.identity for tracked in leased.index_now()}
        import_objects(leased, attempt, plan.blocks)
        wanted = {block.address for block in plan.blocks}
        now = leased.index_now()
        attempt.objects.adopted.update(
            tracked.identity
            for tracked in now
            if tracked.address in wanted and tracked.identity not in before
        )
    attempt.notes.extend(
        f"{block.address} ({block.import_id}) brought back into the state" for block in plan.blocks
    )


def import_objects(leased: LeasedShard, attempt: Attempt, blocks: Sequence[ImportBlock]) -> None:
    """Bring objects into the state, and nothing else. Raises NeedsPersonError where a plan would do more."""
    back = [block for block in blocks if attempt.declaring(block.address) is not attempt.stage_configuration]
    for some in (back, [block for block in blocks if block not in back]):
        if some:
            _import(leased, attempt, some)


def _import(leased: LeasedShard, attempt: Attempt, blocks: Sequence[ImportBlock]) -> None:
    """Import objects that one configuration declares."""
    declaring = attempt.declaring(blocks[0].address)
    terraform = leased.terraform(with_imports(declaring, blocks), attempt.inputs_for(declaring))
    outcome = terraform.plan(out=_FILE, targets=[block.address for block in blocks])
    # A plan with targets is never complete; nothing but these is what was asked for.
    shown = {**terraform.show_plan(outcome.plan), "complete": True} if outcome.changes else {}
    problems = judge_import_plan(shown, expected=blocks, may_create=()) if shown else ("nothing to import",)
    if problems:
        raise NeedsPersonError(
            f"objects that no state knows cannot be imported by themselves: {' '.join(problems)}",
            next_step=f"import them by hand, then: holdfast resume {attempt.run}",
        )
    leased.lease.confirm()
    applied = terraform.apply(outcome.plan)
    if not applied:
        why = "; ".join(diagnostic.summary for diagnostic in applied.diagnostics if diagnostic.is_error)
        raise NeedsPersonError(
            f"importing {', '.join(block.address for block in blocks)} failed: {why}",
            next_step=f"holdfast resume {attempt.run} --continue",
        )


def _named(steps: Sequence[Step]) -> list[str]:
    return [f"{step.address} ({step.id_value or 'id unknown'})" for step in steps]
