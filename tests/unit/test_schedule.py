import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.graph import Graph
from holdfast_orchestrator.schedule import Schedule, Skipped
from holdfast_orchestrator.stop import StopSignal

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
) -> Mapping[str, bool | Skipped]:
    schedule = Schedule(
        work=work, failed=lambda good: not good, max_parallel=max_parallel, stop=stop or StopSignal()
    )
    with ThreadPoolExecutor(8) as executor:
        return schedule.run(graph, executor)


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
