from collections import Counter
from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.advice.cut import Cut, best_cut

Weights = dict[str, int]
Arrows = dict[tuple[str, str], int]


@st.composite
def graphs(draw: st.DrawFn, largest: int = 9) -> tuple[Weights, Arrows]:
    """Groups with weights, and references in any direction, circles too."""
    names = [f"g{number:02}" for number in range(draw(st.integers(1, largest)))]
    weights = {name: draw(st.integers(0, 5)) for name in names}
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    arrows = (
        draw(st.dictionaries(pairs, st.integers(1, 4), max_size=2 * len(names))) if len(names) > 1 else {}
    )
    return weights, arrows


LEAST = st.integers(0, 6)


def weight(names: frozenset[str], weights: Weights) -> int:
    return sum(weights[name] for name in names)


def across(arrows: Arrows, start: frozenset[str], end: frozenset[str]) -> int:
    return sum(count for (one, other), count in arrows.items() if one in start and other in end)


def every_cut(weights: Weights, arrows: Arrows, least: int) -> list[int]:
    """The references across each cut that is allowed, by trying them all."""
    names = frozenset(weights)
    parts = chain.from_iterable(combinations(sorted(names), size) for size in range(1, len(names)))
    found = []
    for part in map(frozenset, parts):
        rest = names - part
        even = min(weight(part, weights), weight(rest, weights)) >= least
        if even and not across(arrows, part, rest):
            found.append(across(arrows, rest, part))
    return found


def check(cut: Cut, weights: Weights, arrows: Arrows, least: int) -> None:
    assert cut.upstream
    assert cut.downstream
    assert cut.upstream | cut.downstream == set(weights)
    assert not cut.upstream & cut.downstream
    assert across(arrows, cut.upstream, cut.downstream) == 0
    assert across(arrows, cut.downstream, cut.upstream) == cut.crossing
    assert min(weight(cut.upstream, weights), weight(cut.downstream, weights)) >= least


@given(graphs(), LEAST)
def test_of_a_few_groups_no_allowed_cut_has_fewer_references_across(
    graph: tuple[Weights, Arrows], least: int
) -> None:
    weights, arrows = graph

    cut = best_cut(weights, arrows, least=least)

    possible = every_cut(weights, arrows, least)
    assert (cut is None) == (not possible)
    if cut is not None:
        check(cut, weights, arrows, least)
        assert cut.crossing == min(possible)


@given(graphs(largest=30), LEAST)
def test_every_cut_is_two_whole_parts_with_references_in_one_direction(
    graph: tuple[Weights, Arrows], least: int
) -> None:
    weights, arrows = graph

    cut = best_cut(weights, arrows, least=least)

    if cut is not None:
        check(cut, weights, arrows, least)


@given(graphs(largest=30), LEAST)
def test_the_order_in_which_things_are_told_changes_nothing(
    graph: tuple[Weights, Arrows], least: int
) -> None:
    weights, arrows = graph
    mixed = sorted(arrows.items(), reverse=True)

    again = best_cut(dict(sorted(weights.items(), reverse=True)), dict(mixed), least=least)

    assert again == best_cut(weights, arrows, least=least)


@given(st.integers(8, 20), st.integers(8, 20))
def test_two_parts_that_have_nothing_to_do_with_each_other_are_cut_between(one: int, other: int) -> None:
    left, right = (
        [f"{side}{number:02}" for number in range(size)] for side, size in (("l", one), ("r", other))
    )
    arrows = Counter({pair: 1 for part in (left, right) for pair in zip(part[1:], part, strict=False)})

    cut = best_cut(dict.fromkeys(left + right, 1), arrows, least=8)

    assert cut is not None
    assert cut.crossing == 0
    assert {cut.upstream, cut.downstream} == {frozenset(left), frozenset(right)}


def test_of_many_groups_the_narrow_place_between_two_halves_is_found() -> None:
    below = [f"b{number:02}" for number in range(12)]
    above = [f"t{number:02}" for number in range(12)]
    arrows = {(one, other): 1 for part in (below, above) for one in part for other in part if one > other}
    arrows |= {("t03", "b05"): 1, ("t07", "b01"): 1}

    cut = best_cut(dict.fromkeys(below + above, 1), arrows, least=5)

    assert cut == Cut(upstream=frozenset(below), downstream=frozenset(above), crossing=2)


def test_groups_that_need_each_other_are_never_parted() -> None:
    weights = {"a": 4, "b": 4, "c": 4}

    assert best_cut(weights, {("a", "b"): 1, ("b", "c"): 1, ("c", "a"): 1}, least=1) is None
    assert best_cut(weights, {("a", "b"): 1, ("b", "a"): 1}, least=1) == Cut(
        upstream=frozenset({"a", "b"}), downstream=frozenset({"c"}), crossing=0
    )


def test_nothing_is_cut_off_that_is_too_small() -> None:
    assert best_cut({"a": 1, "b": 9}, {}, least=2) is None
