"""Who may open connections to a load balancer: a range of addresses, a prefix list, or a security group."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from types import MappingProxyType
from typing import Protocol

from holdfast_constructs.errors import ConstructError

# Amazon VPC User Guide, "AWS-managed prefix lists": weights, by the end of the name.
WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "cloudfront.origin-facing": 55,
        "route53-healthchecks": 25,
        "vpc-lattice": 10,
        "groundstation": 5,
        "ec2-instance-connect": 2,
    }
)
_MANAGED = "com.amazonaws."
_PREFIX_LIST = re.compile(r"pl-[0-9a-f]+")
_GROUP = re.compile(r"sg-[0-9a-f]+")
_ALLOWED = (
    "a range such as 203.0.113.0/24, a prefix list (pl-…, or its name at AWS such as"
    " com.amazonaws.global.cloudfront.origin-facing), a security group (sg-…), or a construct with one"
)


class HasGroup(Protocol):
    """Anything with a security group and a name."""

    @property
    def security_group_id(self) -> str:
        """The id of its security group."""

    @property
    def name(self) -> str:
        """A short stable name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller: what its rules are called, what they say of it, and how many rules one counts as."""

    id: str
    words: str
    source: Mapping[str, str]
    weight: int = 1
    only_default_port: bool = False


def anywhere(cidr: str) -> Caller:
    """Return everybody."""
    return Caller("anywhere", "anywhere", {"cidr_ipv4": cidr})


def of_network(cidr: str) -> Caller:
    """Return all that is in the network."""
    return Caller("network", "the network", {"cidr_ipv4": cidr})


def callers(allow_from: Sequence[str | HasGroup]) -> list[Caller]:
    """Return the callers that `allow_from` names; raises ConstructError for one that is none, or is twice."""
    found: dict[str, Caller] = {}
    for entry in allow_from:
        caller = _named(entry) if isinstance(entry, str) else _group(entry.security_group_id, entry.name)
        if caller.id in found:
            raise ConstructError(f"allow_from has {caller.words} twice", next_step="remove one of the two")
        found[caller.id] = caller
    return [*found.values()]


def _named(entry: str) -> Caller:
    plain = entry.replace(".", "-").replace(":", "-").replace("/", "-")
    if entry.startswith(_MANAGED):
        weight = next((each for end, each in WEIGHTS.items() if entry.endswith(end)), 1)
        label = entry.removeprefix(_MANAGED)
        named = Caller(label.replace(".", "-"), f"prefix list {label}", {"prefix_list_name": entry})
        return replace(named, weight=weight, only_default_port=True)
    if _PREFIX_LIST.fullmatch(entry):
        return Caller(entry, f"prefix list {entry}", {"prefix_list_id": entry}, only_default_port=True)
    if _GROUP.fullmatch(entry):
        return _group(entry, entry)
    try:
        network = ip_network(entry)
    except ValueError:
        raise ConstructError("an entry of allow_from", got=entry, allowed=_ALLOWED) from None
    return Caller(plain, entry, {f"cidr_ipv{network.version}": str(network)})


def _group(group_id: str, name: str) -> Caller:
    return Caller(name, name, {"referenced_security_group_id": group_id})
