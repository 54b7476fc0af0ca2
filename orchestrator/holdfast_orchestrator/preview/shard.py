"""Plan one shard to show it: what a deploy of it would do, and what would stop it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.upstream import Upstreams, undeployed_upstreams, waits_for
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.shard.planning import Agreement, PlanTask, plan_shard
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Place, places
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.ownership.settle import Turn
from holdfast_orchestrator.plan.result import ShardPlan, configuration_sha256
from holdfast_orchestrator.plan.shard import refuse_unknown_checks
from holdfast_orchestrator.preview.ownership import PlannedOwnership
from holdfast_orchestrator.preview.refusals import Agreed, refusals_of
from holdfast_orchestrator.record.last_good import LastGood, read_last_good
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.system.private_files import read_source


def preview_shard(shard: Shard, run: Run, agreed: Agreed, ownership: PlannedOwnership) -> ShardPlan:
    """Plan for a preview: what goes wrong is part of the answer, and nothing is kept on disk."""
    began = run.clock.monotonic()
    try:
        refuse_unknown_checks(shard)
        waiting = waits_for(shard, run.manifest, run.tools)
        if waiting:
            return _waiting(shard, run, waiting)
        with run.tools.folder(shard):
            plan = _planned(shard, run, agreed, ownership)
    except HoldfastError as error:
        upstreams = undeployed_upstreams(error, shard, run.manifest, run.tools)
        if upstreams:
            waiting_plan = _waiting(shard, run, upstreams)
            reason = run.redactor.text(str(error).splitlines()[0])
            return replace(waiting_plan, waiting=f"{waiting_plan.waiting} ({reason})")
        return replace(
            _nothing_planned(shard, run),
            failure=run.redactor.text(_failure(error, shard)),
            exit_code=error.exit_code,
            seconds=run.clock.monotonic() - began,
        )
    return replace(plan, seconds=run.clock.monotonic() - began)


def _failure(error: HoldfastError, shard: Shard) -> str:
    """Return what went wrong, where in the app, and what to do next."""
    where = "".join(f"\n  where: {place}" for place in _places(error, shard))
    return str(error).replace(error.what, f"{error.what}{where}", 1)


def _places(error: HoldfastError, shard: Shard) -> Iterator[Place]:
    """Yield where the app declares each resource that the engine complains about."""
    for diagnostic in error.diagnostics if isinstance(error, CommandFailedError) else ():
        if diagnostic.is_error:
            yield from places(diagnostic, shard.sources, shard.configuration)


def _planned(shard: Shard, run: Run, agreed: Agreed, ownership: PlannedOwnership) -> ShardPlan:
    """The judged plan; the content of its file is part of it."""
    place = ownership.read(shard)
    snapshot = read_snapshot(place.store, shard.state.key)
    ownership.refuse_strange(place, snapshot)
    # Asked before the plan reads them: what changes meanwhile makes this plan stale, never good.
    inputs = Upstreams(manifest=run.manifest, tools=run.tools).digests(shard)

    @cache
    def last_good() -> LastGood | None:
        promoted = read_last_good(place.store, place.folder)
        return None if promoted is None else promoted.record

    task = PlanTask(
        snapshot=snapshot,
        turn=Turn(handover=ownership.handover.of(shard.name)),
        agreement=Agreement(allowed=agreed.allowed, adopt=agreed.adopt, redeploy=agreed.redeploy),
        good=last_good,
        settle=ownership.settled,
    )
    judged = plan_shard(place, task)
    made = judged.made
    return replace(
        _nothing_planned(shard, run),
        state=made.state,
        inputs=inputs,
        reads=shard.inputs.digests,
        document=judged.document,
        content=read_source(made.file) if made.raw else None,
        seen=tuple(sighting.to_json() for sighting in made.watched.by_key.values()),
        guarded=made.guarded,
        refusals=refusals_of(judged, place, agreed, last_good) if made.raw else (),
    )


def _nothing_planned(shard: Shard, run: Run) -> ShardPlan:
    return ShardPlan(
        shard=shard.name, label=run.label(shard.name), configuration_sha256=configuration_sha256(shard)
    )


def _waiting(shard: Shard, run: Run, upstreams: tuple[str, ...]) -> ShardPlan:
    return replace(
        _nothing_planned(shard, run),
        waits_for=upstreams,
        waiting=f"waits for {', '.join(f'`{run.label(name)}`' for name in upstreams)}",
    )
