"""The plan of a rollback: made against the newest state, and held against the rules G1 to G10."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.deploy.decisions.guard import Bounds, Candidate, Violation, Written, judge_rollback
from holdfast_orchestrator.deploy.decisions.skipping import skipped_together
from holdfast_orchestrator.deploy.phases.irreversible import let_upstreams_go_first
from holdfast_orchestrator.deploy.phases.rollback_inputs import declared_by_good
from holdfast_orchestrator.deploy.phases.verification import accepting_back, to_keep
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import BlockedRollbackError
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.rollback_attempt import RollbackAttempt
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.toolchain import dotted
from holdfast_orchestrator.errors import EngineError
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.system.private_files import read_source
from holdfast_orchestrator.terraform.differences import judge_differences
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.plan import prior_stamp, read_plan
from holdfast_orchestrator.terraform.state_file import NO_STATE

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform

_FILE = "rollback.tfplan"


def planned_back(leased: LeasedShard, attempt: Attempt, rollback: RollbackAttempt) -> RollbackAttempt:
    """Return the rollback with its plan.

    Raises BlockedRollbackError where Terraform would not leave what is to be skipped, EngineError where the
    configuration cannot be planned.
    """
    snapshot = leased.snapshot()
    terraform = leased.terraform(rollback.configuration, rollback.inputs)
    try:
        outcome = terraform.plan(out=_FILE)
    except EngineError as error:
        let_upstreams_go_first(leased, attempt, error)
        raise
    planned = replace(
        rollback,
        prior=NO_STATE if snapshot is None else snapshot.stamp,
        terraform=terraform,
        plan_file=outcome.plan if outcome.changes else None,
        plan=terraform.show_plan(outcome.plan) if outcome.changes else {},
    )
    is_skipping = outcome.changes and attempt.decision.skip
    return _without_skipped(leased, attempt, planned, terraform) if is_skipping else planned


def _without_skipped(
    leased: LeasedShard, attempt: Attempt, rollback: RollbackAttempt, terraform: "Terraform"
) -> RollbackAttempt:
    """Plan again, of everything but the addresses a person leaves as they are.

    Raises BlockedRollbackError where Terraform takes one of them along for the sake of another.
    """
    skip = {*attempt.decision.skip}
    planned = [change for change in read_plan(rollback.plan) if change.touches]
    skipped = frozenset(
        change.address for change in planned if {change.address, change.previous_address} & skip
    )
    targets = sorted({change.address for change in planned} - skipped)
    if not targets:
        return replace(rollback, skipped=skipped, plan_file=None, plan={})
    outcome = terraform.plan(out=_FILE, targets=targets)
    # A plan with targets is never complete; what is left out was left out on purpose.
    shown = {**terraform.show_plan(outcome.plan), "complete": True} if outcome.changes else {}
    taken_along = {change.address for change in read_plan(shown) if change.touches} & skipped
    if taken_along:
        raise BlockedRollbackError(
            f"{', '.join(sorted(taken_along))} cannot be skipped alone: other things to undo depend on it",
            next_step=_skip_more(leased, attempt, rollback, targets),
            violations=(),
        )
    return replace(rollback, skipped=skipped, plan_file=outcome.plan if outcome.changes else None, plan=shown)


def _skip_more(
    leased: LeasedShard, attempt: Attempt, rollback: RollbackAttempt, targets: Sequence[str]
) -> str:
    """The command that skips what has to be skipped together, and the one that undoes nothing."""
    together = skipped_together(
        attempt.decision.skip,
        targets,
        configuration=rollback.configuration,
        state=leased.document() or {},
    )
    options = " ".join(f"--skip {shlex.quote(address)}" for address in together)
    orphans = "".join(f" --orphan {shlex.quote(address)}" for address in attempt.decision.orphan)
    resume = f"holdfast resume {attempt.run}"
    return f"{resume} {options}{orphans}; or: {resume} --accept-forward"


def broken_rules(leased: LeasedShard, attempt: Attempt, rollback: RollbackAttempt) -> tuple[Violation, ...]:
    """The rules that the rollback's plan breaks."""
    if rollback.plan_file is None or rollback.terraform is None:
        return ()
    runner = _written(rollback.terraform)
    candidate = Candidate(rollback.plan, prior_stamp(read_source(rollback.plan_file)), runner)
    return judge_rollback(candidate, _bounds(leased, attempt, rollback, runner))


def _bounds(leased: LeasedShard, attempt: Attempt, rollback: RollbackAttempt, runner: Written) -> Bounds:
    document = leased.document()
    version = "" if document is None else str(document.get("terraform_version", ""))
    built, now = rollback.built, leased.index(document)
    forgets = {*rollback.needs.forget, *(() if built is None else built.state_forgets)}
    return Bounds(
        last_good=to_keep(attempt),
        created=rollback.created,
        touched=attempt.touched
        | {tracked.address for tracked in now if tracked.identity in rollback.created}
        | _differing_each_time(leased, attempt, rollback),
        prior=rollback.prior,
        # The versions the failed apply used, as its artifact has them.
        writer=Written(
            version or runner.terraform, dict(read_artifact(leased.store, attempt.artifact).providers)
        ),
        moves=rollback.needs.moves,
        forgets=frozenset(forgets),
        imports=frozenset(block.address for block in rollback.needs.import_again),
        declared=declared_by_good(attempt, now),
        protection=leased.protection,
        before=_attributes_before(attempt),
        health_began=attempt.health_began,
        approvals=attempt.consents,
        run=attempt.run,
        shard=leased.shard.name,
    )


def _differing_each_time(leased: LeasedShard, attempt: Attempt, rollback: RollbackAttempt) -> frozenset[str]:
    """What the rollback's plan updates only because it differs each time, as somebody accepted."""
    rules = accepting_back(leased.shard, attempt, rollback.configuration)
    judged = judge_differences(read_plan(rollback.plan), rules)
    return frozenset(use.resource for use in judged.accepted)


def _attributes_before(attempt: Attempt) -> dict[tuple[str, str], Document]:
    """What the state said of each object when the run began, by type and id."""
    return {
        (resource["type"], str(attributes.get("id"))): attributes
        for _, resource, instance in managed(attempt.before.document or {})
        if (attributes := instance.get("attributes")) is not None
    }


def _written(terraform: "Terraform") -> Written:
    providers = lockfile.locked_providers(lockfile.text_of(terraform.workdir) or "")
    return Written(dotted(terraform.engine.version), providers)
