"""Who may open connections to a load balancer: one rule of its security group for each caller and port.

A caller is a range of addresses, a prefix list, or a security group. A prefix list counts as many rules as it
has entries at most, so it is let in on the load balancer's own port only, and not on the one that redirects.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any

from cdktf_cdktf_provider_aws.data_aws_ec2_managed_prefix_list import DataAwsEc2ManagedPrefixList
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from holdfast_constructs.edge.load_balancer_quotas import LoadBalancerQuotas, check_quota
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.network.connections import Connectable

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
_HTTPS = 443
_MANAGED = "com.amazonaws."
_PREFIX_LIST = re.compile(r"pl-[0-9a-f]+")
_GROUP = re.compile(r"sg-[0-9a-f]+")
_ALLOWED = (
    "a range such as 203.0.113.0/24, a prefix list (pl-…, or its name at AWS such as"
    " com.amazonaws.global.cloudfront.origin-facing), a security group (sg-…), or a construct with one"
)


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


def callers(allow_from: Sequence[str | Connectable]) -> list[Caller]:
    """Return the callers that `allow_from` names; raises ConstructError for one that is none, or is twice."""
    found: dict[str, Caller] = {}
    for entry in allow_from:
        caller = _named(entry) if isinstance(entry, str) else _group(entry.security_group_id, entry.name)
        if caller.id in found:
            raise ConstructError(f"allow_from has {caller.words} twice", next_step="remove one of the two")
        found[caller.id] = caller
    return [*found.values()]


def let_in(
    group_id: str,
    given: Sequence[Caller],
    *,
    scope: Construct,
    ports: Sequence[int],
    quotas: LoadBalancerQuotas,
) -> None:
    """Write the rules of the group in `scope`; the last of `ports` is the default port.

    Raises ConstructError for more rules than a security group may have.
    """
    rules = [*_rules(given, ports)]
    check_quota(
        quotas,
        "security_group_rules",
        sum(caller.weight for caller, _ in rules),
        of="rules for callers in the security group of the load balancer",
        instead="join ranges that are beside each other, or put them in a prefix list",
    )
    for caller, port in rules:
        VpcSecurityGroupIngressRule(
            scope,
            f"from-{caller.id}-{port}",
            security_group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"{'HTTPS' if port == _HTTPS else 'HTTP'} from {caller.words}",
            **_source(scope, caller),
        )


def _rules(given: Sequence[Caller], ports: Sequence[int]) -> Iterator[tuple[Caller, int]]:
    for caller in given:
        for port in ports[-1:] if caller.only_default_port else ports:
            yield caller, port


def _source(scope: Construct, caller: Caller) -> dict[str, Any]:
    name = caller.source.get("prefix_list_name")
    if name is None:
        return dict(caller.source)
    return {"prefix_list_id": DataAwsEc2ManagedPrefixList(scope, f"list-{caller.id}", name=name).id}


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
