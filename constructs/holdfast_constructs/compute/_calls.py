"""How the services of a cluster call each other, without one stack waiting for another.

A service that is called has a name in a DNS zone of the cluster; a caller knows the name before anything
exists. The rules of security groups name a group of the cluster that both belong to, instead of each other:
the caller opens its way out to the group, on the port of the service, and the service lets the group in.
"""

from typing import Protocol, runtime_checkable

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.service_discovery_private_dns_namespace import (
    ServiceDiscoveryPrivateDnsNamespace,
)
from cdktf_cdktf_provider_aws.service_discovery_service import (
    ServiceDiscoveryService,
    ServiceDiscoveryServiceDnsConfig,
    ServiceDiscoveryServiceDnsConfigDnsRecords,
    ServiceDiscoveryServiceHealthCheckCustomConfig,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.naming import limited
from holdfast_constructs.network.imported_network import VpcNetwork

# RFC 1035: the longest part of a name in DNS.
LONGEST_LABEL = 63
# How long a caller may go on with the address of a task that is gone.
_TTL_SECONDS = 10


@runtime_checkable
class AnswersCalls(Protocol):
    """A service that others in its cluster may call."""

    @property
    def name(self) -> str:
        """A short stable name."""

    @property
    def default_port(self) -> int:
        """The TCP port it listens on."""

    @property
    def calls_group_id(self) -> str:
        """The id of the group that who calls it belongs to."""

    def accept_calls(self, port: int | None = None) -> str:
        """Let the group in, and return the URL to call."""


class NamedServices(Protocol):
    """Where the services of a cluster find each other, whether Holdfast made it or not."""

    @property
    def domain(self) -> str:
        """The DNS zone that their names are in."""

    @property
    def namespace_id(self) -> str:
        """The id of the Cloud Map namespace that keeps the zone."""

    @property
    def group_id(self) -> str:
        """The id of the security group of callers and called."""


class Calls(Construct):
    """The zone `<name>.internal` in `network`, and the group of callers and called, of the cluster `name`."""

    def __init__(self, scope: Construct, id_: str, *, name: str, network: VpcNetwork) -> None:
        super().__init__(scope, id_)
        self.domain = f"{limited(name, LONGEST_LABEL)}.internal"
        self.group = SecurityGroup(
            self,
            "group",
            name=f"{name}-calls",
            description=f"Services of {name} that call each other: it lets nothing in by itself",
            vpc_id=network.vpc_id,
        )
        self.namespace = ServiceDiscoveryPrivateDnsNamespace(
            self,
            "namespace",
            name=self.domain,
            description=f"Services of {name} by name",
            vpc=network.vpc_id,
        )

    @property
    def namespace_id(self) -> str:
        """The id of the namespace."""
        return self.namespace.id

    @property
    def group_id(self) -> str:
        """The id of the security group."""
        return self.group.id


def register(scope: Construct, label: str, *, calls: NamedServices) -> ServiceDiscoveryService:
    """Return what ECS registers the tasks of the service `scope` with; it is called `label` in the zone."""
    return ServiceDiscoveryService(
        scope,
        "discovery",
        name=label,
        description=f"Tasks of {ServiceStack.of(scope).service}/{scope.node.id}",
        dns_config=ServiceDiscoveryServiceDnsConfig(
            namespace_id=calls.namespace_id,
            routing_policy="MULTIVALUE",
            dns_records=[ServiceDiscoveryServiceDnsConfigDnsRecords(type="A", ttl=_TTL_SECONDS)],
        ),
        # ECS says which tasks are well.
        health_check_custom_config=ServiceDiscoveryServiceHealthCheckCustomConfig(failure_threshold=1),
    )
