"""Services that call each other, also both ways, and stacks that would wait for each other."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, HoldfastApp, Key, Postgres, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

OnSite = Callable[..., Synthesis]


class _Shop:
    """Two services in two stacks, in a cluster whose services call each other."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.orders, self.billing = self.service("orders"), self.service("billing", port=9090)

    def service(self, name: str, id_: str = "api", **properties: Any) -> Any:
        stack = ServiceStack(self.site.app, name, self.site.target)
        return self.site.service(stack, id_, host=f"{name}.example.com", **properties)


@pytest.fixture
def shop(on_site: OnSite) -> Callable[[Callable[[_Shop], object]], Synthesis]:
    def run(build: Callable[[_Shop], object]) -> Synthesis:
        return on_site(lambda site: build(_Shop(site)), calls=True)

    return run


InShop = Callable[[Callable[[_Shop], object]], Synthesis]


def _variables(template: Template) -> dict[str, str]:
    [container] = json.loads(template.resource("aws_ecs_task_definition")["container_definitions"])
    return {each["name"]: each["value"] for each in container["environment"]}


def _states_read(template: Template) -> set[str]:
    return {name.split("_", 1)[-1] for name in template.data("terraform_remote_state")}


def test_a_caller_knows_where_the_other_is(shop: InShop) -> None:
    orders = shop(lambda shop: shop.orders.connect_to(shop.billing))["orders"]

    assert _variables(orders) == {"BILLING_URL": "http://billing-api.edge-prod-main.internal:9090"}


def test_both_rules_name_the_group_of_the_cluster(shop: InShop) -> None:
    synthesis = shop(lambda shop: shop.orders.connect_to(shop.billing))

    egress = synthesis["orders"].resource("aws_vpc_security_group_egress_rule", from_port=9090, to_port=9090)
    ingress = [
        rule
        for address, rule in synthesis["billing"].resources("aws_vpc_security_group_ingress_rule").items()
        if "called-on" in address
    ]
    assert [rule["from_port"] for rule in ingress] == [9090]
    assert "calls_group" in egress["referenced_security_group_id"]
    assert egress["referenced_security_group_id"] == ingress[0]["referenced_security_group_id"]
    for name in ("orders", "billing"):
        groups = synthesis[name].resource("aws_ecs_service")["network_configuration"]["security_groups"]
        assert len(groups) == 2
        assert "calls_group" in groups[1]


def test_the_group_lets_nothing_in_by_itself(shop: InShop) -> None:
    edge = shop(lambda shop: shop.orders.connect_to(shop.billing))["edge"]

    rules = {
        **edge.resources("aws_vpc_security_group_ingress_rule"),
        **edge.resources("aws_vpc_security_group_egress_rule"),
    }
    assert not [rule for rule in rules.values() if "calls" in json.dumps(rule)]
    group = edge.resource("aws_security_group", name="edge-prod-main-calls")
    assert not {"ingress", "egress"} & group.keys()


def test_the_tasks_of_the_one_that_is_called_are_found_by_name(shop: InShop) -> None:
    synthesis = shop(lambda shop: shop.orders.connect_to(shop.billing))

    billing = synthesis["billing"]
    billing.has_resource(
        "aws_service_discovery_service",
        name="billing-api",
        dns_config={"routing_policy": "MULTIVALUE", "dns_records": [{"type": "A", "ttl": 10}]},
    )
    [registry] = billing.resources("aws_service_discovery_service")
    assert billing.resource("aws_ecs_service")["service_registries"] == {
        "registry_arn": f"${{{registry}.arn}}"
    }
    synthesis["orders"].has_no_resource("aws_service_discovery_service")


def test_two_services_call_each_other_and_no_stack_waits_for_the_other(shop: InShop) -> None:
    def both(shop: _Shop) -> None:
        shop.orders.connect_to(shop.billing)
        shop.billing.connect_to(shop.orders)

    synthesis = shop(both)

    assert "BILLING_URL" in _variables(synthesis["orders"])
    assert "ORDERS_URL" in _variables(synthesis["billing"])
    for name in ("orders", "billing"):
        assert not [
            state for state in _states_read(synthesis[name]) if "orders" in state or "billing" in state
        ]


