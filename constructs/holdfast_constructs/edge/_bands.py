"""The numbers that a rule may have: one band for each place in the order.

A listener asks its rules by their numbers, and a rule does not know the others. So the band alone says what
is asked first: paths, the longer first; hosts by name; hosts with a wildcard, the deeper first. Within its
band a rule's number is computed from the path of its construct. Hosts by name have the numbers that they
always had, from all of 1-50,000, unless that is in a band of others: then they have a second one.
"""

import hashlib
from bisect import bisect_left
from itertools import accumulate

from holdfast_constructs.edge._listener_rules import ListenerRule

# Elastic Load Balancing: a rule's priority.
LOWEST, HIGHEST = 1, 50_000

# How many numbers there are for patterns of a length: the longest one of each group, and the width of a band.
# Most patterns have 4 to 20 characters (/v1/*, /api/orders/*), so these have the most numbers.
_EXACT = 3_000
_WIDTHS = ((3, 300), (20, 800), (32, 300))
# Longer ones are in one band: where two of one host are in the wrong order there, `Priorities` refuses them.
LONGEST_APART, _WIDTH_OF_OTHERS = 32, 1_500
_SHORTEST = 2
# How many labels a host with a wildcard has at most to be in each band, and how many numbers there are.
_WILDCARDS = ((3, 1_200), (4, 800), (5, 600))
_WILDCARDS_OF_OTHERS = 400


def _width(place: int) -> int:
    """Return how many numbers there are for a length; 0 stands for paths without wildcards."""
    if place == 0:
        return _EXACT
    return next((width for longest, width in _WIDTHS if place <= longest), _WIDTH_OF_OTHERS)


# Paths without wildcards first, then the longest patterns.
_LENGTHS = (0, *range(LONGEST_APART + 1, _SHORTEST - 1, -1))
_PATH_ENDS = tuple(accumulate(map(_width, _LENGTHS)))
LAST_OF_PATHS = _PATH_ENDS[-1]
FIRST_OF_WILDCARDS = HIGHEST + 1 - _WILDCARDS_OF_OTHERS - sum(width for _, width in _WILDCARDS)


def number_of(rule: ListenerRule, path: str) -> int:
    """Return the number of a rule whose construct is at `path`, 1 to 50,000."""
    if rule.paths:
        length = min(rule.length, LONGEST_APART + 1)
        end = _PATH_ENDS[_LENGTHS.index(length)]
        return _within(end + 1 - _width(length), end, path)
    return _of_wildcard(rule.labels, path) if rule.labels else host_number(path)


def host_number(path: str) -> int:
    """Return the number of a rule for hosts by name, between the bands of the others."""
    number = LOWEST + _hashed(path, 0) % (HIGHEST - LOWEST + 1)
    if LAST_OF_PATHS < number < FIRST_OF_WILDCARDS:
        return number
    return _within(LAST_OF_PATHS + 1, FIRST_OF_WILDCARDS - 1, path)


def _of_wildcard(labels: int, path: str) -> int:
    end = HIGHEST
    most = [each for each, _ in _WILDCARDS]
    for _, width in _WILDCARDS[: bisect_left(most, labels)]:
        end -= width
    wide = _WILDCARDS[bisect_left(most, labels)][1] if labels <= most[-1] else _WILDCARDS_OF_OTHERS
    return _within(end + 1 - wide, end, path)


def _within(first: int, last: int, path: str) -> int:
    return first + _hashed(path, 8) % (last - first + 1)


def _hashed(path: str, start: int) -> int:
    digest = hashlib.sha256(path.encode()).digest()
    return int.from_bytes(digest[start : start + 8], "big")
