"""Do work along a graph, as much at once as is allowed, and say what became of every name.

Work that fails does not stop its neighbours: what runs is left to finish, and only what depends on
the failure is skipped, with the failure itself as the reason and never another skipped shard. After a
stop is asked for nothing new starts. Nothing here knows Terraform; any `concurrent.futures.Executor`
will do, a pool of threads or one that hands work to other machines.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from queue import SimpleQueue
from typing import Generic, TypeVar

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.system.stop import StopSignal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Skipped:
    """Never started. `cause` is the shard whose failure is the reason, or None after a stop."""

    cause: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Generic[T]):
    """How to work through a graph.

    `work` is called with a name, in the executor; `failed` judges its result; at most `max_parallel`
    names are worked on at once, and at most `per_group` of one `group`; of what could begin, the highest
    `priority` does. `on_skip` is called for each skipped name as soon as it is known.
    `only_after` says which upstreams a name waits for and does not need: it is not skipped for them.
    """

    work: Callable[[str], T]
    failed: Callable[[T], bool]
    max_parallel: int
    stop: StopSignal = field(default_factory=StopSignal)
    on_skip: Callable[[str, Skipped], object] = lambda _name, _skipped: None
    priority: Callable[[str], float] = lambda _name: 0.0
    group: Callable[[str], str] = lambda _name: ""
    per_group: int | None = None
    only_after: Callable[[str], Collection[str]] = lambda _name: ()

    def run(self, graph: Graph, executor: Executor) -> Mapping[str, T | Skipped]:
        """Return what became of each name, in the graph's order.

        Where `work` raised, the first such exception (in the graph's order) is raised here, after
        everything that ran has finished.
        """
        for name, most in (("max_parallel", self.max_parallel), ("per_group", self.per_group or 1)):
            if most < 1:
                raise ValueError(f"{name} must be 1 or more, got {most}")
        walk = _Walk(self, graph, executor)
        walk.finish()
        return {name: walk.result(name) for name in graph.order}


class _Walk(Generic[T]):
    """One walk through the graph; lives in the calling thread only."""

    def __init__(self, schedule: Schedule[T], graph: Graph, executor: Executor) -> None:
        self._schedule = schedule
        self._graph = graph
        self._executor = executor
        self._sorter = TopologicalSorter(graph.dependencies)
        self._ready: list[tuple[float, str]] = []
        self._running: dict[Future[T], str] = {}
        self._just_ended: SimpleQueue[Future[T]] = SimpleQueue()
        self._ended: dict[str, Future[T]] = {}
        self._skipped: dict[str, Skipped] = {}

    def finish(self) -> None:
        self._sorter.prepare()
        while self._sorter.is_active():
            self._take_ready()
            self._start_or_skip()
            if self._running:
                self._collect()

    def _take_ready(self) -> None:
        # A skip makes others ready, which are skipped in their turn.
        while names := self._sorter.get_ready():
            for name in sorted(names):
                if (skipped := self._reason_to_skip(name)) is not None:
                    self._skip(name, skipped)
                else:
                    heappush(self._ready, (-self._schedule.priority(name), name))

    def result(self, name: str) -> T | Skipped:
        return self._skipped[name] if name in self._skipped else self._ended[name].result()

    def _start_or_skip(self) -> None:
        waiting = []
        while self._ready and (self._schedule.stop.asked or self._has_room()):
            _, name = entry = heappop(self._ready)
            if (skipped := self._reason_to_skip(name)) is not None:
                self._skip(name, skipped)
            elif self._has_room() and self._group_has_room(name):
                future = self._executor.submit(self._schedule.work, name)
                self._running[future] = name
                future.add_done_callback(self._just_ended.put)
            else:
                waiting.append(entry)
        for entry in waiting:
            heappush(self._ready, entry)

    def _has_room(self) -> bool:
        return len(self._running) < self._schedule.max_parallel

    def _group_has_room(self, name: str) -> bool:
        schedule = self._schedule
        if schedule.per_group is None:
            return True
        group = schedule.group(name)
        beside = sum(schedule.group(running) == group for running in self._running.values())
        return beside < schedule.per_group

    def _reason_to_skip(self, name: str) -> Skipped | None:
        upstreams = sorted(set(self._graph.dependencies[name]).difference(self._schedule.only_after(name)))
        failed = [upstream for upstream in upstreams if upstream in self._ended and self._failed(upstream)]
        if failed:
            return Skipped(failed[0])
        inherited = [self._skipped[upstream] for upstream in upstreams if upstream in self._skipped]
        if inherited:
            return next((skipped for skipped in inherited if skipped.cause is not None), inherited[0])
        return Skipped(None) if self._schedule.stop.asked else None

    def _skip(self, name: str, skipped: Skipped) -> None:
        self._skipped[name] = skipped
        self._sorter.done(name)
        self._schedule.on_skip(name, skipped)

    def _collect(self) -> None:
        self._note(self._just_ended.get())
        while not self._just_ended.empty():
            self._note(self._just_ended.get())

    def _note(self, future: Future[T]) -> None:
        name = self._running.pop(future)
        self._ended[name] = future
        self._sorter.done(name)

    def _failed(self, name: str) -> bool:
        future = self._ended[name]
        return future.exception() is not None or self._schedule.failed(future.result())
