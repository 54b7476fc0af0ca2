import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.priority import longest_paths
from holdfast_orchestrator.schedule import Schedule, Skipped
from holdfast_orchestrator.system.stop import StopSignal

CHAIN = Graph({"a": (), "b": ("a",), "c": ("b",), "x": ()})


class Recorder:
    """Work that notes what ran, in which order, and how much of it at once."""

    def __init__(self, failing: frozenset[str] = frozenset()) -> None:
        self.failing = failing
        self.began: list[str] = []
        self.ended: list[str] = []
        self.most_at_once = 0
        self.seen_at_start: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def __call__(self, name: str) -> bool:
        with self._lock:
            self.seen_at_start[name] = set(self.ended)
            self.began.append(name)
            self.most_at_once = max(self.most_at_once, len(self.began) - len(self.ended))
        with self._lock:
            self.ended.append(name)
        return name not in self.failing


def run(
    graph: Graph,
    work: Callable[[str], bool],
    *,
    max_parallel: int = 4,
    stop: StopSignal | None = None,
    **more: Any,
) -> Mapping[str, bool | Skipped]:
    schedule = Schedule(
        work=work,
        failed=lambda good: not good,
        max_parallel=max_parallel,
        stop=stop or StopSignal(),
        **more,
    )
    with ThreadPoolExecutor(8) as executor:
        return schedule.run(graph, executor)


def test_what_only_goes_after_a_failure_is_not_skipped_for_it() -> None:
    work = Recorder(failing=frozenset({"a"}))
    graph = Graph({"a": (), "b": ("a",), "c": ("a",), "d": ("b",)})

    ended = run(graph, work, only_after=lambda name: {"b": {"a"}}.get(name, set()))

    assert ended == {"a": False, "b": True, "c": Skipped("a"), "d": True}
    assert work.seen_at_start["b"] >= {"a"}


@st.composite
def runs(draw: st.DrawFn) -> tuple[Graph, frozenset[str], int]:
    names = [f"s{number}" for number in range(draw(st.integers(1, 9)))]
    graph = Graph(
        {
            name: tuple(draw(st.lists(st.sampled_from(names[:position]), unique=True))) if position else ()
            for position, name in enumerate(names)
        }
    )
    return graph, frozenset(draw(st.lists(st.sampled_from(names), unique=True))), draw(st.integers(1, 4))


@given(runs())
def test_no_shard_begins_before_all_it_needs_has_ended(case: tuple[Graph, frozenset[str], int]) -> None:
    graph, failing, most = case
    work = Recorder(failing)

    run(graph, work, max_parallel=most)

    for name, ended in work.seen_at_start.items():
        assert graph.upstreams([name]) <= ended


@given(runs())
def test_exactly_what_depends_on_a_failure_is_skipped(case: tuple[Graph, frozenset[str], int]) -> None:
    graph, failing, most = case

    results = run(graph, Recorder(failing), max_parallel=most)

    skipped = {name for name, result in results.items() if isinstance(result, Skipped)}
    ran_and_failed = failing - skipped
    assert skipped == graph.dependents(ran_and_failed)


@given(runs())
def test_the_reason_for_skipping_is_a_shard_that_itself_failed(
    case: tuple[Graph, frozenset[str], int],
) -> None:
    graph, failing, most = case

    results = run(graph, Recorder(failing), max_parallel=most)

    for name, result in results.items():
        if isinstance(result, Skipped):
            assert result.cause is not None
            assert results[result.cause] is False
            assert result.cause in graph.upstreams([name])


@given(runs())
def test_never_more_at_once_than_allowed(case: tuple[Graph, frozenset[str], int]) -> None:
    graph, failing, most = case
    work = Recorder(failing)

    run(graph, work, max_parallel=most)

    assert work.most_at_once <= most


@given(runs())
def test_results_stand_in_the_order_of_the_graph(case: tuple[Graph, frozenset[str], int]) -> None:
    graph, failing, most = case

    results = run(graph, Recorder(failing), max_parallel=most)

    assert tuple(results) == graph.order


def test_two_independent_shards_are_worked_on_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=20)

    results = run(Graph({"a": (), "b": ()}), lambda _name: bool(both.wait() >= 0), max_parallel=2)

    assert results == {"a": True, "b": True}


def test_a_failure_lets_its_neighbour_finish() -> None:
    work = Recorder(frozenset({"a"}))

    results = run(CHAIN, work)

    assert results == {"a": False, "b": Skipped("a"), "c": Skipped("a"), "x": True}


def test_after_a_stop_nothing_new_begins_and_what_runs_is_finished() -> None:
    stop = StopSignal()

    def work(name: str) -> bool:
        stop.ask()
        return True

    results = run(CHAIN, work, max_parallel=1, stop=stop)

    assert results == {"a": True, "b": Skipped(None), "c": Skipped(None), "x": Skipped(None)}


def test_an_exception_is_raised_only_after_the_others_have_ended() -> None:
    work = Recorder()

    def explode_or_work(name: str) -> bool:
        if name == "a":
            raise LookupError("a defect")
        return work(name)

    with pytest.raises(LookupError, match="a defect"):
        run(CHAIN, explode_or_work)

    assert work.ended == ["x"]


def test_working_on_nothing_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="max_parallel must be 1 or more, got 0"):
        run(CHAIN, Recorder(), max_parallel=0)


@given(runs(), st.dictionaries(st.sampled_from([f"s{n}" for n in range(9)]), st.floats(0, 100)))
def test_a_priority_is_the_longest_chain_that_waits(
    case: tuple[Graph, frozenset[str], int], seconds: dict[str, float]
) -> None:
    graph, _failing, _most = case

    paths = longest_paths(graph, seconds)

    for name, path in paths.items():
        waiting = [paths[other] for other in graph.order if name in graph.dependencies[other]]
        assert path == seconds.get(name, 0.0) + max(waiting, default=0.0)
        assert all(path >= other for other in waiting)


@given(runs())
def test_of_what_can_begin_the_most_urgent_does(case: tuple[Graph, frozenset[str], int]) -> None:
    graph, _failing, _most = case
    urgency = longest_paths(graph, {name: float(len(name) + int(name[1:])) for name in graph.order})
    work = Recorder()

    run(graph, work, max_parallel=1, priority=urgency.__getitem__)

    for position, name in enumerate(work.began):
        done = set(work.began[:position])
        ready = [other for other in work.began[position:] if set(graph.dependencies[other]) <= done]
        assert urgency[name] == max(urgency[other] for other in ready)


def test_no_more_of_one_group_at_once_than_allowed() -> None:
    graph = Graph(dict.fromkeys(("a1", "a2", "a3", "b1"), ()))
    together = threading.Barrier(2, timeout=20)
    at_once: list[str] = []
    most = []

    def work(name: str) -> bool:
        at_once.append(name)
        most.append(sum(one.startswith("a") for one in at_once))
        if name in ("a1", "b1"):
            together.wait()
        at_once.remove(name)
        return True

    results = run(graph, work, max_parallel=4, group=lambda name: name[0], per_group=1)

    assert set(results.values()) == {True}
    assert max(most) == 1
