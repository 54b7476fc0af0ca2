"""The quotas of AWS that services of one load balancer share, and the refusal of one service too many."""

from dataclasses import dataclass
from typing import Literal

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError

Quota = Literal["security_group_rules", "listener_rules", "target_groups"]

# Amazon VPC, "Amazon VPC quotas": rules in a security group, each way; with the groups of a network interface
# they may be 1,000 together.
SECURITY_GROUP_RULES, MOST_SECURITY_GROUP_RULES = 60, 1_000
# Elastic Load Balancing, "Quotas for your Application Load Balancers".
LISTENER_RULES = 100
TARGET_GROUPS = 100

_NAMES = {
    "security_group_rules": "Amazon VPC: Inbound or outbound rules per security group",
    "listener_rules": "Elastic Load Balancing: Rules per Application Load Balancer",
    "target_groups": "Elastic Load Balancing: Target Groups per Application Load Balancer",
}


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerQuotas:
    """What the account may have, where AWS raised a quota: the values that Service Quotas shows.

    `security_group_rules` is each way (1-1,000), `listener_rules` without the default rules. Raises
    ConstructError for a number that no account has.
    """

    security_group_rules: int = SECURITY_GROUP_RULES
    listener_rules: int = LISTENER_RULES
    target_groups: int = TARGET_GROUPS

    def __post_init__(self) -> None:
        if not 1 <= self.security_group_rules <= MOST_SECURITY_GROUP_RULES:
            allowed = f"1-{MOST_SECURITY_GROUP_RULES}"
            raise ConstructError("security_group_rules", got=self.security_group_rules, allowed=allowed)
        for name in ("listener_rules", "target_groups"):
            if getattr(self, name) < 1:
                raise ConstructError(name, got=getattr(self, name), allowed="at least 1")


def check_quota(quotas: LoadBalancerQuotas, quota: Quota, number: int, *, of: str, instead: str) -> None:
    """Raise ConstructError where `number` things are more than the quota; `instead` is a way around."""
    most: int = getattr(quotas, quota)
    if number > most:
        raise ConstructError(
            f"the number of {of}",
            got=number,
            allowed=f"at most {most}, the quota of {_NAMES[quota]}",
            next_step=f"{instead}; or have the quota raised, and say so:"
            f" quotas=LoadBalancerQuotas({quota}={number})",
        )