def test_a_service_of_the_same_stack_goes_by_its_own_name(shop: InShop) -> None:
    def build(shop: _Shop) -> None:
        stack = ServiceStack.of(shop.orders)
        admin = shop.site.service(stack, "admin", host="admin.example.com")
        shop.orders.connect_to(admin)

    orders = shop(build)["orders"]

    definitions = [
        json.loads(task["container_definitions"])[0]
        for task in orders.resources("aws_ecs_task_definition").values()
    ]
    [api] = [container for container in definitions if container["name"] == "api"]
    assert api["environment"] == [
        {"name": "ADMIN_URL", "value": "http://orders-admin.edge-prod-main.internal:8080"}
    ]


def test_many_callers_are_one_rule(shop: InShop) -> None:
    def build(shop: _Shop) -> None:
        shop.orders.connect_to(shop.billing)
        shop.service("storefront").connect_to(shop.billing)
        shop.site.worker().connect_to(shop.billing)
        shop.site.job(ServiceStack(shop.site.app, "nightly", shop.site.target)).connect_to(shop.billing)

    synthesis = shop(build)

    called = [
        address
        for address in synthesis["billing"].resources("aws_vpc_security_group_ingress_rule")
        if "called-on" in address
    ]
    assert len(called) == 1
    schedule = synthesis["nightly"].resource("aws_scheduler_schedule")
    groups = schedule["target"]["ecs_parameters"]["network_configuration"]["security_groups"]
    assert len(groups) == 2
    assert "BILLING_URL" in _variables(synthesis["parcels"])


def test_a_second_call_is_refused_and_a_prefix_tells_two_apart(shop: InShop) -> None:
    def twice(shop: _Shop) -> None:
        shop.orders.connect_to(shop.billing)
        shop.orders.connect_to(shop.billing)

    def apart(shop: _Shop) -> None:
        shop.orders.connect_to(shop.billing)
        shop.orders.connect_to(shop.billing, port=9091, prefix="INVOICES")

    with pytest.raises(ConstructError, match="BILLING_URL of api are set already; pass another prefix"):
        shop(twice)
    variables = _variables(shop(apart)["orders"])
    assert variables["INVOICES_URL"] == "http://billing-api.edge-prod-main.internal:9091"


def test_a_service_that_nobody_calls_is_not_registered(shop: InShop) -> None:
    billing = shop(lambda _: None)["billing"]

    billing.has_no_resource("aws_service_discovery_service")
    assert len(billing.resource("aws_ecs_service")["network_configuration"]["security_groups"]) == 1


def test_a_cluster_without_calls_says_what_it_needs(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        shop = _Shop(site)
        shop.orders.connect_to(shop.billing)

    with pytest.raises(ConstructError, match="do not call each other; create the Cluster with network="):
        on_site(build)


def test_databases_of_two_stacks_that_need_each_other_are_refused_with_both_connections(
    shop: InShop,
) -> None:
    def build(shop: _Shop) -> None:
        platform = shop.site.platform

        def database(service: Any, id_: str) -> Postgres:
            stack = ServiceStack.of(service)
            return Postgres(
                stack,
                id_,
                network=platform.network,
                key=Key(stack, f"{id_}-key", purpose="data"),
                logs_key=platform.logs_key,
                instance_class="db.r6g.large",
                storage_gib=100,
                multi_az=True,
                backup_days=14,
            )

        shop.orders.connect_to(database(shop.billing, "invoices"))
        shop.billing.connect_to(database(shop.orders, "sales"))

    with pytest.raises(ConstructError) as refused:
        shop(build)

    assert refused.value.what == (
        "billing-prod-eu-west-1 and orders-prod-eu-west-1 would wait for each other: "
        "orders-prod-eu-west-1/api to invoices in billing-prod-eu-west-1; "
        "billing-prod-eu-west-1/api to sales in orders-prod-eu-west-1"
    )
    assert "put sales into a stack of its own" in str(refused.value)


def test_a_circle_of_three_stacks_is_refused_too(synthesize: Callable[..., Synthesis]) -> None:
    from holdfast_constructs.app._stack_order import wait_for  # noqa: PLC0415

    def build(app: HoldfastApp) -> None:
        keys = [
            Key(ServiceStack(app, name, sample_target()), "key", purpose="data")
            for name in ("first", "second", "third")
        ]
        for here, there in zip(keys, [*keys[1:], keys[0]], strict=True):
            wait_for(here, there, "key")

    with pytest.raises(ConstructError, match=r"would wait for each other: first-.*; second-.*; third-.*"):
        synthesize(build)
