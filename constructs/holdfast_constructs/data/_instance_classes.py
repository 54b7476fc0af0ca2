"""The instance classes of RDS for PostgreSQL: families, and the sizes of each.

From the Amazon RDS User Guide, "Supported DB engines for DB instance classes", as of November 2026. A family
one generation newer than all that are known here is accepted, with a size that other families have.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from holdfast_constructs.errors import ConstructError

_BURSTABLE = ["micro", "small", "medium", "large", "xlarge", "2xlarge"]
_FIVE = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"]
_GRAVITON = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"]
_SIX = [*_FIVE, "32xlarge"]
_EIGHT = [*_FIVE, "48xlarge"]

SIZES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{family: frozenset(_BURSTABLE) for family in ("t3", "t4g")},
        **{family: frozenset(_FIVE) for family in ("m5", "m5d", "r5", "r5b", "r5d")},
        **{family: frozenset(_GRAVITON) for family in ("m6g", "m6gd", "m7g", "r6g", "r6gd", "r7g", "x2g")},
        **{
            family: frozenset(_SIX)
            for family in ("m6i", "m6id", "m6idn", "m6in", "r6i", "r6id", "r6idn", "r6in")
        },
        "c6gd": frozenset(["medium", *_GRAVITON]),
        **{family: frozenset(_EIGHT) for family in ("m7i", "m8g", "m8gd", "r7i", "r8g", "r8gd")},
        "x2idn": frozenset(["16xlarge", "24xlarge", "32xlarge"]),
        "x2iedn": frozenset(["xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "24xlarge", "32xlarge"]),
    }
)
_ANY_SIZE = frozenset().union(*SIZES.values())

_CLASS = re.compile(r"db\.(?P<family>[a-z0-9-]+)\.(?P<size>[a-z0-9]+)")
_FAMILY = re.compile(r"(?P<letter>[a-z])(?P<generation>[0-9]{1,2})[a-z]*")


def check_instance_class(name: str) -> None:
    """Raise ConstructError for a class that RDS for PostgreSQL does not have."""
    match = _CLASS.fullmatch(name)
    if match is None:
        raise ConstructError("instance_class", got=name, allowed="an RDS class such as db.r6g.large")
    family, size = match["family"], match["size"]
    sizes = SIZES.get(family) or (_ANY_SIZE if _is_next(family) else frozenset())
    if not sizes:
        raise ConstructError(
            "instance_class",
            got=name,
            allowed=f"of a family of RDS for PostgreSQL: {', '.join(sorted(SIZES))}",
            next_step="db.r6g.large, for example",
        )
    if size not in sizes:
        raise ConstructError(
            "instance_class", got=name, allowed=f"db.{family}. and one of {', '.join(_by_size(sizes))}"
        )


def _is_next(family: str) -> bool:
    match = _FAMILY.fullmatch(family)
    if match is None:
        return False
    known = [
        int(each["generation"])
        for each in map(_FAMILY.fullmatch, SIZES)
        if each is not None and each["letter"] == match["letter"]
    ]
    return bool(known) and int(match["generation"]) == max(known) + 1


def _by_size(sizes: Iterable[str]) -> list[str]:
    order = ["micro", "small", "medium", "large", "xlarge"]
    return sorted(sizes, key=lambda size: order.index(size) if size in order else int(size[:-6]) + len(order))
