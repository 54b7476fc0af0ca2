import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from holdfast_constructs import (
    Cluster,
    ConstructError,
    HoldfastApp,
    Key,
    LoadBalancer,
    Network,
    Platform,
    ServiceStack,
    Statement,
)
from holdfast_constructs.testing import Synthesis, Template, sample_target

READ = Statement(
    sid="Read",
    actions=("s3:GetObject",),
    resources=("arn:aws:s3:::artifacts/*",),
    principals=("*",),
)
Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _network(app: HoldfastApp, *, target: Any = None, **properties: Any) -> Network:
    stack = ServiceStack(app, "network", target or sample_target())
    given: dict[str, Any] = {"cidr": "10.40.0.0/16", "nat": "per_az"} | properties
    return Network(stack, "main", logs_key=Key(stack, "logs", purpose="logs"), **given)


def _synthesized(synthesize: Synthesize, **properties: Any) -> Template:
    return synthesize(lambda app: _network(app, **properties))["network"]


def test_each_zone_gets_a_subnet_in_each_tier(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize)

    found = {
        (block["tags"]["Tier"], block["availability_zone"], block["cidr_block"])
        for block in network.resources("aws_subnet").values()
    }

    assert found == {
        ("private", "eu-west-1a", "10.40.0.0/20"),
        ("private", "eu-west-1b", "10.40.16.0/20"),
        ("public", "eu-west-1a", "10.40.128.0/22"),
        ("public", "eu-west-1b", "10.40.132.0/22"),
        ("isolated", "eu-west-1a", "10.40.160.0/22"),
        ("isolated", "eu-west-1b", "10.40.164.0/22"),
    }


def test_no_subnet_gives_out_public_addresses(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize)

    subnets = network.resources("aws_subnet").values()

    assert [block["map_public_ip_on_launch"] for block in subnets] == [False] * 6


def test_the_default_security_group_is_adopted_without_rules(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize)

    group = network.resource("aws_default_security_group")

    assert "ingress" not in group
    assert "egress" not in group


def test_all_traffic_is_logged_encrypted_and_kept_as_long_as_the_target_says(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize, target=sample_target(log_retention_days=731))

    key = next(iter(network.resources("aws_kms_key")))
    network.has_resource("aws_flow_log", traffic_type="ALL", max_aggregation_interval=60)
    network.has_resource("aws_cloudwatch_log_group", retention_in_days=731, kms_key_id=f"${{{key}.arn}}")


def test_only_this_account_can_have_the_flow_logs_role_assumed(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize)

    role = network.resource("aws_iam_role")
    documents = network.data("aws_iam_policy_document")
    (statement,) = documents[role["assume_role_policy"].removeprefix("${").removesuffix(".json}")][
        "statement"
    ]

    assert statement["principals"] == [{"identifiers": ["vpc-flow-logs.amazonaws.com"], "type": "Service"}]
    assert [(each["variable"], each["values"]) for each in statement["condition"]] == [
        ("aws:SourceAccount", ["210987654321"]),
        ("aws:SourceArn", ["arn:aws:ec2:eu-west-1:210987654321:vpc-flow-log/*"]),
    ]


def _way_out_of(network: Template, table: str) -> list[str]:
    return [
        re.sub(r"_[0-9A-F]{8}\.id", "", block.get("nat_gateway_id") or block["gateway_id"])
        for block in network.resources("aws_route").values()
        if f"_{table}_" in block["route_table_id"]
    ]


@pytest.mark.parametrize(
    ("nat", "from_a", "from_b"),
    [
        ("per_az", ["${aws_nat_gateway.main_nat-a}"], ["${aws_nat_gateway.main_nat-b}"]),
        ("single", ["${aws_nat_gateway.main_nat-a}"], ["${aws_nat_gateway.main_nat-a}"]),
        ("none", [], []),
    ],
)
def test_private_subnets_leave_through_the_nat_gateway_that_was_asked_for(
    synthesize: Synthesize, nat: str, from_a: list[str], from_b: list[str]
) -> None:
    network = _synthesized(synthesize, nat=nat, target=sample_target(production=False))

    assert _way_out_of(network, "private-routes-a") == from_a
    assert _way_out_of(network, "private-routes-b") == from_b


def test_public_subnets_reach_the_internet_and_isolated_ones_do_not(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize)

    assert _way_out_of(network, "public-routes") == ["${aws_internet_gateway.main_internet-gateway}"]
    assert _way_out_of(network, "isolated-routes") == []


def test_every_subnet_has_a_route_table(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize)

    associated = {block["subnet_id"] for block in network.resources("aws_route_table_association").values()}

    assert associated == {f"${{{address}.id}}" for address in network.resources("aws_subnet")}


def test_s3_and_dynamodb_are_reached_without_nat_from_every_route_table(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize, nat="none")

    endpoints = network.resources("aws_vpc_endpoint").values()

    assert [block["service_name"] for block in endpoints] == [
        "com.amazonaws.eu-west-1.dynamodb",
        "com.amazonaws.eu-west-1.s3",
    ]
    assert all(len(block["route_table_ids"]) == 4 for block in endpoints)


def test_private_endpoints_are_reached_over_https_from_inside_the_vpc_only(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize, private_endpoints=("logs", "ecr.api"))

    network.has_resource(
        "aws_vpc_endpoint",
        service_name="com.amazonaws.eu-west-1.ecr.api",
        vpc_endpoint_type="Interface",
        private_dns_enabled=True,
    )
    network.resource(
        "aws_vpc_security_group_ingress_rule", cidr_ipv4="10.40.0.0/16", from_port=443, to_port=443
    )
    assert not network.resources("aws_vpc_security_group_egress_rule")


