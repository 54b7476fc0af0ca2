"""A VPC with three tiers in every zone of the target.

    public      load balancers and NAT          route to the Internet, no public address by itself
    private     services                        route out through NAT, where there is any
    isolated    databases                       no route out at all

Around it: a default security group nobody can use, flow logs, and gateway endpoints. Ids carry the
letter of the zone, so a zone added later adds resources and changes none.
"""

from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_aws.default_security_group import DefaultSecurityGroup
from cdktf_cdktf_provider_aws.eip import Eip
from cdktf_cdktf_provider_aws.internet_gateway import InternetGateway
from cdktf_cdktf_provider_aws.nat_gateway import NatGateway
from cdktf_cdktf_provider_aws.route import Route
from cdktf_cdktf_provider_aws.route_table import RouteTable
from cdktf_cdktf_provider_aws.route_table_association import RouteTableAssociation
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc
from constructs import Construct

from holdfast_constructs.app import production
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network._endpoints import (
    ENDPOINTS_FOR_FARGATE,
    GatewayEndpoints,
    InterfaceEndpoints,
    Policies,
    check_policies,
)
from holdfast_constructs.network._flow_logs import FlowLogs
from holdfast_constructs.network._subnets import Tier, plan_subnets
from holdfast_constructs.network.imported_network import ImportedNetwork, VpcNetwork
from holdfast_constructs.profiles import NAT, Nat
from holdfast_constructs.security.keys import EncryptionKey
from holdfast_constructs.security.policy import Statement

__all__ = ["ImportedNetwork", "Nat", "Network", "VpcNetwork"]

ANYWHERE = "0.0.0.0/0"


