"""`--atomic`: when one shard of a run fails, the shards this run committed go back too.

Down against the graph first (dependents drop what they refer to before it changes), then up along it
once more: a dependent that went back before its upstream did has taken the upstream's new values. Where a
failed shard's last good version cannot even be planned with those, its upstreams go first. A shard
that was never good before this run has nothing to go back to, and stays, as does what an interruption left
no time for; the report says so.
"""

from collections.abc import Mapping
from dataclasses import replace

from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.deploy.phases.irreversible import UPSTREAMS_FIRST
from holdfast_orchestrator.deploy.resume import go_on_undoing
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.deploy.shard.deploy import ShardDeploy
from holdfast_orchestrator.deploy.shard.intent import Intent, RollbackTarget
from holdfast_orchestrator.deploy.work.next_commands import (
    correct_and_deploy,
    destroy_command,
    rollback_command,
)
from holdfast_orchestrator.errors import EXIT_FAILED, RolledBackError
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.inputs.kept import doubts_about, reapplied
from holdfast_orchestrator.record.last_good import LastGood, earlier
from holdfast_orchestrator.record.state_record import read_state_record


def take_back(
    results: Mapping[str, ShardResult],
    run: Run,
    run_context: RunContext,
    givers: Mapping[str, frozenset[str]] | None = None,
) -> Mapping[str, ShardResult]:
    """Return the results, those of committed shards replaced by what came of taking them back.

    `givers` are shards that let go of objects in this run, with those that received them: these go first.
    """
    failed = [name for name, result in results.items() if result.exit_code and not result.outcome.is_good]
    in_order = (name for name in run.manifest.graph.order if name in results)
    committed = [name for name in in_order if results[name].outcome is Outcome.COMMITTED]
    if not failed or not committed:
        return results
    because = f"`{run.label(failed[0])}` failed, and this run was to be all or nothing"
    targets = {name: _before(name, run) for name in committed}
    taken = dict(results)
    for name in _receivers_first(tuple(reversed(committed)), givers or {}):
        taken[name] = _taken_back(
            results[name], targets[name], because=because, run=run, run_context=run_context
        )
    for name in run.manifest.graph.order:
        if name in taken and _waits_for_upstreams(taken[name]):
            taken[name] = _go_on(taken[name], run, run_context)
        if name in taken and taken[name].outcome is Outcome.ROLLED_BACK:
            taken[name] = _once_more(taken[name], targets.get(name) or _before(name, run), run, run_context)
    return taken


def take_back_receivers(
    results: Mapping[str, ShardResult],
    run: Run,
    run_context: RunContext,
    givers: Mapping[str, frozenset[str]],
) -> Mapping[str, ShardResult]:
    """Return the results after taking back what received an object from a shard that failed afterwards.

    The giver has the object still, or again: only one of the two may keep it.
    """
    taken = dict(results)
    for giver, receivers in givers.items():
        if giver not in results or results[giver].outcome.is_good or run.stop.asked:
            continue
        for name in sorted(receivers):
            received = taken[name].outcome is Outcome.COMMITTED and _has_received(name, giver, run)
            if received:
                cause = (
                    f"`{run.label(giver)}`, which hands something over to it, ended {results[giver].outcome}"
                )
                taken[name] = _taken_back(
                    taken[name], _before(name, run), because=cause, run=run, run_context=run_context
                )
    return taken


def _has_received(name: str, giver: str, run: Run) -> bool:
    """Whether a shard took something over from another in this run."""
    shard, folder = run.manifest.by_name[name], run.manifest.by_name[giver].state.folder
    kept = read_state_record(run.tools.store(shard), shard.state.folder)
    received = () if kept is None else kept.record.received
    return any((one.run, one.source) == (run.id, folder) for one in received)


def _receivers_first(names: tuple[str, ...], givers: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Put the receivers of an object before its giver, and keep the order of all others."""
    ordered = list[str]()
    for name in names:
        ordered += [each for each in names if each in givers.get(name, ()) and each not in ordered]
        ordered += [] if name in ordered else [name]
    return tuple(ordered)


def _waits_for_upstreams(result: ShardResult) -> bool:
    return result.outcome is Outcome.BLOCKED and (result.reason or "").startswith(UPSTREAMS_FIRST)


def _go_on(result: ShardResult, run: Run, run_context: RunContext) -> ShardResult:
    ended = go_on_undoing(run.manifest.by_name[result.shard], run, run_context)
    return replace(ended, seconds=result.seconds + ended.seconds)


def _once_more(
    result: ShardResult, target: LastGood | None, run: Run, run_context: RunContext
) -> ShardResult:
    """Deploy the last good version again, once the shards above have theirs: it reads their values anew."""
    if target is None:
        return result
    again = _go(result.shard, target, run, run_context)
    if again.outcome is Outcome.SKIPPED:
        reason = f"{result.reason}; interrupted before the values from above were read again"
        return replace(result, reason=reason, next_step=rollback_command(run.manifest.by_name[result.shard]))
    return result if again.outcome.is_good else again


def _before(name: str, run: Run) -> LastGood | None:
    """The last good deployment before this run."""
    shard = run.manifest.by_name[name]
    history = earlier(run.tools.store(shard), shard.state.folder)
    return next((record for record in history if record.run != run.id and record.index.objects), None)


def _taken_back(
    result: ShardResult, target: LastGood | None, *, because: str, run: Run, run_context: RunContext
) -> ShardResult:
    """Deploy `target` again in place of what this run committed; returns what came of it."""
    name = result.shard
    if target is None:
        shard = run.manifest.by_name[name]
        return replace(
            result,
            outcome=Outcome.FAILED,
            exit_code=EXIT_FAILED,
            reason=f"{because}; it was never good before, so it stays as it is",
            next_step=f"{correct_and_deploy(shard)}; or, to take it down: {destroy_command(shard)}",
        )
    back = _go(name, target, run, run_context)
    if back.outcome is Outcome.SKIPPED:
        reason = f"{because}; interrupted before it was taken back, so it stays committed"
        rollback = rollback_command(run.manifest.by_name[name])
        run.emit(Notice(shard=name, message=f"{result.label}: {reason} (to take it back: {rollback})"))
        return replace(result, reason=reason, next_step=rollback)
    if not back.outcome.is_good:
        return back
    return replace(
        back,
        outcome=Outcome.ROLLED_BACK,
        exit_code=RolledBackError.exit_code,
        put_back=back.added + back.changed + back.destroyed,
        added=0,
        changed=0,
        destroyed=0,
        reason=f"{because}; {reapplied(target.run, _doubts(name, target, run))}",
        seconds=result.seconds + back.seconds,
    )


def _doubts(name: str, target: LastGood, run: Run) -> tuple[str, ...]:
    return doubts_about(run.tools.store(run.manifest.by_name[name]), target.artifact)


def _go(name: str, target: LastGood | None, run: Run, run_context: RunContext) -> ShardResult:
    """Go back in a new run, because the journal of this one is closed."""
    intent = Intent(back=RollbackTarget(None if target is None else target.run, rejects=False))
    return ShardDeploy(run.manifest.by_name[name], run.anew(), intent, run_context).result()