@pytest.mark.parametrize("nat", ["per_az", "single", "none"])
def test_a_zone_added_later_changes_no_resource_that_was_there(synthesize: Synthesize, nat: str) -> None:
    two_zones = sample_target(production=False)
    two = _synthesized(synthesize, nat=nat, target=two_zones).configuration["resource"]
    three_zones = sample_target(zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"), production=False)

    three = _synthesized(synthesize, nat=nat, target=three_zones).configuration["resource"]

    changed = [
        name
        for kind, blocks in two.items()
        for name, block in blocks.items()
        if kind != "aws_vpc_endpoint" and three[kind].get(name) != block
    ]
    assert changed == []


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"cidr": "10.0.0.0/24"}, "cidr must be an IPv4 block of /16 to /21"),
        ({"nat": "one"}, "must be one of 'per_az', 'single', 'none' or None, got 'one'"),
        ({"private_endpoints": ("s3",)}, "s3 and dynamodb are reached through gateway endpoints anyway"),
        ({"private_endpoints": ("com.amazonaws.eu-west-1.logs",)}, "such as ecr.api or logs"),
        ({"private_endpoints": ("logs", "logs")}, "private_endpoints must be different services"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(
    synthesize: Synthesize, properties: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConstructError) as refused:
        synthesize(lambda app: _network(app, **properties))

    assert told in str(refused.value)


def test_the_flow_log_waits_until_its_role_may_write(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize)

    [policy] = network.resources("aws_iam_role_policy")
    network.has_resource("aws_flow_log", depends_on=[policy])


def test_addresses_that_partners_know_are_those_of_its_nat_gateways(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize, nat_addresses={"eu-west-1a": "eipalloc-0a1b2c3d"})

    network.has_resource("aws_nat_gateway", allocation_id="eipalloc-0a1b2c3d")
    assert len(network.resources("aws_nat_gateway")) == 2
    assert len(network.resources("aws_eip")) == 1


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"nat_addresses": {"eu-west-1c": "eipalloc-1"}}, "nat_addresses must be zones with a NAT gateway"),
        ({"nat_addresses": {"eu-west-1a": "203.0.113.7"}}, "must be the allocation id of an Elastic IP"),
        (
            {"nat": "none", "nat_addresses": {"eu-west-1a": "eipalloc-1"}},
            "must be zones with a NAT gateway: none",
        ),
        ({"flow_logs_bucket_arn": "logs"}, "flow_logs_bucket_arn must be the ARN of an S3 bucket"),
        ({"endpoint_policies": {"sqs": [READ]}}, "endpoint_policies must be one of dynamodb, s3, got 'sqs'"),
        ({"endpoint_policies": {"s3": [replace(READ, principals=())]}}, "must be statements with principals"),
    ],
)
def test_what_a_network_cannot_be_given_is_refused(
    synthesize: Synthesize, properties: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConstructError, match=told):
        _synthesized(synthesize, **properties)


def test_an_endpoint_lets_through_what_its_policy_says(synthesize: Synthesize) -> None:
    network = _synthesized(
        synthesize, private_endpoints=["ecr.api"], endpoint_policies={"s3": [READ], "ecr.api": [READ]}
    )

    policies = {
        block["service_name"].rsplit(".", 1)[-1]: block.get("policy")
        for block in network.resources("aws_vpc_endpoint").values()
    }
    assert {service for service, policy in policies.items() if policy} == {"s3", "api"}
    assert str(policies["s3"]).startswith("${data.aws_iam_policy_document.")
    assert network.data("aws_iam_policy_document")


def test_tasks_are_placed_only_where_they_reach_their_image_and_logs(synthesize: Synthesize) -> None:
    def platform(app: HoldfastApp, **properties: Any) -> None:
        network = _network(app, nat="none", **properties)
        edge = ServiceStack(app, "edge", sample_target())
        logs = Key.import_(edge, "logs", arn="arn:aws:kms:eu-west-1:210987654321:key/1")
        Platform(
            network=network,
            gateway=LoadBalancer(
                edge,
                "gateway",
                network=network,
                domain="example.com",
                zone_id="Z123",
                firewall=None,
                no_firewall_because="a test",
            ),
            cluster=Cluster(edge, "main", logs_key=logs),
            logs_key=logs,
        )

    with pytest.raises(
        ConstructError, match=r"add ecr\.dkr, secretsmanager to the network's private_endpoints"
    ):
        synthesize(lambda app: platform(app, private_endpoints=["ecr.api", "logs"]))
    synthesize(lambda app: platform(app, private_endpoints=["ecr.api", "ecr.dkr", "logs", "secretsmanager"]))


def test_flow_logs_go_to_a_bucket_for_less(synthesize: Synthesize) -> None:
    network = _synthesized(synthesize, flow_logs_bucket_arn="arn:aws:s3:::logs/network")

    network.has_resource(
        "aws_flow_log",
        log_destination_type="s3",
        log_destination="arn:aws:s3:::logs/network",
        traffic_type="ALL",
        destination_options={
            "file_format": "parquet",
            "hive_compatible_partitions": True,
            "per_hour_partition": True,
        },
    )
    network.has_no_resource("aws_cloudwatch_log_group")
    network.has_no_resource("aws_iam_role")
