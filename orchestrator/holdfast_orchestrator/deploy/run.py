"""Deploys or destroys the chosen shards: checks, walks the graph, reports, and sums up."""

import threading
from collections.abc import Iterable, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.app.priority import estimated_seconds, longest_paths
from holdfast_orchestrator.change_detection.decide import Decision
from holdfast_orchestrator.change_detection.retired import find_retired, tell_retired
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.context.tools import check_buckets, shards_with_state
from holdfast_orchestrator.deploy.atomic import take_back, take_back_receivers
from holdfast_orchestrator.deploy.background_init import BackgroundInit
from holdfast_orchestrator.deploy.order import Order
from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult, finished
from holdfast_orchestrator.deploy.phases.readers import readers_of
from holdfast_orchestrator.deploy.removals import remove_what_waited
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.deploy.run_recorder import RunRecorder
from holdfast_orchestrator.deploy.shard.deploy import ShardDeploy
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.deploy.skip_check import SkipCheck
from holdfast_orchestrator.deploy.workers import Workers
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.events import Notice, RunFinished
from holdfast_orchestrator.gate.adopted import refuse_unknown_adoptions
from holdfast_orchestrator.gate.destroys import refuse_protected
from holdfast_orchestrator.gate.elsewhere import refuse_states_elsewhere
from holdfast_orchestrator.ownership.handover import Handover, ShardHandover, find_moves
from holdfast_orchestrator.schedule import Schedule, Skipped
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.possible_moves import order_of_moves


def carry_out(order: Order, run: Run, crew: Workers | None = None) -> RunResult:
    """Carry an order out with the workers of a cluster (None: with threads here), and return how it ended.

    A failed shard is part of the answer.

    Raises StateBucketError before anything is begun where a state bucket is missing, UsageError where a
    destroy would leave a dependent without what it depends on, and GateError where it would lose a
    protected object that nobody named.
    """
    began = run.clock.monotonic()
    check_buckets(run.tools, order.shards)
    refuse_states_elsewhere(run.tools, order.shards, lambda text: run.emit(Notice(message=text)))
    refuse_unknown_adoptions(order.policy.adopt, order.shards)
    if order.destroy:
        _refuse_to_strand(order, run)
        refuse_protected(run.tools, order.shards, order.policy.allowed)
    transcript = order.transcribe(run.emit)
    run = replace(run, emit=transcript)
    run_context = RunContext.open(run, order.shards, order.policy)
    recorder = RunRecorder(
        run=run,
        run_context=run_context,
        verb=order.verb,
        shards=order.shards,
        command=order.command,
        transcript=transcript,
    )
    run.emit(run.started(order.verb, order.shards))
    # Only reads; meanwhile it is found out who deploys.
    skip_check = _turns(order, run)
    with run.stop.guarding():
        recorder.begin()
        with nullcontext() if crew is None else crew.listening(run):
            results: Mapping[str, ShardResult] = {}
            try:
                walk = _Walk(order=order, run=run, run_context=run_context, crew=crew, skip_check=skip_check)
                results = walk.results()
                if order.atomic:
                    results = take_back(results, run, run_context, walk.handover.givers)
                results = take_back_receivers(results, run, run_context, walk.handover.givers)
                results = remove_what_waited(results, order, run, run_context)
            finally:
                # Even a defect leaves its trace.
                result = _added_up(order, run, results, seconds=run.clock.monotonic() - began)
                recorder.end(result)
    run.emit(RunFinished(run=run.id, outcomes=dict(result.counts), seconds=result.seconds))
    return result


def _added_up(order: Order, run: Run, results: Mapping[str, ShardResult], *, seconds: float) -> RunResult:
    return RunResult(
        run=run.id,
        verb=order.verb,
        shards=tuple(results[name] for name in order.names if name in results),
        seconds=seconds,
        interrupted=run.stop.asked,
    )


def _refuse_to_strand(order: Order, run: Run) -> None:
    outside = run.manifest.graph.dependents(order.names) - set(order.names)
    stranded = shards_with_state(run.tools, run.manifest, outside)
    if stranded:
        raise UsageError(
            f"{', '.join(run.label(shard.name) for shard in stranded)} would lose what they depend on",
            next_step="destroy them too: holdfast … --include-dependents",
        )
    _refuse_to_strand_readers(order, run)


