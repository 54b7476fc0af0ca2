"""Reads a journal back: a dead run's attempt as it stood when the run died.

`noted` goes into the journal as a shard is begun; with the artifact, the plans and the backup in the bucket
it is enough to go on from any machine. Each entry before an apply names the machine. Where Terraform's own
events of one are out of reach (another machine, a disk that is gone), every create that it was to make and
that is in no state counts as in doubt.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.apply_progress import ApplyStep, planned_steps
from holdfast_orchestrator.deploy.decisions.reversibility import Approval
from holdfast_orchestrator.deploy.phases.forward import staging_of
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.work.attempt import Attempt, Evidence, Objects, Planning
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import correct_and_deploy
from holdfast_orchestrator.deploy.work.preflight import RecordedShard, good_of
from holdfast_orchestrator.deploy.work.sightings import sightings_in
from holdfast_orchestrator.deploy.work.task import Baseline, OperatorDecision, Task
from holdfast_orchestrator.engine.children import children
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.inputs.kept import with_inputs
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.journal.entry import Entry, look_first
from holdfast_orchestrator.record.journal.saved_plan import read_plan
from holdfast_orchestrator.record.last_good import Rejected
from holdfast_orchestrator.record.shard_record import note_of, shard_of
from holdfast_orchestrator.state.snapshot import snapshot_of
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.json_values import Document, parsed
from holdfast_orchestrator.terraform.owners import load_ownership
from holdfast_orchestrator.terraform.plan import read_plan as read_changes

# The note of a child is written by the same clock as the journal, a moment after it.
_SLACK = timedelta(seconds=1)


def noted(leased: LeasedShard, attempt: Attempt) -> dict[str, Any]:
    """Return what the journal says at the beginning of shard, policy and machine."""
    shard, policy, seen = leased.shard, attempt.policy, leased.run.redactor.value
    return {
        "verb": attempt.verb,
        "target": attempt.task.target,
        "rejected": None if attempt.task.rejected is None else asdict(attempt.task.rejected),
        "boot": leased.boot,
        "host": leased.lease.record.process.host,
        "shard": note_of(shard),
        "imports": [[block.address, block.import_id] for block in attempt.imports],
        "policy": {
            "rollback": policy.rollback,
            "on_first_failure": policy.on_first_failure,
            # The name of a snapshot is free text from a command line.
            "approvals": [[approval.name, seen(approval.snapshot)] for approval in policy.approvals],
            "allowed": sorted(policy.allowed),
        },
    }


def noted_shard(entries: Sequence[Entry]) -> Shard | None:
    """Return the shard a journal is about, without its configuration; None where it died too early."""
    note = _prepared(entries).get("shard")
    return None if note is None else shard_of(note)


def old_shard(leased: LeasedShard, entries: Sequence[Entry]) -> Shard:
    """Return the shard as the dead run meant it, with the configuration that run deployed."""
    shard = noted_shard(entries) or leased.shard
    artifact = read_artifact(leased.store, _prepared(entries)["artifact"])
    # What is kept of the way to its end is what the app says today.
    shard = with_inputs(replace(shard, directory=leased.shard.directory), leased.store, artifact)
    return replace(
        shard,
        directory=leased.shard.directory,
        sources=leased.shard.sources,
        keeping=leased.shard.keeping,
        accepted_differences=tuple(
            dict.fromkeys((*shard.accepted_differences, *leased.shard.accepted_differences))
        ),
    )


def reopened(
    leased: LeasedShard, recorded: RecordedShard, entries: Sequence[Entry], decision: OperatorDecision
) -> Attempt:
    """Return the attempt as it stood. Raises NeedsPersonError where a part of it is gone."""
    entries = _since_begun(entries)
    keys = [*_plans(entries), *_rollback_plans(entries)]
    plans = {key: read_plan(leased.store, key, shard=leased.shard.name) for key in dict.fromkeys(keys)}
    attempt = Attempt(
        task=_task(leased, recorded, entries, decision),
        kept=recorded.kept,
        leftovers=recorded.leftovers,
        planning=Planning(
            plans=[plans[key] for key in _plans(entries)],
            rollback_plans=[plans[key] for key in _rollback_plans(entries)],
        ),
        evidence=Evidence(code=None),
    )
    attempt.objects = _objects(attempt.before, entries)
    attempt.health.began = any(entry.phase is Phase.HEALTH for entry in entries)
    attempt.planning.deletes_begun = _is_after_deletes(entries)
    # A destroy that is killed over and over may go on each time.
    attempt.course.retries = 0 if attempt.verb == "destroy" else _retries(entries)
    attempt.failure = _failure(leased.shard, entries)
    _find_events(leased, attempt, entries, plans)
    if attempt.verb != "destroy":
        attempt.planning.staging = staging_of(leased, attempt)
    return attempt


def _task(
    leased: LeasedShard, recorded: RecordedShard, entries: Sequence[Entry], decision: OperatorDecision
) -> Task:
    """What the dead run was to do, with what a person has decided since."""
    prepared = _prepared(entries)
    return Task(
        run=_run(recorded),
        verb=prepared["verb"],
        target=prepared.get("target"),
        rejected=None if prepared.get("rejected") is None else Rejected(**prepared["rejected"]),
        policy=_policy(prepared["policy"], decision),
        artifact=prepared["artifact"],
        configuration=parsed(leased.shard.configuration),
        before=_before(leased, prepared),
        good=good_of(leased, recorded),
        began=entries[0].at,
        decision=decision,
        imports=tuple(ImportBlock(*block) for block in prepared.get("imports", ())),
    )


def _objects(before: Baseline, entries: Sequence[Entry]) -> Objects:
    """What the dead run knew of single objects."""
    adopted = list(_adopted(entries))
    gone = {address for entry in entries for address in entry.data.get("handed", ())}
    return Objects(
        adopted={identity for identity, _ in adopted},
        proved={identity for identity, was_absent in adopted if was_absent},
        let_go={(kind, id_value) for entry in entries for kind, id_value in entry.data.get("let_go", ())},
        tagged_before=_tagged_before(entries),
        sightings=sightings_in(entries),
        ownership=load_ownership(_prepared(entries).get("ownership") or {}),
        handed_over={
            address: tracked for address, tracked in before.index.by_address.items() if address in gone
        },
    )


def _retries(entries: Sequence[Entry]) -> int:
    """How often the apply was begun again."""
    return sum(entry.phase is Phase.RETRY_FORWARD and entry.edge == "before" for entry in entries)


def _since_begun(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Leave out what came before the shard was begun anew: nothing was changed by that."""
    begun = [place for place, entry in enumerate(entries) if entry.begins]
    return entries[begun[-1] :] if begun else entries


