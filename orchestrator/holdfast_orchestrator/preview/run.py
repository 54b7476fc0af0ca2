"""Plan the shards of a run at once and in no order: a plan changes nothing, so none waits for another."""

from collections import Counter
from dataclasses import dataclass, field, replace

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.app.priority import estimated_seconds
from holdfast_orchestrator.change_detection.decide import Decision
from holdfast_orchestrator.change_detection.inspect import ChangeDetector
from holdfast_orchestrator.change_detection.retired import find_retired, tell_retired
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.context.tools import check_buckets
from holdfast_orchestrator.events import Notice, RunFinished, ShardFinished
from holdfast_orchestrator.gate.adopted import refuse_unknown_adoptions
from holdfast_orchestrator.gate.elsewhere import refuse_states_elsewhere
from holdfast_orchestrator.plan.result import Plan, ShardPlan, unplanned
from holdfast_orchestrator.preview.ownership import PlannedOwnership
from holdfast_orchestrator.preview.refusals import Agreed
from holdfast_orchestrator.preview.shard import preview_shard
from holdfast_orchestrator.record.belonging import refuse_other_apps
from holdfast_orchestrator.schedule import Schedule, Skipped
from holdfast_orchestrator.system.workers import WorkerPool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What to plan, and how.

    Attributes:
        shards: what to plan.
        max_parallel: how many shards at once.
        per_account: how many shards of one account at once; None for no bound of its own.
        refresh: look at reality too, where nothing has changed since the last good deploy.
        explain: name the resources in the reasons.
        take_over_app: an app whose records count as this one's.
        agreed: what may be lost: a deploy is not refused for it.
    """

    shards: tuple[Shard, ...]
    max_parallel: int
    per_account: int | None = None
    refresh: bool = False
    explain: bool = False
    take_over_app: str | None = None
    agreed: Agreed = field(default_factory=Agreed)


def plan_run(run: Run, request: PlanRequest) -> Plan:
    """Return the plans of the shards; one that cannot be planned yet, or at all, is part of the answer.

    What has not changed since its last good deploy is not planned, unless with `refresh`.
    Raises StateBucketError where a state bucket is missing, and GateError where the records of a shard are of
    another app than this and `take_over_app`, UsageError where `agreed` adopts what no shard declares.
    """
    began, shards = run.clock.monotonic(), request.shards
    check_buckets(run.tools, shards)
    refuse_states_elsewhere(run.tools, shards, lambda text: run.emit(Notice(message=text)))
    refuse_unknown_adoptions(request.agreed.adopt, shards)
    names = tuple(shard.name for shard in shards)
    run.emit(run.started("plan", shards))
    decisions = ChangeDetector(run=run, refresh=request.refresh, explain=request.explain).first(shards)
    refuse_other_apps(
        run.project,
        [(shard, run.tools.store(shard)) for shard in shards if not decisions[shard.name].unchanged],
        taken_over=request.take_over_app,
        is_named=run.is_named,
    )
    changed = frozenset(name for name in names if not decisions[name].unchanged)
    ownership = PlannedOwnership.of(run, changed)
    schedule = Schedule(
        work=lambda name: _plan_and_tell(name, run, decisions[name], request.agreed, ownership),
        failed=lambda _plan: False,
        max_parallel=request.max_parallel,
        stop=run.stop,
        priority={shard.name: estimated_seconds(shard) for shard in shards}.__getitem__,
        group=lambda name: run.manifest.by_name[name].account,
        per_group=request.per_account,
    )
    with (
        # Somebody may be asked about the plan next, and a deploy may follow.
        run.stop.guarding(is_last=False),
        WorkerPool(request.max_parallel + 1, thread_name_prefix="plan") as executor,
    ):
        retired = executor.submit(find_retired, run)
        planned = schedule.run(Graph(dict.fromkeys(names, ())), executor)
    tell_retired(run, retired.result())
    plans = tuple(ended for name in names if not isinstance(ended := planned[name], Skipped))
    seconds = run.clock.monotonic() - began
    run.emit(
        RunFinished(run=run.id, outcomes=dict(Counter(plan.outcome.value for plan in plans)), seconds=seconds)
    )
    return Plan(
        run=run.id,
        shards=plans,
        environments=tuple(sorted({shard.environment for shard in shards})),
        manifest=run.manifest,
        retired=tuple(retired_shard.shard.name for retired_shard in retired.result()),
        seconds=seconds,
    )


def _plan_and_tell(
    name: str, run: Run, decision: Decision, agreed: Agreed, ownership: PlannedOwnership
) -> ShardPlan:
    shard = run.manifest.by_name[name]
    if decision.unchanged:
        plan = unplanned(shard, run.label(name), decision)
    else:
        plan = replace(preview_shard(shard, run, agreed, ownership), reasons=decision.reasons)
    run.emit(
        ShardFinished(shard=name, outcome=plan.outcome.value, summary=plan.summary, seconds=plan.seconds)
    )
    return plan
