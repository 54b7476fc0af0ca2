from collections.abc import Callable

import pytest
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from constructs import Construct

from holdfast_constructs import ConstructError, HoldfastApp, ServiceStack, connect
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


class _Part(Construct):
    """The least that can be connected."""

    def __init__(self, scope: Construct, name: str, *, port: int = 8080) -> None:
        super().__init__(scope, name)
        self.name = name
        self.default_port = port
        self.security_group_id = SecurityGroup(self, "group", name=name).id


def test_both_sides_get_a_rule_that_names_the_other_side_only(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        connect(_Part(stack, "api"), _Part(stack, "db", port=5432))

    orders = synthesize(build)["orders"]

    api, db = (f"${{{address}.id}}" for address in orders.resources("aws_security_group"))
    port = {"from_port": 5432, "to_port": 5432, "ip_protocol": "tcp", "description": "api to db"}
    assert orders.resource("aws_vpc_security_group_egress_rule") == {
        **port,
        "security_group_id": api,
        "referenced_security_group_id": db,
    }
    assert orders.resource("aws_vpc_security_group_ingress_rule") == {
        **port,
        "security_group_id": db,
        "referenced_security_group_id": api,
    }


def test_both_rules_stand_in_the_stack_of_the_client(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        database = _Part(ServiceStack(app, "data", sample_target()), "db", port=5432)
        connect(_Part(ServiceStack(app, "orders", sample_target()), "api"), database)

    synthesis = synthesize(build)

    kinds = ["aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule"]
    assert [len(synthesis["orders"].resources(kind)) for kind in kinds] == [1, 1]
    assert [len(synthesis["data"].resources(kind)) for kind in kinds] == [0, 0]


def test_the_rules_stand_where_they_are_told_to_when_the_server_asks_for_them(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        gateway = _Part(ServiceStack(app, "edge", sample_target()), "gateway", port=443)
        service = _Part(ServiceStack(app, "orders", sample_target()), "api")
        connect(gateway, service, scope=service)

    synthesis = synthesize(build)

    synthesis["orders"].has_resource("aws_vpc_security_group_egress_rule", from_port=8080)
    synthesis["edge"].has_no_resource("aws_vpc_security_group_egress_rule")


def test_one_client_may_reach_one_server_on_two_ports_and_says_why(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        api, db = _Part(stack, "api"), _Part(stack, "db", port=5432)
        connect(api, db)
        connect(api, db, port=6432, description="pooled queries")

    orders = synthesize(build)["orders"]

    orders.has_resource("aws_vpc_security_group_ingress_rule", from_port=5432, description="api to db")
    orders.has_resource("aws_vpc_security_group_ingress_rule", from_port=6432, description="pooled queries")


def test_connecting_twice_is_refused(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        api, db = _Part(stack, "api"), _Part(stack, "db")
        connect(api, db)
        connect(api, db)

    with pytest.raises(ConstructError, match="api is connected to db on port 8080 already; remove one"):
        synthesize(build)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_does_not_exist_is_refused(synthesize: Synthesize, port: int) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        connect(_Part(stack, "api"), _Part(stack, "db"), port=port)

    with pytest.raises(ConstructError, match=f"port must be 1-65535, got {port}"):
        synthesize(build)


@pytest.mark.parametrize("description", ["it's for orders", "zum Prüfen", "x" * 256])
def test_a_description_aws_would_refuse_is_refused(synthesize: Synthesize, description: str) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        connect(_Part(stack, "api"), _Part(stack, "db"), description=description)

    with pytest.raises(ConstructError, match="a rule's description must be 1-255 of letters"):
        synthesize(build)
