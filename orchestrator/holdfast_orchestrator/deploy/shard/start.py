"""From a plan that passed its gates to the machine: everything a restart needs is written down first."""

from dataclasses import replace
from typing import Any

from holdfast_orchestrator.deploy.phases.forward import put_deletes_off
from holdfast_orchestrator.deploy.phases.health import refuse_unready
from holdfast_orchestrator.deploy.phases.irreversible import judge_reversible, refuse_without_way_back
from holdfast_orchestrator.deploy.phases.state_machine import drive
from holdfast_orchestrator.deploy.phases.tag_search import may_be_adopted, tagged_arns
from holdfast_orchestrator.deploy.phases.verification import refuse_when_interrupted
from holdfast_orchestrator.deploy.shard.journal_replay import noted
from holdfast_orchestrator.deploy.shard.planning import JudgedPlan
from holdfast_orchestrator.deploy.shard.result import ResultBuilder
from holdfast_orchestrator.deploy.work.attempt import Attempt, Planning, Verification
from holdfast_orchestrator.deploy.work.ending import Launched, Purpose
from holdfast_orchestrator.deploy.work.kept_inputs import keep_deployed
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.preflight import RecordedShard, good_of, refuse_other_state
from holdfast_orchestrator.deploy.work.promotion import (
    before_now,
    close_record,
    open_record,
    promote_shard,
    renew_fingerprint,
)
from holdfast_orchestrator.deploy.work.sightings import note_sightings, tell_unproven
from holdfast_orchestrator.deploy.work.task import LastGoodDeployment, Task
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.inputs.keep import described
from holdfast_orchestrator.inputs.kept import same_inputs
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.plan.shard import MadePlan
from holdfast_orchestrator.record.artifact import Artifact, read_artifact
from holdfast_orchestrator.record.fingerprint import VerifiedInputs
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.record.journal.saved_plan import keep_plan
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.json_values import parsed
from holdfast_orchestrator.terraform.owners import dump_ownership
from holdfast_orchestrator.terraform.ownership import Sightings
from holdfast_orchestrator.terraform.plan import NO_CHANGES


def launch(
    leased: LeasedShard,
    recorded: RecordedShard,
    judged: JudgedPlan,
    *,
    purpose: Purpose,
    builder: ResultBuilder,
) -> Launched:
    """Judge the plan, write down what is about to happen, and let the machine do it.

    `builder` is told when it begins, and how it ended before anything is tidied up.
    Raises HoldfastError where something stands against it; nothing has been changed then.
    """
    made, artifact = judged.made, artifact_of(leased, judged.terraform)
    attempt = _attempt(leased, recorded, made, artifact=artifact, purpose=purpose)
    attempt.objects.ownership = judged.settled.ownership
    attempt.planning.terraform = judged.terraform
    attempt.planning.plan_file = None if made.document.is_empty else made.file
    refuse_other_state(leased, made.file)
    if purpose.verb != "destroy":
        refuse_without_way_back(leased, attempt)
        judge_reversible(leased, attempt, attempt.plan)
        refuse_unready(leased, attempt)
        put_deletes_off(leased, attempt)
    refuse_when_interrupted(leased)
    tell_unproven(leased, made.watched)
    name = JournalName(leased.run.id, leased.shard.name)
    opened = Journal.begin_anew if leased.run_context.taken_over else Journal.begin
    with opened(name, runtime=leased.run.runtime, store=leased.store) as journal:
        leased.journal = journal
        _write_down(leased, attempt, artifact, made.watched)
        try:
            refuse_when_interrupted(leased)
        except HoldfastError:
            close_record(leased, attempt, leftovers=attempt.leftovers)
            leased.mark(Phase.HELD, "after")
            raise
        return finish(leased, attempt, Phase.APPLYING, builder=builder)


def refuse_irreversible(leased: LeasedShard, recorded: RecordedShard, judged: JudgedPlan) -> None:
    """Raise GateError where something in a plan could not be undone and nobody approved it."""
    artifact, purpose = artifact_of(leased, judged.terraform), Purpose(verb="deploy")
    attempt = _attempt(leased, recorded, judged.made, artifact=artifact, purpose=purpose)
    judge_reversible(leased, attempt, attempt.plan)


def finish(leased: LeasedShard, attempt: Attempt, phase: Phase, *, builder: ResultBuilder | None) -> Launched:
    """Let the machine work from a phase to its end."""
    if builder is not None:
        builder.begun = True
    ending = drive(leased, attempt, phase)
    launched = Launched(ending=ending, serial=_serial(leased, attempt), backup=attempt.before.backup)
    if builder is not None:
        builder.launched(launched)
    return launched


def _serial(leased: LeasedShard, attempt: Attempt) -> int | None:
    """The serial of the state that is left; not to be had is no reason to have failed."""
    try:
        serial = (attempt.verification.standing or leased.state()).serial
    except HoldfastError:
        return None
    return serial if serial >= 0 else None


