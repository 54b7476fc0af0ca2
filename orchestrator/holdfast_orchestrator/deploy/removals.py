"""Removes what had to wait for dependents: in a deploy of its own, after the walk, dependents first.

What a dependent that failed, or was not part of this run, still reads stays and is named.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult, finished
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.deploy.shard.deploy import ShardDeploy
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.events import Notice

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.order import Order


def remove_what_waited(
    results: Mapping[str, ShardResult], order: "Order", run: Run, run_context: RunContext
) -> Mapping[str, ShardResult]:
    """Make the removals that waited, and return the results with what came of them."""
    ended = dict(results)
    for name in reversed(run.manifest.graph.order):
        if name in ended and ended[name].put_off and ended[name].outcome.is_good:
            ended[name] = _removed(ended[name], ended, order, run=run, run_context=run_context)
    return ended


def _removed(
    result: ShardResult,
    ended: Mapping[str, ShardResult],
    order: "Order",
    *,
    run: Run,
    run_context: RunContext,
) -> ShardResult:
    unwell = [
        name
        for name in run.manifest.graph.waiting[result.shard]
        if name in ended and not ended[name].outcome.is_good
    ]
    if unwell or run.stop.asked:
        return _stays(result, run, why=f"{', '.join(map(run.label, unwell)) or 'the run'} was not finished")
    shown = None if order.shown is None else order.shown.by_name.get(result.shard)
    intent = Intent(allowed=order.policy.allowed, shown=shown, upstream_changed=True)
    again = ShardDeploy(run.manifest.by_name[result.shard], run.anew(), intent, run_context).result()
    if again.put_off:
        return _stays(result, run, why=f"still read by {', '.join(again.waits_for)}")
    if not again.outcome.is_good:
        reason = f"the new version stands, but removing {', '.join(result.put_off)} failed: {again.reason}"
        return replace(again, reason=reason, seconds=result.seconds + again.seconds)
    return _told(_together(result, again), run)


def _stays(result: ShardResult, run: Run, *, why: str) -> ShardResult:
    kept = ", ".join(result.put_off)
    sentence = f"{kept}: not removed yet ({why}); the next deploy of {result.label} that can removes it"
    run.emit(Notice(shard=result.shard, message=sentence))
    return replace(result, evidence=(*result.evidence, sentence))


def _together(first: ShardResult, second: ShardResult) -> ShardResult:
    return replace(
        second,
        outcome=Outcome.COMMITTED if Outcome.COMMITTED in (first.outcome, second.outcome) else first.outcome,
        reason=None if second.outcome is Outcome.COMMITTED else second.reason,
        added=first.added + second.added,
        changed=first.changed + second.changed,
        destroyed=first.destroyed + second.destroyed,
        backup=first.backup or second.backup,
        seconds=first.seconds + second.seconds,
    )


def _told(result: ShardResult, run: Run) -> ShardResult:
    run.emit(finished(result))
    return result
