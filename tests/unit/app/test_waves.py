import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.waves import MATRIX_LIMIT, matrix_waves


@st.composite
def dags(draw: st.DrawFn) -> Graph:
    names = [f"s{number:02}" for number in range(draw(st.integers(0, 24)))]
    return Graph(
        {
            name: tuple(draw(st.lists(st.sampled_from(names[:position]), unique=True, max_size=3)))
            if position
            else ()
            for position, name in enumerate(names)
        }
    )


LIMITS = st.integers(1, 6)


def longest_chain(graph: Graph) -> int:
    links: dict[str, int] = {}
    for name in graph.order:
        links[name] = 1 + max((links[upstream] for upstream in graph.dependencies[name]), default=0)
    return max(links.values(), default=0)


def least_waves(graph: Graph, limit: int) -> int:
    """No order of the same levels needs fewer: each level is cut into as few parts as hold it."""
    return sum(-(-len(level) // limit) for level in graph.waves)


@given(dags(), LIMITS)
def test_every_shard_is_in_exactly_one_wave(graph: Graph, limit: int) -> None:
    waves = matrix_waves(graph, limit=limit)

    assert sorted(name for wave in waves for name in wave) == sorted(graph.dependencies)


@given(dags(), LIMITS)
def test_all_that_a_shard_needs_lies_in_earlier_waves(graph: Graph, limit: int) -> None:
    number = {
        name: position for position, wave in enumerate(matrix_waves(graph, limit=limit)) for name in wave
    }

    for name in graph.dependencies:
        assert all(number[upstream] < number[name] for upstream in graph.upstreams([name]))


@given(dags(), LIMITS)
def test_no_wave_is_empty_or_above_the_limit(graph: Graph, limit: int) -> None:
    assert all(1 <= len(wave) <= limit for wave in matrix_waves(graph, limit=limit))


@given(dags())
def test_without_a_wave_too_large_there_are_as_few_as_the_longest_chain_has_links(graph: Graph) -> None:
    assert len(matrix_waves(graph)) == longest_chain(graph)


@given(dags(), LIMITS)
def test_a_wave_is_split_into_no_more_parts_than_it_needs(graph: Graph, limit: int) -> None:
    assert len(matrix_waves(graph, limit=limit)) == least_waves(graph, limit)


def test_257_equal_shards_are_two_waves() -> None:
    graph = Graph({f"s{number:03}": () for number in range(MATRIX_LIMIT + 1)})

    waves = matrix_waves(graph)

    assert [len(wave) for wave in waves] == [256, 1]
    assert waves[1] == ("s256",)


@pytest.mark.parametrize("limit", [1, 2, 256])
def test_nothing_chosen_makes_no_wave(limit: int) -> None:
    assert matrix_waves(Graph({}), limit=limit) == ()