def keep_as_good(
    leased: LeasedShard, recorded: RecordedShard, judged: JudgedPlan, proven: VerifiedInputs | None
) -> None:
    """Make what is deployed the last good deployment, if it is not: a plan that finds nothing proves it."""
    artifact, accepted = artifact_of(leased, judged.terraform), judged.document.accepted
    good = good_of(leased, recorded)
    if (
        good is not None
        and not recorded.leftovers.touched
        and not _is_of_another_app(leased, recorded)
        and _is_good_already(leased, good, artifact)
    ):
        renew_fingerprint(leased, recorded, good.promoted, proven)
        return
    task = Task(
        run=leased.run.id,
        verb="deploy",
        policy=leased.run_context.policy,
        artifact=keep_deployed(leased, artifact),
        configuration=parsed(artifact.configuration),
        before=before_now(leased, recorded.snapshot()),
        good=good,
        began=leased.run.clock.now(),
    )
    attempt = Attempt(task=task, kept=recorded.kept, verification=Verification(proven=proven))
    if good is not None and accepted:
        # Then this plan shows what the last good one showed.
        attempt.verification.residual, attempt.verification.accepted = good.record.residual, accepted
        attempt.verification.accepted_mark = good.record.accepted_mark
    promote_shard(leased, attempt)
    attempt.kept = open_record(leased, attempt)
    close_record(leased, attempt)


def _is_of_another_app(leased: LeasedShard, recorded: RecordedShard) -> bool:
    """Whether the records name an app that is taken over: from now on they name this one."""
    return any(
        record is not None and record.project not in (None, leased.run.project)
        for record in (recorded.record, recorded.good_record)
    )


def _is_good_already(leased: LeasedShard, good: LastGoodDeployment, artifact: Artifact) -> bool:
    if good.lost is not None:
        return False
    if good.record.artifact == artifact.sha256 and good.record.index.objects:
        return True
    same = good.configuration == parsed(artifact.configuration)
    return same and same_inputs(read_artifact(leased.store, good.record.artifact), artifact)


def artifact_of(leased: LeasedShard, terraform: Any) -> Artifact:
    """What is being deployed, or destroyed, whole."""
    file = terraform.workdir / lockfile.NAME
    lock = read_source(file) if file.is_file() else None
    return Artifact(
        configuration=leased.shard.configuration,
        lock=lock,
        engine=str(terraform.engine).partition(" (")[0],
        assets={file.path: file.sha256 for file in leased.shard.inputs.files if file.kept},
        inputs=described(leased.shard.inputs) if leased.shard.inputs.known else None,
        providers=lockfile.locked_providers(lock.decode()) if lock is not None else {},
    )


def _attempt(
    leased: LeasedShard, recorded: RecordedShard, made: MadePlan, *, artifact: Artifact, purpose: Purpose
) -> Attempt:
    task = Task(
        run=leased.run.id,
        verb=purpose.verb,
        target=purpose.target,
        rejected=purpose.rejected,
        policy=leased.run_context.policy,
        artifact=artifact.sha256,
        configuration=parsed(artifact.configuration),
        before=before_now(leased, recorded.snapshot()),
        good=good_of(leased, recorded),
        began=leased.run.clock.now(),
        imports=made.imports,
    )
    return Attempt(
        task=task,
        kept=recorded.kept,
        leftovers=recorded.leftovers,
        planning=Planning(plans=[made.raw or NO_CHANGES]),
    )


def _write_down(leased: LeasedShard, attempt: Attempt, artifact: Artifact, watched: Sightings) -> None:
    """Artifact, plan, backup and the open record, all at once; the journal says where they lie."""
    with leased.phase(Phase.PREPARED, **noted(leased, attempt)) as entry:
        leased.step("backing up")
        kept_artifact = leased.run_context.hands.submit(keep_deployed, leased, artifact)
        kept_plan = leased.run_context.hands.submit(keep_plan, leased.store, attempt.run, attempt.plan)
        tagged = None
        if any(may_be_adopted(change, leased.shard) for change in attempt.planned):
            tagged = leased.run_context.hands.submit(tagged_arns, leased)
        _back_up(leased, attempt)
        attempt.objects.tagged_before = None if tagged is None else tagged.result()
        entry.update(_snapshot_entry(attempt), artifact=kept_artifact.result(), plan=kept_plan.result())
        entry.update(note_sightings(attempt, watched))
        leased.lease.check()
        attempt.kept = open_record(leased, attempt)
        entry["put_off"] = list(attempt.planning.staging.put_off)
        entry["ownership"] = dump_ownership(attempt.objects.ownership)
        entry["approved"] = sorted(approval.name for approval in attempt.consents)


def _back_up(leased: LeasedShard, attempt: Attempt) -> None:
    snapshot = attempt.before.snapshot
    if snapshot is not None:
        backup = leased.back_up(snapshot, f"before {attempt.verb}", artifact=attempt.artifact)
        attempt.task = replace(attempt.task, before=replace(attempt.before, backup=backup))


def _snapshot_entry(attempt: Attempt) -> dict[str, Any]:
    snapshot = attempt.before.snapshot
    return {
        "backup": attempt.before.backup,
        "tagged": None if attempt.objects.tagged_before is None else sorted(attempt.objects.tagged_before),
        "lineage": None if snapshot is None else snapshot.lineage,
        "serial": None if snapshot is None else snapshot.serial,
        "sha256": None if snapshot is None else snapshot.sha256,
    }
