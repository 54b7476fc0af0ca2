"""Places in the order of a listener's rules, where every service finds its own without asking the others.

A rule's priority is computed from the path of its construct and from its kind alone (`_bands`): adding a
service renumbers nobody, and a service synthesized alone gets the number it gets among all. The host is not
in it, so a rule keeps its number when its host changes, and one that replaces another for the same host has
another number: a listener never has two rules of one number while services are renamed or swap their hosts.
Two rules may meet at one number, which shows when both are synthesized; then one of them is given a number
by hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from holdfast_constructs.edge._bands import HIGHEST, LOWEST, number_of
from holdfast_constructs.edge._listener_rules import ListenerRule
from holdfast_constructs.errors import ConstructError


@dataclass(frozen=True, slots=True)
class _Taken:
    rule: ListenerRule
    service: str


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A rule to be taken, by its place among those of its service, and one that is there with its number.

    `first` says that the rule to be taken has to be asked first.
    """

    place: int
    rule: ListenerRule
    number: int
    other: ListenerRule
    first: bool


class Priorities:
    """The rules of one listener, in this app, with their priorities and services."""

    def __init__(self, lowest: int = LOWEST, highest: int = HIGHEST) -> None:
        """Take priorities from `lowest` to `highest`: apps that share a listener have a range each."""
        for name, given in (("first_priority", lowest), ("last_priority", highest)):
            if not LOWEST <= given <= HIGHEST:
                raise ConstructError(name, got=given, allowed=f"{LOWEST}-{HIGHEST}")
        if lowest > highest:
            raise ConstructError("last_priority", got=highest, allowed=f"at least first_priority, {lowest}")
        self._lowest, self._highest = lowest, highest
        self._taken: dict[int, _Taken] = {}

    def __len__(self) -> int:
        """Return the number of rules on the listener, in this app."""
        return len(self._taken)

    @property
    def rules(self) -> Mapping[int, ListenerRule]:
        """The rules of the services so far, by priority."""
        return {number: taken.rule for number, taken in sorted(self._taken.items())}

    def take(self, rules: Sequence[ListenerRule], path: str, priority: int | None = None) -> list[int]:
        """Return the priorities of the rules of the service that is routed to by the construct at `path`.

        They are the rules' own, or `priority` and those that follow it. Raises ConstructError
        for a host and path that another service has, for a path that another service's hides, and for a
        priority that another rule has or that puts the rules in another order than `order` says.
        """
        service = _service(path)
        self._refuse_claimed(rules, service)
        self._refuse_ambiguous(rules, service)
        if priority is None:
            # The first rule of a service without paths has the number that it always had.
            paths = [path if rule.id == "rule" else f"{path}/{rule.id}" for rule in rules]
            numbers = [self._within(number_of(rule, each)) for rule, each in zip(rules, paths, strict=True)]
        else:
            last = self._highest - len(rules) + 1
            if not self._lowest <= priority <= last:
                raise ConstructError("priority", got=priority, allowed=f"{self._lowest}-{last}")
            numbers = list(range(priority, priority + len(rules)))
        self._refuse_numbers(rules, numbers, service)
        self._taken.update(
            (number, _Taken(rule, service)) for rule, number in zip(rules, numbers, strict=True)
        )
        return numbers

    def _refuse_claimed(self, rules: Sequence[ListenerRule], service: str) -> None:
        claimed = {claim: taken.service for taken in self._taken.values() for claim in _claims(taken.rule)}
        for host, path in chain.from_iterable(map(_claims, rules)):
            if (host, path) in claimed:
                what = f"host {host!r}" if path is None else f"path {path!r} of host {host!r}"
                other = "host, or paths of this one" if path is None else "path"
                raise ConstructError(
                    f"{what} is claimed by {claimed[host, path]} and by {service} on this gateway",
                    next_step=f"give one of the two another {other}",
                )

    def _refuse_ambiguous(self, rules: Sequence[ListenerRule], service: str) -> None:
        for meeting in self._meetings(rules):
            rule, taken = meeting.rule, self._taken[meeting.number]
            if rule.order == taken.rule.order:
                first, second = _shown(taken.rule.paths), _shown(rule.paths)
                raise ConstructError(
                    f"paths {first} of {taken.service} and {second} of {service}"
                    f" match the same requests of host {rule.hosts[0]!r}, and neither is longer",
                    next_step="make one of the two more exact, since the longer one is asked first",
                )

    def _refuse_numbers(self, rules: Sequence[ListenerRule], numbers: Sequence[int], service: str) -> None:
        for rule, number in zip(rules, numbers, strict=True):
            if number in self._taken or numbers.count(number) > 1:
                other = self._taken[number].rule if number in self._taken else rules[numbers.index(number)]
                raise ConstructError(
                    f"{_described(other)} and {_described(rule)} both have priority {number} on this gateway",
                    next_step=self._advice(rules, number, service),
                )
        hidden = next(_out_of_order(self._meetings(rules), numbers), None)
        if hidden is not None:
            first, second = map(_described, hidden)
            raise ConstructError(
                f"{first} would be asked after {second}, which hides it on this gateway",
                next_step=self._advice(rules, numbers[0], service),
            )

    def _meetings(self, rules: Sequence[ListenerRule]) -> list[_Meeting]:
        return [
            _Meeting(place, rule, number, taken.rule, rule.order < taken.rule.order)
            for place, rule in enumerate(rules)
            for number, taken in self._taken.items()
            if rule.meets(taken.rule)
        ]

    def _advice(self, rules: Sequence[ListenerRule], beside: int, service: str) -> str:
        free = self._free(rules, beside)
        if free is None:
            return f"rename the construct of {service}, which gives its rules other numbers"
        return f"give {service} another one: priority={free}"

    def _within(self, number: int) -> int:
        """Return the number in this range for one of all: two keep their order, or become the same."""
        return self._lowest + (number - LOWEST) * (self._highest - self._lowest + 1) // (HIGHEST - LOWEST + 1)

    def _free(self, rules: Sequence[ListenerRule], beside: int) -> int | None:
        last, meetings = self._highest - len(rules) + 1, self._meetings(rules)
        for start in chain(range(beside, last + 1), range(self._lowest, min(beside, last + 1))):
            numbers = range(start, start + len(rules))
            if self._taken.keys().isdisjoint(numbers) and not any(_out_of_order(meetings, numbers)):
                return start
        return None


def _out_of_order(
    meetings: Sequence[_Meeting], numbers: Sequence[int]
) -> Iterator[tuple[ListenerRule, ListenerRule]]:
    """Yield the rules that would be asked in the wrong order, as they should be asked."""
    for each in meetings:
        if each.first != (numbers[each.place] < each.number):
            yield (each.rule, each.other) if each.first else (each.other, each.rule)


def _claims(rule: ListenerRule) -> Iterator[tuple[str, str | None]]:
    for host in rule.hosts:
        yield from ((host, path) for path in rule.paths or (None,))


def _described(rule: ListenerRule) -> str:
    hosts = f"host{'s' if len(rule.hosts) > 1 else ''} {_shown(rule.hosts)}"
    return f"{_shown(rule.paths)} of {hosts}" if rule.paths else hosts


def _shown(values: Sequence[str]) -> str:
    return ", ".join(map(repr, values))


def _service(path: str) -> str:
    """The stack and the service of a rule's path: `orders-prod-eu-west-1/api`."""
    return "/".join(path.split("/")[:2])
