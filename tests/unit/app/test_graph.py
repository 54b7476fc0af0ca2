import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.errors import SettingsError

DIAMOND = Graph({"d": ("b", "c"), "b": ("a",), "c": ("a",), "a": ()})


@st.composite
def dags(draw: st.DrawFn) -> Graph:
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    return Graph(
        {
            name: tuple(draw(st.lists(st.sampled_from(names[:position]), unique=True))) if position else ()
            for position, name in enumerate(names)
        }
    )


def test_upstreams_come_first_and_equals_in_alphabetical_order() -> None:
    assert DIAMOND.order == ("a", "b", "c", "d")
    assert DIAMOND.waves == (("a",), ("b", "c"), ("d",))


def test_dependents_are_found_near_and_far() -> None:
    assert DIAMOND.dependents(["a"]) == {"b", "c", "d"}
    assert DIAMOND.dependents(["b"]) == {"d"}


def test_upstreams_are_found_near_and_far() -> None:
    assert DIAMOND.upstreams(["d"]) == {"a", "b", "c"}


def test_taking_down_goes_the_other_way_round() -> None:
    assert DIAMOND.reversed.order == ("d", "b", "c", "a")


def test_order_holds_among_the_chosen_even_where_the_link_between_them_is_left_out() -> None:
    chain = Graph({"a": (), "b": ("a",), "c": ("b",)})

    assert chain.only(["a", "c"]).dependencies == {"a": (), "c": ("a",)}


def test_a_cycle_is_told_from_its_first_name_along_its_arrows() -> None:
    with pytest.raises(SettingsError, match="a -> b -> c -> a"):
        Graph({"c": ("a",), "a": ("b",), "b": ("c",), "x": ("a",)})


def test_a_shard_that_needs_itself_is_a_cycle() -> None:
    with pytest.raises(SettingsError, match="a -> a"):
        Graph({"a": ("a",)})


def test_a_dependency_nobody_defines_is_named() -> None:
    with pytest.raises(SettingsError, match="'a' depends on 'ghost'"):
        Graph({"a": ("ghost",)})


@given(dags())
def test_every_order_has_each_shard_once_and_after_all_it_needs(graph: Graph) -> None:
    order = graph.order

    assert sorted(order) == sorted(graph.dependencies)
    for name in order:
        assert all(order.index(upstream) < order.index(name) for upstream in graph.upstreams([name]))


@given(dags())
def test_turning_the_arrows_twice_changes_nothing(graph: Graph) -> None:
    twice = graph.reversed.reversed

    assert {name: set(up) for name, up in twice.dependencies.items()} == {
        name: set(up) for name, up in graph.dependencies.items()
    }
