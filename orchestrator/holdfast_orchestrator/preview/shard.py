"""Plan one shard to show it: what a deploy of it would do, and what would stop it."""

from dataclasses import replace

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.upstream import Upstreams, undeployed_upstreams, waits_for
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.plan.result import ShardPlan, configuration_sha256
from holdfast_orchestrator.plan.shard import make_plan, quiet, refuse_unknown_checks
from holdfast_orchestrator.preview.ownership import PlannedOwnership
from holdfast_orchestrator.preview.refusals import Agreed, refusals_of
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.system.private_files import read_source


def plan_shard(
    shard: Shard, run: Run, agreed: Agreed | None = None, ownership: PlannedOwnership | None = None
) -> ShardPlan:
    """Plan for a preview: what goes wrong is part of the answer, and nothing is kept on disk."""
    began = run.clock.monotonic()
    try:
        refuse_unknown_checks(shard)
        waiting = waits_for(shard, run.manifest, run.tools)
        if waiting:
            return _waiting(shard, run, waiting)
        with run.tools.folder(shard):
            terraform = run.tools.terraform(shard, quiet)
            with run.stop.interrupting(terraform.cancel):
                return plan_with(terraform, shard, run, agreed=agreed, ownership=ownership)
    except HoldfastError as error:
        upstreams = undeployed_upstreams(error, shard, run.manifest, run.tools)
        if upstreams:
            waiting_plan = _waiting(shard, run, upstreams)
            reason = run.redactor.text(str(error).splitlines()[0])
            return replace(waiting_plan, waiting=f"{waiting_plan.waiting} ({reason})")
        return ShardPlan(
            shard=shard.name,
            label=run.label(shard.name),
            configuration_sha256=configuration_sha256(shard),
            failure=run.redactor.text(str(error)),
            exit_code=error.exit_code,
            seconds=run.clock.monotonic() - began,
        )


def plan_with(
    terraform: Terraform,
    shard: Shard,
    run: Run,
    *,
    agreed: Agreed | None = None,
    ownership: PlannedOwnership | None = None,
) -> ShardPlan:
    """Plan with a Terraform already at hand; the content of its plan file is part of the answer.

    Raises HoldfastError where Terraform fails.
    """
    began = run.clock.monotonic()
    snapshot = read_snapshot(run.tools.store(shard), shard.state.key)
    if ownership is not None:
        ownership.refuse_strange(shard, snapshot)
    # Asked before the plan reads them: what changes meanwhile makes this plan stale, never good.
    inputs = Upstreams(manifest=run.manifest, tools=run.tools).digests(shard)
    made = make_plan(terraform, shard, run, snapshot=snapshot)
    judged, refusals = (made, ()) if ownership is None else ownership.judge(shard, made, snapshot)
    return ShardPlan(
        shard=shard.name,
        label=run.label(shard.name),
        configuration_sha256=configuration_sha256(shard),
        state=made.state,
        inputs=inputs,
        reads=shard.inputs.digests,
        document=judged.document,
        content=read_source(made.file) if made.raw else None,
        seen=tuple(one.to_json() for one in made.watched.by_key.values()),
        guarded=made.guarded,
        refusals=refusals or refusals_of(judged, shard, run, agreed or Agreed()),
        seconds=run.clock.monotonic() - began,
    )


def _waiting(shard: Shard, run: Run, upstreams: tuple[str, ...]) -> ShardPlan:
    return ShardPlan(
        shard=shard.name,
        label=run.label(shard.name),
        configuration_sha256=configuration_sha256(shard),
        waits_for=upstreams,
        waiting=f"waits for {', '.join(f'`{run.label(name)}`' for name in upstreams)}",
    )
