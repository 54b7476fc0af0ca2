"""The rules of a load balancer's security group: one for each caller and port.

A prefix list counts as many rules as it has entries at most, so it is let in on the load balancer's own port
only, and not on the one that redirects.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from cdktf_cdktf_provider_aws.data_aws_ec2_managed_prefix_list import DataAwsEc2ManagedPrefixList
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from holdfast_constructs.edge._callers import Caller
from holdfast_constructs.edge.load_balancer_quotas import LoadBalancerQuotas, check_quota

_HTTPS = 443


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
