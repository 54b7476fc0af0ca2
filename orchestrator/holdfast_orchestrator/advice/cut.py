"""The two parts of a graph that the fewest references cross.

Pure. All references across lead the same way, from the downstream part to the upstream part: two shards that
need each other cannot be deployed. Names that need each other therefore stay together, as a knot. Of the cuts
with the fewest references across, the most even one is taken; a cut between parts that have nothing to do
with each other is one that none crosses.

With up to `_EXACT` knots every cut is looked at. With more, parts are grown from the heaviest knots, always
by the knot that adds the fewest references across, and what has nothing to do with each other is tried first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

Arrows = Mapping[tuple[str, str], int]

# 2**14 cuts, the most there can be, are looked at in half a second.
_EXACT = 14
_STARTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Two parts; `crossing` counts the references across, all from `downstream` to `upstream`."""

    upstream: frozenset[str]
    downstream: frozenset[str]
    crossing: int


def best_cut(weights: Mapping[str, int], arrows: Arrows, *, least: float) -> Cut | None:
    """Return the best cut into two parts of at least `least` weight each, None where there is none.

    `arrows` say how often one name refers to another; both ends are in `weights`.
    """
    graph = _Knots.of(weights, arrows)
    candidates = graph.every_closed() if len(graph.knots) <= _EXACT else graph.likely_closed()
    cuts = (graph.cut(upstream) for upstream in candidates if graph.fits(upstream, least))
    return min(cuts, key=lambda cut: _rank(cut, weights), default=None)


def _rank(cut: Cut, weights: Mapping[str, int]) -> tuple[int, int, list[str]]:
    """The fewest references across first, then the most even, then the alphabet."""
    lighter = min(_weight(cut.upstream, weights), _weight(cut.downstream, weights))
    return cut.crossing, -lighter, sorted(cut.upstream)


@dataclass(frozen=True)
class _Knots:
    """The knots, each after those it needs; what each needs, by its number; the references between them."""

    knots: tuple[frozenset[str], ...]
    weights: tuple[int, ...]
    arrows: Mapping[tuple[int, int], int]

    @classmethod
    def of(cls, weights: Mapping[str, int], arrows: Arrows) -> "_Knots":
        knots = _knots(frozenset(weights), arrows)
        number = {name: position for position, knot in enumerate(knots) for name in knot}
        between: dict[tuple[int, int], int] = {}
        for (start, end), count in arrows.items():
            ends = (number[start], number[end])
            if ends[0] != ends[1]:
                between[ends] = between.get(ends, 0) + count
        return cls(knots, tuple(_weight(knot, weights) for knot in knots), between)

    @cached_property
    def needs(self) -> tuple[frozenset[int], ...]:
        return tuple(
            frozenset(end for start, end in self.arrows if start == knot) for knot in range(len(self.knots))
        )

    @cached_property
    def needed_by(self) -> tuple[frozenset[int], ...]:
        return tuple(
            frozenset(start for start, end in self.arrows if end == knot) for knot in range(len(self.knots))
        )

    def fits(self, upstream: frozenset[int], least: float) -> bool:
        """Whether both parts hold something, and weigh enough."""
        weight = self._weight(upstream)
        return 0 < len(upstream) < len(self.knots) and least <= weight <= sum(self.weights) - least

    def cut(self, upstream: frozenset[int]) -> Cut:
        crossing = (
            count for (start, end), count in self.arrows.items() if start not in upstream and end in upstream
        )
        names: frozenset[str] = frozenset().union(*(self.knots[knot] for knot in upstream))
        everything: frozenset[str] = frozenset().union(*self.knots)
        return Cut(upstream=names, downstream=everything - names, crossing=sum(crossing))

    def every_closed(self, knot: int = 0, taken: frozenset[int] = frozenset()) -> Iterator[frozenset[int]]:
        """Every set of knots that needs nothing outside itself."""
        if knot == len(self.knots):
            yield taken
            return
        yield from self.every_closed(knot + 1, taken)
        if self.needs[knot] <= taken:
            yield from self.every_closed(knot + 1, taken | {knot})

    def likely_closed(self) -> Iterator[frozenset[int]]:
        """Some such sets: along what is not connected, and grown from nothing and from the heaviest."""
        yield from self._unconnected()
        heaviest = sorted(range(len(self.knots)), key=lambda knot: (-self.weights[knot], knot))
        for start in (frozenset[int](), *(frozenset({knot}) for knot in heaviest[:_STARTS])):
            yield from self._grown(self._closure(start, self.needs))

    def _unconnected(self) -> Iterator[frozenset[int]]:
        """The connected parts put on two sides, the heaviest first, each on the side that is lighter."""
        around = tuple(one | other for one, other in zip(self.needs, self.needed_by, strict=True))
        parts = {self._closure(frozenset({knot}), around) for knot in range(len(self.knots))}
        sides: list[frozenset[int]] = [frozenset(), frozenset()]
        for part in sorted(parts, key=lambda part: (-self._weight(part), min(part))):
            lighter = min((0, 1), key=lambda side: self._weight(sides[side]))
            sides[lighter] |= part
        yield sides[0]

    def _grown(self, taken: frozenset[int]) -> Iterator[frozenset[int]]:
        while len(taken) < len(self.knots):
            yield taken
            outside = (knot for knot in range(len(self.knots)) if knot not in taken)
            ready = (knot for knot in outside if self.needs[knot] <= taken)
            taken |= {min(ready, key=lambda knot: (self._added(knot, taken), knot))}

    def _added(self, knot: int, taken: frozenset[int]) -> int:
        """How many more references would cross if `knot` were on the side of `taken`."""
        new = sum(self.arrows[start, knot] for start in self.needed_by[knot] - taken)
        return new - sum(self.arrows[knot, end] for end in self.needs[knot])

    def _closure(self, knots: frozenset[int], after: tuple[frozenset[int], ...]) -> frozenset[int]:
        while not (wider := knots.union(*(after[knot] for knot in knots))) <= knots:
            knots = wider
        return knots

    def _weight(self, knots: frozenset[int]) -> int:
        return sum(self.weights[knot] for knot in knots)


def _knots(names: frozenset[str], arrows: Arrows) -> tuple[frozenset[str], ...]:
    """Names that need each other, in an order in which each knot comes after those it needs."""
    after: dict[str, set[str]] = {name: set() for name in names}
    for start, end in arrows:
        after[start].add(end)
    reach = {name: _reach(name, after) for name in names}
    found = {frozenset(other for other in reach[name] if name in reach[other]) for name in names}
    return tuple(sorted(found, key=lambda knot: (len(reach[min(knot)]), min(knot))))


def _reach(name: str, after: Mapping[str, set[str]]) -> frozenset[str]:
    found, ahead = {name}, [name]
    while ahead:
        new = after[ahead.pop()] - found
        found |= new
        ahead.extend(new)
    return frozenset(found)


def _weight(names: frozenset[str], weights: Mapping[str, int]) -> int:
    return sum(weights[name] for name in names)
