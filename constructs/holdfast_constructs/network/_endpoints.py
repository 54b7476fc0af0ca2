"""Ways to AWS's own services that do not lead through the Internet.

Gateway endpoints (S3, DynamoDB) cost nothing and are always there. Interface endpoints cost by the
hour and zone, and are made for the services asked for; a network without NAT needs them.
"""

import re
from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security.policy import Statement, policy_json

GATEWAY_SERVICES = ("dynamodb", "s3")
# Without NAT a Fargate task reaches its image, its secrets and its logs through these.
ENDPOINTS_FOR_FARGATE = ("ecr.api", "ecr.dkr", "logs", "secretsmanager")
HTTPS = 443

# The statements of each service's endpoint; without any it lets everything through.
Policies = Mapping[str, Sequence[Statement]]

_SERVICE = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


class GatewayEndpoints(Construct):
    """S3 and DynamoDB, reached by a route in each of `route_table_ids`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        vpc_id: str,
        route_table_ids: Sequence[str],
        policies: Policies,
    ) -> None:
        super().__init__(scope, id_)
        stack = ServiceStack.of(self)
        for service in GATEWAY_SERVICES:
            VpcEndpoint(
                self,
                service,
                vpc_id=vpc_id,
                service_name=f"com.amazonaws.{stack.target.region}.{service}",
                vpc_endpoint_type="Gateway",
                route_table_ids=list(route_table_ids),
                policy=_policy(self, service, policies),
                tags={"Name": aws_name("tag", stack.target, stack.service, service)},
            )


class InterfaceEndpoints(Construct):
    """`services` such as `ecr.api`, reached at addresses in `subnet_ids` from anywhere in the VPC."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        vpc_id: str,
        vpc_cidr: str,
        subnet_ids: Sequence[str],
        services: Sequence[str],
        policies: Policies,
    ) -> None:
        super().__init__(scope, id_)
        checked_services(services)
        stack = ServiceStack.of(self)
        self.security_group = SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", stack.target, stack.service, "endpoints"),
            description="Interface endpoints of AWS services",
            vpc_id=vpc_id,
            tags={"Name": aws_name("tag", stack.target, stack.service, "endpoints")},
        )
        VpcSecurityGroupIngressRule(
            self,
            "https",
            security_group_id=self.security_group.id,
            cidr_ipv4=vpc_cidr,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="HTTPS from inside the VPC",
        )
        for service in sorted(services):
            VpcEndpoint(
                self,
                service.replace(".", "-"),
                vpc_id=vpc_id,
                service_name=f"com.amazonaws.{stack.target.region}.{service}",
                vpc_endpoint_type="Interface",
                subnet_ids=list(subnet_ids),
                security_group_ids=[self.security_group.id],
                private_dns_enabled=True,
                policy=_policy(self, service, policies),
                tags={"Name": aws_name("tag", stack.target, stack.service, service.replace(".", "-"))},
            )


def check_policies(policies: Policies, services: Sequence[str]) -> None:
    """Refuse policies of endpoints that are not made, and statements that speak of nobody."""
    for service, statements in policies.items():
        if service not in {*GATEWAY_SERVICES, *services}:
            raise ConstructError(
                "endpoint_policies",
                got=service,
                allowed=f"one of {', '.join((*GATEWAY_SERVICES, *services))}",
                next_step="add the service to private_endpoints, or remove its policy",
            )
        if not all(statement.principals for statement in statements):
            raise ConstructError(
                f"endpoint_policies[{service!r}]",
                allowed='statements with principals, such as ("*",) for everybody in the network',
                got="a statement without",
            )


def _policy(scope: Construct, service: str, policies: Policies) -> str | None:
    statements = policies.get(service)
    if not statements:
        return None
    return policy_json(scope, f"{service.replace('.', '-')}-policy", *statements)


def checked_services(services: Sequence[str]) -> None:
    """Refuse names that are no interface endpoint; raises ConstructError."""
    for service in services:
        if _SERVICE.fullmatch(service) is None or service in GATEWAY_SERVICES or service.startswith("com."):
            raise ConstructError(
                "private_endpoints",
                got=service,
                allowed="the last part of an interface endpoint's name, such as ecr.api or logs",
                next_step="s3 and dynamodb are reached through gateway endpoints anyway",
            )
    if len(set(services)) != len(services):
        raise ConstructError("private_endpoints", got=tuple(services), allowed="different services")
