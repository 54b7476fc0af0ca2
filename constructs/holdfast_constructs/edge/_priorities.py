"""Places in the order of a listener's rules, where every service finds its own without asking the others.

A rule's priority is computed from the path of its construct alone: adding a service renumbers nobody, and
a service synthesized alone gets the number it gets among all. The host is not in it, so a rule keeps its
number when its host changes, and one that replaces another for the same host has another number: a listener
never has two rules of one number while services are renamed or swap their hosts. Two paths may meet at one
number, which shows when both are synthesized; then one of them is given a number by hand.
"""

import hashlib
from itertools import chain

from holdfast_constructs.errors import ConstructError

# Elastic Load Balancing: a rule's priority.
LOWEST, HIGHEST = 1, 50_000


def priority_of(path: str) -> int:
    """Return the priority of the rule whose construct is at `path`, 1 to 50,000."""
    number: int = int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big")
    return LOWEST + number % (HIGHEST - LOWEST + 1)


class Priorities:
    """The hosts and priorities taken on one listener, in this app, and by which service."""

    def __init__(self, lowest: int = LOWEST, highest: int = HIGHEST) -> None:
        """Take priorities from `lowest` to `highest`: apps that share a listener have a range each."""
        for name, given in (("first_priority", lowest), ("last_priority", highest)):
            if not LOWEST <= given <= HIGHEST:
                raise ConstructError(name, got=given, allowed=f"{LOWEST}-{HIGHEST}")
        if lowest > highest:
            raise ConstructError("last_priority", got=highest, allowed=f"at least first_priority, {lowest}")
        self._lowest, self._highest = lowest, highest
        self._taken: dict[int, str] = {}
        self._claimed: dict[str, str] = {}

    def __len__(self) -> int:
        """Return the number of rules on the listener, in this app."""
        return len(self._taken)

    def take(self, host: str, path: str, priority: int | None = None) -> int:
        """Return the priority of the rule at `path` for `host`: its own, or `priority` if given.

        Raises ConstructError when the host is claimed already, or another host has the priority.
        """
        wanted = self._within(priority_of(path)) if priority is None else priority
        if not self._lowest <= wanted <= self._highest:
            raise ConstructError("priority", got=priority, allowed=f"{self._lowest}-{self._highest}")
        if host in self._claimed:
            raise ConstructError(
                f"host {host!r} is claimed by {self._claimed[host]} and by {_service(path)} on this gateway",
                next_step="give one of the two another host",
            )
        if wanted in self._taken:
            raise ConstructError(
                f"hosts {self._taken[wanted]!r} and {host!r} both have priority {wanted} on this gateway",
                next_step=f"give one of the two another one: priority={self._free(wanted)}",
            )
        self._taken[wanted] = host
        self._claimed[host] = _service(path)
        return wanted

    def _within(self, number: int) -> int:
        """Return the number in this range for one of all: two keep their order, or become the same."""
        return self._lowest + (number - LOWEST) * (self._highest - self._lowest + 1) // (HIGHEST - LOWEST + 1)

    def _free(self, beside: int) -> int:
        around = chain(range(beside, self._highest + 1), range(self._lowest, beside))
        return next(number for number in around if number not in self._taken)


def _service(path: str) -> str:
    """The stack and the service of a rule's path: `orders-prod-eu-west-1/api`."""
    return "/".join(path.split("/")[:2])