def _is_after_deletes(entries: Sequence[Entry]) -> bool:
    """Whether the deletes had been begun, or there were none: a plan that came later has its own to make."""
    after_deletes = False
    for entry in entries:
        if entry.phase in (Phase.DELETING, Phase.PROMOTED):
            after_deletes = True
        elif _plan_of(entry) is not None:
            after_deletes = False
    return after_deletes


def _find_events(
    leased: LeasedShard, attempt: Attempt, entries: Sequence[Entry], plans: Mapping[str, Document]
) -> None:
    attempt.evidence.records = [
        child.record
        for child in children(leased.workdir, since=attempt.task.began - _SLACK)
        if child.verb == "apply" and child.record.exists()
    ]
    attempt.evidence.assumed = list(_assumed(leased, attempt, entries, plans))


def _assumed(
    leased: LeasedShard, attempt: Attempt, entries: Sequence[Entry], plans: Mapping[str, Document]
) -> Iterator[ApplyStep]:
    """Of an apply whose events are not here nobody can tell what was begun, so every create may have been.

    Events can be here that another boot of this machine wrote: what they tell as done was done by one apply.
    """
    progress = attempt.progress()
    done = Counter(step.address for step in progress.created())
    in_doubt = {step.address for step in progress.doubt}
    planned, elsewhere = Counter[str](), Counter[str]()
    for boot, plan in _applies(entries):
        steps = planned_steps(read_changes(plans[plan]))
        creates = [step.address for step in steps if step.action == "create"]
        planned.update(creates)
        if boot != leased.boot or not attempt.evidence.records:
            elsewhere.update(creates)
    for address in elsewhere:
        if address not in in_doubt and planned[address] > done[address]:
            yield ApplyStep(address=address, action="create", phase="start")