def _refuse_to_strand_readers(order: Order, run: Run) -> None:
    """Refuse to destroy a retired stack that others still read, as their records say."""
    for shard in order.shards:
        if shard.directory != Path():
            continue
        readers = sorted(set(readers_of(shard, run, None)) - set(order.names))
        if readers:
            raise UsageError(
                f"the last good deploy of {', '.join(readers)} still reads outputs of {shard.name}",
                next_step=f"deploy or destroy {', '.join(readers)} first",
            )


@dataclass(frozen=True, kw_only=True)
class _Walk:
    order: Order
    run: Run
    run_context: RunContext
    crew: Workers | None
    lock: threading.Lock = field(default_factory=threading.Lock)
    moved: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    at_work: set[str] = field(default_factory=set)
    skip_check: SkipCheck | None = None

    def results(self) -> Mapping[str, ShardResult]:
        graph = self._graph
        schedule = Schedule(
            work=self._work,
            failed=lambda result: not result.outcome.is_good,
            max_parallel=self.order.max_parallel,
            stop=self.run.stop,
            on_skip=self._skip,
            only_after=self._only_after,
            priority=longest_paths(self._turned(graph), self._seconds()).__getitem__,
            group=lambda name: self.run.manifest.by_name[name].account,
            per_group=self.order.per_account,
        )
        with WorkerPool(self.order.max_parallel + 1, thread_name_prefix="shard") as executor:
            retired = None if self.skip_check is None else executor.submit(find_retired, self.run)
            with closing(self._ahead):
                walked = schedule.run(self._turned(graph), executor)
        results = {
            name: self._skipped(name, ended) if isinstance(ended, Skipped) else ended
            for name, ended in walked.items()
        }
        self._hand_over(results)
        if retired is not None:
            tell_retired(self.run, retired.result())
        return results

    def _hand_over(self, results: dict[str, ShardResult]) -> None:
        """Deploy shards once more that kept an object until a later shard had received it."""
        for name in self._graph.order:
            receivers = self.handover.of(name, self.failed).receivers
            if not receivers or not results[name].outcome.is_good:
                continue
            missing = [each for each in receivers if not results[each].outcome.is_good]
            if missing or self.run.stop.asked:
                waits = ", ".join(self.run.label(each) for each in missing or receivers)
                sentence = (
                    f"{self.run.label(name)} keeps in its state what goes to {waits}, until that is deployed"
                )
                self.run.emit(Notice(shard=name, message=sentence))
                continue
            first, intent = results[name], replace(self._intent(name), handover=ShardHandover(), shown=None)
            again = self._worked(self.run.manifest.by_name[name], self.run.anew(), intent)
            results[name] = again if not again.outcome.is_good else replace(first, serial=again.serial)

    def _seconds(self) -> Mapping[str, float]:
        """How long each shard is expected to take; nothing where it will be skipped."""
        if self.skip_check is not None:
            return {shard.name: self.skip_check.seconds(shard) for shard in self.order.shards}
        return {shard.name: estimated_seconds(shard) for shard in self.order.shards}

    @cached_property
    def _graph(self) -> Graph:
        graph = self.run.manifest.graph.only(self.order.names)
        if not self.handover.moves:
            return graph
        return Graph(order_of_moves(self.handover.moves, graph.dependencies)[0])

    @cached_property
    def handover(self) -> Handover:
        """What moves between the shards that are worked on; only a deploy moves anything."""
        if self.skip_check is None:
            return Handover()
        working = [
            shard.name for shard in self.order.shards if not self.skip_check.decisions[shard.name].unchanged
        ]
        found = find_moves(self.run, working, self.run_context.owners)
        graph = self.run.manifest.graph.only(self.order.names)
        return replace(found, late=order_of_moves(found.moves, graph.dependencies)[1])

    @cached_property
    def _ahead(self) -> BackgroundInit:
        """Initializes the folders of shards that change in this process and wait for others."""
        waiting: Iterable[Shard] = ()
        if self.skip_check is not None and self.crew is None:
            changing = [shard for shard in self.order.shards if self.skip_check.will_work(shard)]
            waiting = [shard for shard in changing if self._graph.dependencies[shard.name]]
        return BackgroundInit(
            self.run, waiting, has_room=lambda: 0 < len(self.at_work) < self.order.max_parallel
        )

    def _turned(self, graph: Graph) -> Graph:
        return graph.reversed if self.order.destroy else graph

    def _work(self, name: str) -> ShardResult:
        shard, intent = self.run.manifest.by_name[name], self._intent(name)
        decision = None if self.skip_check is None else self.skip_check.unchanged(shard, intent)
        if decision is not None:
            result = _left_alone(shard, self.run, decision)
            self._tell(result)
            return result
        self._ahead.leave(name)
        self.at_work.add(name)
        result = self._worked(shard, self.run, intent)
        self.at_work.discard(name)
        if result.outcome is Outcome.COMMITTED:
            self._note_moved(name)
        if not result.outcome.is_good:
            self.failed.add(name)
        self._tell(result)
        return result

    def _worked(self, shard: Shard, run: Run, intent: Intent) -> ShardResult:
        if self.crew is not None:
            return self.crew.work(shard, run, intent, self.run_context)
        return ShardDeploy(shard, run, intent, self.run_context).result()

    def _skip(self, name: str, skipped: Skipped) -> None:
        self.failed.add(name)
        self._tell(self._skipped(name, skipped))

    def _only_after(self, name: str) -> frozenset[str]:
        """The shards this one goes after without needing them: they may receive something from it."""
        return self.handover.only_after(name).difference(self.run.manifest.graph.dependencies[name])

    def _intent(self, name: str) -> Intent:
        shown = self.order.shown
        changed = self._has_moved_above(name)
        return Intent(
            destroy=self.order.destroy,
            allowed=self.order.policy.allowed,
            shown=None if shown is None else shown.by_name.get(name),
            handover=self.handover.of(name, self.failed),
            upstream_changed=changed,
            back=self.order.back,
            followers=self._followers(name),
        )

    def _followers(self, name: str) -> tuple[str, ...]:
        """The shards that depend on this one, were deployed before, and are going to be worked on."""
        if self.skip_check is None:
            return ()
        waiting = self._graph.waiting[name]
        decisions = {other: self.skip_check.decisions[other] for other in waiting}
        return tuple(
            other
            for other, decision in decisions.items()
            if not decision.unchanged and decision.record is not None
        )

    def _has_moved_above(self, name: str) -> bool:
        """Whether any shard above was committed in this run. Passes the answer on to the shards below."""
        with self.lock:
            changed = not self.moved.isdisjoint(self._graph.dependencies[name])
        if changed:
            self._note_moved(name)
        return changed

    def _note_moved(self, name: str) -> None:
        with self.lock:
            self.moved.add(name)

    def _skipped(self, name: str, skipped: Skipped) -> ShardResult:
        label = self.run.label
        because = "interrupted" if skipped.cause is None else f"`{label(skipped.cause)}` failed"
        return ShardResult(shard=name, label=label(name), outcome=Outcome.SKIPPED, reason=because)

    def _tell(self, result: ShardResult) -> None:
        self.run.emit(finished(result))


def _turns(order: Order, run: Run) -> SkipCheck | None:
    """The check for unchanged shards; None for a destroy or a rollback, which skip none."""
    if order.destroy or order.back is not None:
        return None
    return SkipCheck.look(run, order.shards, refresh=order.refresh)


def _left_alone(shard: Shard, run: Run, decision: Decision) -> ShardResult:
    state = None if decision.record is None else decision.record.state
    return ShardResult(
        shard=shard.name,
        label=run.label(shard.name),
        outcome=Outcome.UNCHANGED,
        reason=decision.since,
        accepted=() if decision.fingerprint is None else decision.fingerprint.accepted,
        serial=None if state is None else state.serial,
        skipped=True,
    )
