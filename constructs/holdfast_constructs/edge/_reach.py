"""Which services a load balancer opens connections to, and how its security group says so.

services    one rule for each service, which names the service's group: nothing else can be reached
network     one rule for the addresses of the network, however many services there are
"""

from typing import Literal, Protocol

from constructs import Construct

from holdfast_constructs.edge._priorities import Priorities
from holdfast_constructs.edge.load_balancer_quotas import LoadBalancerQuotas, check_quota
from holdfast_constructs.network.connections import Connectable, accept, connect

Egress = Literal["services", "network"]


class _Shared(Connectable, Protocol):
    """A load balancer that services share."""

    @property
    def priorities(self) -> Priorities:
        """The rules of its listener."""


class Reach:
    """The services of this app behind one load balancer."""

    def __init__(self, quotas: LoadBalancerQuotas, egress: Egress) -> None:
        self._quotas, self._egress = quotas, egress
        self._services = 0

    def add(self, gateway: _Shared, service: Connectable, *, scope: Construct) -> None:
        """Let `gateway` open connections to `service`; raises ConstructError for one service too many."""
        self._services += 1
        self._check(gateway)
        if self._egress == "network":
            accept(gateway, service, scope=scope)
        else:
            connect(gateway, service, scope=scope)

    def _check(self, gateway: _Shared) -> None:
        behind, another = f"behind load balancer {gateway.name}", "put some behind another LoadBalancer"
        check_quota(self._quotas, "target_groups", self._services, of=f"services {behind}", instead=another)
        rules = len(gateway.priorities)
        check_quota(self._quotas, "listener_rules", rules, of=f"rules for services {behind}", instead=another)
        if self._egress == "services":
            check_quota(
                self._quotas,
                "security_group_rules",
                self._services,
                of=f"services {behind}, each of which has a rule in its security group",
                instead='give the LoadBalancer egress="network", which is one rule for all',
            )