def _applies(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """On which boot of which machine each apply was begun that may create something, and its plan's key."""
    at_first, newest = _prepared(entries).get("boot", ""), dict[Phase, str | None]()
    for entry in entries:
        if (plan := _plan_of(entry)) is not None:
            newest[Phase.APPLYING] = plan
        # Earlier journals tell of the judgement of that plan in entries of another name.
        if entry.phase is Phase.RB_PLANNED and entry.name == Phase.RB_PLANNED:
            newest[Phase.RB_APPLYING] = entry.data.get("plan")
        applied = newest.get(entry.phase) if entry.edge == "before" else None
        if applied is not None:
            # Earlier journals name the machine once.
            yield entry.data.get("boot", at_first), applied


def _before(leased: LeasedShard, prepared: Mapping[str, Any]) -> Baseline:
    if prepared["backup"] is None:
        return Baseline(snapshot=None, index=leased.index(None))
    stored = leased.store.get(prepared["backup"])
    if stored is None:
        raise NeedsPersonError(
            f"the backup at {prepared['backup']}, made before that run changed anything, is gone",
            next_step=look_first(leased.shard.name),
        )
    snapshot = replace(snapshot_of(stored), key=leased.shard.state.key)
    return Baseline(snapshot=snapshot, index=leased.index(snapshot.document), backup=prepared["backup"])


def _policy(noted: Mapping[str, Any], decision: OperatorDecision) -> DeployPolicy:
    return DeployPolicy(
        rollback=noted["rollback"] and not decision.accept_forward,
        on_first_failure=noted["on_first_failure"],
        approvals=tuple(Approval(name, snapshot) for name, snapshot in noted["approvals"]),
        allowed=frozenset(noted["allowed"]),
    )


def _plans(entries: Sequence[Entry]) -> Iterator[str]:
    return (plan for entry in entries if (plan := _plan_of(entry)) is not None)


def _plan_of(entry: Entry) -> str | None:
    """Where the plan lies that a phase was gated by. Another try that found nothing to do has none."""
    if entry.phase not in (Phase.PREPARED, Phase.RETRY_FORWARD):
        return None
    plan: str | None = entry.data.get("plan")
    return plan


def _rollback_plans(entries: Sequence[Entry]) -> Iterator[str]:
    """Where the rollback's plans lie. One that found nothing to do has none, nor has an earlier journal."""
    for entry in entries:
        if entry.phase is Phase.RB_PLANNED and entry.data.get("plan") is not None:
            yield entry.data["plan"]


def _tagged_before(entries: Sequence[Entry]) -> frozenset[str] | None:
    asked = (entry for entry in entries if entry.phase in (Phase.PREPARED, Phase.RB_PLANNED))
    tagged_sets = [tagged for entry in asked if (tagged := entry.data.get("tagged")) is not None]
    return frozenset(tagged_sets[0]) if tagged_sets else None


def _adopted(entries: Sequence[Entry]) -> Iterator[tuple[Identity, bool]]:
    """Each object that was adopted, and whether it was absent before its create."""
    for entry in entries:
        if entry.phase in (Phase.RESOLVE, Phase.RB_BUILD, Phase.RB_SETTLE) and entry.edge == "after":
            probed = entry.data.get("found", ())
            for item in probed:
                if item["why"] is None:
                    yield Identity(*item["identity"]), item.get("absent", False)


def _failure(shard: Shard, entries: Sequence[Entry]) -> Failure | None:
    reasons = [
        entry.data["failure"]
        for entry in entries
        if entry.phase is Phase.CLASSIFY and entry.data.get("failure")
    ]
    if not reasons:
        return None
    return Failure(reason=reasons[-1], next_step=correct_and_deploy(shard), evidence=())


def _prepared(entries: Sequence[Entry]) -> Mapping[str, Any]:
    """The data written before the first apply. Earlier journals have several entries for it."""
    return dict(item for entry in entries if entry.phase is Phase.PREPARED for item in entry.data.items())


def _run(recorded: RecordedShard) -> str:
    return "" if recorded.kept is None else recorded.kept.record.run
