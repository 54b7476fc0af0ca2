"""Path patterns of listener rules: what Elastic Load Balancing takes, and which requests two of them share.

`*` stands for any number of characters, slashes too, and `?` for exactly one. Patterns are case-sensitive.
"""

import re
from collections.abc import Sequence

from holdfast_constructs.errors import ConstructError

# Elastic Load Balancing, "Path conditions" and "Quotas for your Application Load Balancers": characters of a
# pattern, and wildcards of all values of a rule.
LONGEST, MOST_WILDCARDS = 128, 5

ALLOWED = (
    f"a pattern of at most {LONGEST} characters that begins with '/', such as /api/*: letters,"
    " digits, _ - . $ / ~ \" ' @ : + &, and the wildcards * and ?"
)
_PATTERN = re.compile(r"""/[A-Za-z0-9_.$/~"'@:+&*?-]*""")
_EVERYTHING = re.compile(r"/\*+")


def wildcards(pattern: str) -> int:
    """Return how many wildcards a pattern has."""
    return pattern.count("*") + pattern.count("?")


def check_paths(paths: Sequence[str]) -> None:
    """Raise ConstructError for a pattern that Elastic Load Balancing refuses, or that says nothing."""
    for path in paths:
        _check_path(path)
        if list(paths).count(path) > 1:
            raise ConstructError(f"path {path!r} is given twice", next_step="remove one of the two")


def _check_path(path: str) -> None:
    if _PATTERN.fullmatch(path) is None or len(path) > LONGEST:
        raise ConstructError("path", got=path, allowed=ALLOWED)
    if _EVERYTHING.fullmatch(path) is not None:
        raise ConstructError(
            f"path {path!r} means the whole host", next_step="leave paths out, or name some, such as /api/*"
        )
    if "**" in path or wildcards(path) > MOST_WILDCARDS:
        allowed = f"a pattern with at most {MOST_WILDCARDS} wildcards, and never ** , which means *"
        raise ConstructError("path", got=path, allowed=allowed)


def overlap(one: str, other: str) -> bool:
    """Whether there is a path that both patterns match."""
    reached = _after_stars(other, {0})
    for sign in one:
        # The places in `other` that are reached together with this place in `one`.
        if sign == "*":
            reached = set(range(min(reached), len(other) + 1)) if reached else reached
            continue
        moved = {
            place if other[place] == "*" else place + 1
            for place in reached
            if place < len(other) and (other[place] in ("*", "?", sign) or sign == "?")
        }
        reached = _after_stars(other, moved)
    return len(other) in reached


def _after_stars(pattern: str, places: set[int]) -> set[int]:
    """Add the places that are reached without a sign, behind stars that stand for nothing."""
    reached, new = set(places), set(places)
    while new := {place + 1 for place in new if pattern[place : place + 1] == "*"} - reached:
        reached |= new
    return reached
