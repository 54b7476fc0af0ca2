"""Splits the hosts and paths of a service into rules of a listener, and says which rule is asked first.

A rule has few values, and one place in the order. So there is a rule for the hosts by name, one for the hosts
with a wildcard, and with paths one for each length of pattern. The id of a rule says what it is for: adding
a path of another length adds a rule and leaves the others alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from holdfast_constructs.edge._path_patterns import MOST_WILDCARDS, overlap, wildcards

# Elastic Load Balancing, "Quotas for your Application Load Balancers": values of all conditions of a rule.
MOST_VALUES = 5
# With more hosts, a rule would have room for one path only.
_MOST_HOSTS_WITH_PATHS = 3

WILDCARD = "*."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRule:
    """The conditions of a rule: one of `hosts`, and one of `paths` unless there are none."""

    id: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...] = ()

    @property
    def labels(self) -> int:
        """How many labels its hosts have, where they begin with a wildcard; else 0."""
        first = self.hosts[0]
        return first.count(".") + 1 if first.startswith(WILDCARD) else 0

    @property
    def length(self) -> int:
        """How long its patterns are; 0 without patterns, or where they have no wildcards."""
        return len(self.paths[0]) if self.paths and wildcards(self.paths[0]) else 0

    @property
    def order(self) -> tuple[bool, int, bool, bool, int]:
        """What sorts rules that match the same request: the one that is asked first is the least.

        Hosts by name before hosts with a wildcard, and of those the deeper one; a path before the whole
        host; a path without wildcards before patterns, and of those the longer one.
        """
        return (self.labels > 0, -self.labels, not self.paths, self.length > 0, -self.length)

    def meets(self, other: "ListenerRule") -> bool:
        """Whether there is a request that both rules match."""
        hosts = any(_host_overlap(one, another) for one in self.hosts for another in other.hosts)
        return hosts and (
            not (self.paths and other.paths)
            or any(overlap(one, another) for one in self.paths for another in other.paths)
        )


def _host_overlap(one: str, other: str) -> bool:
    below = [host.removeprefix("*") for host in (one, other)]
    if one.startswith(WILDCARD) and other.startswith(WILDCARD):
        return below[0].endswith(below[1]) or below[1].endswith(below[0])
    if one.startswith(WILDCARD) or other.startswith(WILDCARD):
        wide, narrow = (one, other) if one.startswith(WILDCARD) else (other, one)
        return narrow.endswith(wide[1:])
    return one == other


def listener_rules(hosts: Sequence[str], paths: Sequence[str]) -> list[ListenerRule]:
    """Return the rules for these hosts and paths, in the order in which they are asked."""
    named = [host for host in hosts if not host.startswith(WILDCARD)]
    wide = [host for host in hosts if host.startswith(WILDCARD)]
    rules = [*(_path_rules(named, paths) if paths else _host_rules("rule", named)), *_wildcard_rules(wide)]
    return sorted(rules, key=lambda rule: rule.order)


def _host_rules(id_: str, hosts: Sequence[str]) -> Iterator[ListenerRule]:
    for number, some in enumerate(_cut(hosts, MOST_VALUES), 1):
        yield ListenerRule(id=_numbered(id_, number), hosts=some)


def _wildcard_rules(hosts: Iterable[str]) -> Iterator[ListenerRule]:
    def depth(host: str) -> int:
        return host.count(".") + 1

    for labels, some in groupby(sorted(hosts, key=depth), depth):
        yield from _host_rules(f"wildcard-{labels}", list(some))


def _path_rules(hosts: Sequence[str], paths: Iterable[str]) -> Iterator[ListenerRule]:
    def length(path: str) -> int:
        return len(path) if wildcards(path) else 0

    for size, same in groupby(sorted(paths, key=length), length):
        patterns = list(same)
        number = 0
        for some in _cut(hosts, _MOST_HOSTS_WITH_PATHS):
            for few in _filled(patterns, MOST_VALUES - len(some)):
                number += 1
                id_ = _numbered(f"paths-{size}" if size else "exact-paths", number)
                yield ListenerRule(id=id_, hosts=some, paths=few)


def _cut(values: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(values), most):
        yield tuple(values[start : start + most])


def _filled(patterns: Iterable[str], most: int) -> Iterator[tuple[str, ...]]:
    few: list[str] = []
    for pattern in patterns:
        if len(few) == most or sum(map(wildcards, [*few, pattern])) > MOST_WILDCARDS:
            yield tuple(few)
            few = []
        few.append(pattern)
    if few:
        yield tuple(few)


def _numbered(id_: str, number: int) -> str:
    return id_ if number == 1 else f"{id_}-{number}"
