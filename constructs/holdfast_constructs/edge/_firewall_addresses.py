"""Addresses as AWS WAF keeps them: two sets, one of IPv4 and one of IPv6, each of ranges in CIDR notation."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Literal

from holdfast_constructs.errors import ConstructError

Version = Literal["IPV4", "IPV6"]

# AWS WAF, "AWS WAF quotas": ranges in an IP set.
MOST_ADDRESSES = 10_000
_ALLOWED = (
    "an IPv4 or IPv6 address, or a range with no host bits set, such as 203.0.113.0/24; AWS WAF has no /0"
)


def by_version(name: str, addresses: Sequence[str]) -> Mapping[Version, list[str]]:
    """Return the ranges of `addresses` by their version, sorted; versions without one are left out.

    Raises ConstructError, which calls them `name`, for what is no range that AWS WAF takes, for one that is
    there twice, and for too many.
    """
    found: dict[Version, list[str]] = {}
    for text in addresses:
        version, written = _range(name, text)
        if written in found.setdefault(version, []):
            raise ConstructError(f"{name} has {written} twice", next_step="remove one of the two")
        found[version].append(written)
    for version, ranges in found.items():
        if len(ranges) > MOST_ADDRESSES:
            allowed = f"at most {MOST_ADDRESSES} of {version}, which is what an IP set of AWS WAF holds"
            raise ConstructError(f"the number of {name}", got=len(ranges), allowed=allowed)
    return {version: sorted(found[version]) for version in sorted(found)}


def check_apart(allowed: Mapping[Version, list[str]], blocked: Mapping[Version, list[str]]) -> None:
    """Raise ConstructError for a range that is to be let through and refused."""
    for version, ranges in allowed.items():
        both = sorted({*ranges} & {*blocked.get(version, ())})
        if both:
            raise ConstructError(
                f"allow_addresses and block_addresses both have {both[0]}",
                next_step="remove it from one of the two",
            )


def _range(name: str, text: str) -> tuple[Version, str]:
    try:
        network = ip_network(text)
    except ValueError:
        raise ConstructError(f"an entry of {name}", got=text, allowed=_ALLOWED) from None
    if network.prefixlen == 0:
        raise ConstructError(f"an entry of {name}", got=text, allowed=_ALLOWED)
    return "IPV4" if network.version == 4 else "IPV6", str(network)  # noqa: PLR2004 - IP's own number