@checked
class Network(Construct):
    """A VPC of `cidr` (/16 to /21) across the target's zones.

    `nat` is `per_az` (a zone can fail), `single` (one gateway, in the first zone: cheaper) or `none`; the
    profile's unless given.
    `logs_key` encrypts the flow logs. `private_endpoints` names AWS services to reach without NAT, such
    as `ecr.api`; they cost by the hour and zone. `endpoint_policies` has statements for the endpoints of some
    services, `s3` and `dynamodb` among them. `nat_addresses` has the allocation ids of Elastic IPs that
    exist, by zone: partners that know these addresses go on seeing them. With `flow_logs_bucket_arn` the flow
    logs go to that bucket, as Parquet; its policy has to let `delivery.logs.amazonaws.com` write there.
    Raises ConstructError for anything else, and in production for a single NAT gateway.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        cidr: str,
        nat: Nat | None = None,
        logs_key: EncryptionKey,
        private_endpoints: Sequence[str] = (),
        endpoint_policies: Mapping[str, Sequence[Statement]] | None = None,
        nat_addresses: Mapping[str, str] | None = None,
        flow_logs_bucket_arn: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._id = id_
        nat = NAT.of(self._stack.target.profile, nat)
        if self._stack.target.production:
            production.check_nat(nat)
        self.zones: tuple[str, ...] = self._stack.target.zones
        self.plan = plan_subnets(cidr, self.zones)
        self.vpc = self._make_vpc()
        self.subnets: dict[Tier, dict[str, Subnet]] = {
            "public": self._make_subnets("public"),
            "private": self._make_subnets("private"),
            "isolated": self._make_subnets("isolated"),
        }
        self._nat_addresses = dict(nat_addresses or {})
        self._check_addresses(nat)
        self.nat_gateways: dict[str, NatGateway] = {}
        self.route_tables: tuple[RouteTable, ...] = self._make_routes(nat)
        FlowLogs(
            self,
            "flow-logs",
            vpc_id=self.vpc_id,
            network=id_,
            logs_key=logs_key,
            bucket_arn=flow_logs_bucket_arn,
        )
        self._make_endpoints(private_endpoints, endpoint_policies or {})
        needed = () if self.nat_gateways else ENDPOINTS_FOR_FARGATE
        self.private_addresses = self.plan.addresses("private") - len(private_endpoints) * len(self.zones)
        self.missing_endpoints = tuple(each for each in needed if each not in private_endpoints)

    @staticmethod
    def import_(
        scope: Construct,
        id_: str,
        *,
        vpc_id: str,
        vpc_cidr: str | None = None,
        public_subnet_ids: Sequence[str] = (),
        private_subnet_ids: Sequence[str] = (),
        isolated_subnet_ids: Sequence[str] = (),
    ) -> "ImportedNetwork":
        """Return a network that exists already, for everything that takes one; nothing of it is managed.

        The ids may be references, also to cdktf's own resources. A tier that the VPC lacks is left out;
        without isolated subnets databases are in the private ones. Each tier has a subnet in each zone of
        the target. Raises ConstructError when one is missing or is no such id.
        """
        return ImportedNetwork(
            scope,
            id_,
            vpc_id=vpc_id,
            vpc_cidr=vpc_cidr,
            subnet_ids={
                "public": public_subnet_ids,
                "private": private_subnet_ids,
                "isolated": isolated_subnet_ids,
            },
        )

    @property
    def vpc_id(self) -> str:
        """The VPC's id."""
        return self.vpc.id

    @property
    def vpc_cidr(self) -> str:
        """The VPC's IPv4 block."""
        return self.plan.cidr

    @property
    def public_subnet_ids(self) -> list[str]:
        """One subnet a zone, reachable from the Internet."""
        return [subnet.id for subnet in self.subnets["public"].values()]

    @property
    def private_subnet_ids(self) -> list[str]:
        """One subnet a zone, which reach out through NAT."""
        return [subnet.id for subnet in self.subnets["private"].values()]

    @property
    def isolated_subnet_ids(self) -> list[str]:
        """One subnet a zone, without a way out."""
        return [subnet.id for subnet in self.subnets["isolated"].values()]

    def _tags(self, *parts: str) -> dict[str, str]:
        return {"Name": aws_name("tag", self._stack.target, self._stack.service, self._id, *parts)}

    def _make_vpc(self) -> Vpc:
        vpc = Vpc(
            self,
            "vpc",
            cidr_block=self.plan.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags(),
        )
        # Adopted and left without rules: a resource that forgot its own group can talk to nothing.
        DefaultSecurityGroup(self, "default-security-group", vpc_id=vpc.id, tags=self._tags("closed"))
        return vpc

    def _make_subnets(self, tier: Tier) -> dict[str, Subnet]:
        return {
            zone: Subnet(
                self,
                f"{tier}-{_letter(zone)}",
                vpc_id=self.vpc.id,
                availability_zone=zone,
                cidr_block=self.plan.block(tier, zone),
                map_public_ip_on_launch=False,
                tags={**self._tags(tier, _letter(zone)), "Tier": tier},
            )
            for zone in self.zones
        }

    def _make_routes(self, nat: Nat) -> tuple[RouteTable, ...]:
        gateway = InternetGateway(self, "internet-gateway", vpc_id=self.vpc.id, tags=self._tags())
        public = self._table("public-routes", self.subnets["public"])
        Route(
            self,
            "public-default",
            route_table_id=public.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
        )
        self.nat_gateways.update({zone: self._make_nat(zone, gateway) for zone in self._nat_zones(nat)})
        private = [self._private_routes(zone) for zone in self.zones]
        return (public, *private, self._table("isolated-routes", self.subnets["isolated"]))

    def _nat_zones(self, nat: Nat) -> tuple[str, ...]:
        return {"per_az": self.zones, "single": self.zones[:1], "none": ()}[nat]

    def _check_addresses(self, nat: Nat) -> None:
        zones = self._nat_zones(nat)
        for zone, address in self._nat_addresses.items():
            if zone not in zones:
                allowed = f"zones with a NAT gateway: {', '.join(zones) or 'none'}"
                raise ConstructError("nat_addresses", got=zone, allowed=allowed)
            if not address.startswith(("eipalloc-", "${")):
                raise ConstructError(
                    f"nat_addresses[{zone!r}]",
                    got=address,
                    allowed="the allocation id of an Elastic IP, such as eipalloc-0a1b2c3d",
                )

    def _make_nat(self, zone: str, gateway: InternetGateway) -> NatGateway:
        name = f"nat-{_letter(zone)}"
        address = self._nat_addresses.get(zone)
        if address is None:
            address = Eip(self, f"{name}-address", domain="vpc", tags=self._tags(name)).id
        return NatGateway(
            self,
            name,
            allocation_id=address,
            subnet_id=self.subnets["public"][zone].id,
            tags=self._tags(name),
            # Nothing in its arguments says that it is of no use before the gateway is attached.
            depends_on=[gateway],
        )

    def _private_routes(self, zone: str) -> RouteTable:
        letter = _letter(zone)
        table = self._table(f"private-routes-{letter}", {zone: self.subnets["private"][zone]})
        if self.nat_gateways:
            nearest = self.nat_gateways.get(zone) or next(iter(self.nat_gateways.values()))
            Route(
                self,
                f"private-default-{letter}",
                route_table_id=table.id,
                destination_cidr_block=ANYWHERE,
                nat_gateway_id=nearest.id,
            )
        return table

    def _table(self, name: str, subnets: dict[str, Subnet]) -> RouteTable:
        table = RouteTable(self, name, vpc_id=self.vpc.id, tags=self._tags(name))
        for zone, subnet in subnets.items():
            # The zone is in the id of every association, whether or not the table has it in its own.
            id_ = f"{name.removesuffix('-' + _letter(zone))}-of-{_letter(zone)}"
            RouteTableAssociation(self, id_, route_table_id=table.id, subnet_id=subnet.id)
        return table

    def _make_endpoints(self, services: Sequence[str], policies: Policies) -> None:
        check_policies(policies, services)
        tables = [table.id for table in self.route_tables]
        GatewayEndpoints(
            self, "gateway-endpoints", vpc_id=self.vpc_id, route_table_ids=tables, policies=policies
        )
        if services:
            InterfaceEndpoints(
                self,
                "endpoints",
                vpc_id=self.vpc_id,
                vpc_cidr=self.vpc_cidr,
                subnet_ids=self.private_subnet_ids,
                services=services,
                policies=policies,
            )


def _letter(zone: str) -> str:
    return zone[-1]
