"""Which shard waits for which, and in which order a person reads them.

Pure: names in, names out. Among equals the alphabet decides, so the same graph always prints the
same. A cycle is refused when the graph is made, and named from its first shard in the alphabet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from holdfast_orchestrator.errors import SettingsError


@dataclass(frozen=True)
class Graph:
    """Shards by name, each with the names of the shards it depends on.

    Raises SettingsError for a dependency nobody defines and for a cycle (`a -> b -> a`).
    """

    dependencies: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        for name in sorted(self.dependencies):
            for upstream in sorted(self.dependencies[name]):
                if upstream not in self.dependencies:
                    raise SettingsError(f"shard {name!r} depends on {upstream!r}, which does not exist")
        try:
            TopologicalSorter(self.dependencies).prepare()
        except CycleError as error:
            raise SettingsError(
                f"shards depend on each other in a circle: {_readable(error.args[1])}",
                next_step="pass one of these values as a setting instead of as a reference",
            ) from None

    @cached_property
    def waves(self) -> tuple[tuple[str, ...], ...]:
        """Names in groups: every shard of a group depends only on shards of earlier groups."""
        sorter = TopologicalSorter(self.dependencies)
        sorter.prepare()
        waves = []
        while sorter.is_active():
            ready = tuple(sorted(sorter.get_ready()))
            sorter.done(*ready)
            waves.append(ready)
        return tuple(waves)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All names, upstreams before their dependents."""
        return tuple(name for wave in self.waves for name in wave)

    @cached_property
    def waiting(self) -> Mapping[str, tuple[str, ...]]:
        """Shards by name, each with the names of the shards that depend on it."""
        turned: dict[str, list[str]] = {name: [] for name in self.dependencies}
        for name, upstreams in self.dependencies.items():
            for upstream in upstreams:
                turned[upstream].append(name)
        return {name: tuple(sorted(after)) for name, after in turned.items()}

    @cached_property
    def reversed(self) -> "Graph":
        """The same shards with every arrow turned round: the order of taking things down."""
        return Graph(self.waiting)

    def upstreams(self, names: Iterable[str]) -> frozenset[str]:
        """Everything `names` depend on, near and far; without `names` unless they lie between."""
        return _reachable(self.dependencies, names)

    def dependents(self, names: Iterable[str]) -> frozenset[str]:
        """Everything that depends on `names`, near and far."""
        return _reachable(self.waiting, names)

    def only(self, names: Iterable[str]) -> "Graph":
        """The graph of `names` alone.

        A path through a shard that is left out still counts: of `a -> b -> c` without `b` remains
        `a -> c`, so that order holds among what is chosen.
        """
        chosen = frozenset(names)
        if chosen == self.dependencies.keys():
            return self
        return Graph({name: tuple(sorted(self._nearest(name, chosen))) for name in sorted(chosen)})

    def _nearest(self, name: str, chosen: frozenset[str]) -> frozenset[str]:
        """Those of `chosen` that `name` depends on without another chosen one between."""
        nearest: set[str] = set()
        passed: set[str] = set()
        ahead = list(self.dependencies[name])
        while ahead:
            upstream = ahead.pop()
            if upstream in chosen:
                nearest.add(upstream)
            elif upstream not in passed:
                passed.add(upstream)
                ahead.extend(self.dependencies[upstream])
        return frozenset(nearest)


def _reachable(arrows: Mapping[str, tuple[str, ...]], names: Iterable[str]) -> frozenset[str]:
    reached: set[str] = set()
    ahead = [after for name in names for after in arrows[name]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(arrows[name])
    return frozenset(reached)


def _readable(cycle: list[str]) -> str:
    # graphlib lists the cycle against its arrows and repeats the first name at the end.
    ring = cycle[:0:-1]
    start = ring.index(min(ring))
    turned = ring[start:] + ring[:start]
    return " -> ".join([*turned, turned[0]])
