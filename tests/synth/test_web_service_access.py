import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from holdfast_constructs import ConstructError, Image
from holdfast_constructs.security.policy import Statement
from holdfast_constructs.testing import Synthesis, Template

SECRET = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:stripe-a1B2c3"
PARAMETER = "arn:aws:ssm:eu-west-1:210987654321:parameter/orders/flags"

OnSite = Callable[..., Synthesis]


def _orders(on_site: OnSite, **properties: Any) -> Template:
    return on_site(lambda site: site.service(**properties))["orders"]


def _connected(on_site: OnSite, **connection: Any) -> Synthesis:
    return on_site(lambda site: site.service().connect_to(site.database(), **connection))


def _container(orders: Template) -> dict[str, Any]:
    [container] = json.loads(orders.resource("aws_ecs_task_definition")["container_definitions"])
    assert isinstance(container, dict)
    return container


def _environment(orders: Template) -> dict[str, str]:
    return {each["name"]: each["value"] for each in _container(orders)["environment"]}


def _statements(orders: Template, part: str) -> dict[str, Mapping[str, Any]]:
    found = [
        block["statement"]
        for address, block in orders.data("aws_iam_policy_document").items()
        if part in address
    ]
    assert len(found) == 1
    return {statement["sid"]: statement for statement in found[0]}


def test_the_service_waits_for_its_rule_its_rights_and_its_way_out(on_site: OnSite) -> None:
    orders = _connected(on_site)["orders"]

    waits_for = set(orders.resource("aws_ecs_service")["depends_on"])

    expected = {
        *orders.resources("aws_lb_listener_rule"),
        *orders.resources("aws_iam_role_policy"),
        *(
            address
            for address in orders.resources("aws_vpc_security_group_egress_rule")
            if "https-out" in address
        ),
    }
    assert waits_for == expected
    assert len(waits_for) == 4


def test_only_the_gateway_reaches_it_and_it_reaches_https_only(on_site: OnSite) -> None:
    orders = _orders(on_site)

    [group] = orders.resources("aws_security_group")
    ingress = orders.resource("aws_vpc_security_group_ingress_rule", security_group_id=f"${{{group}.id}}")
    assert "gateway_security-group" in ingress["referenced_security_group_id"]
    assert (ingress["from_port"], ingress["to_port"]) == (8080, 8080)
    out = orders.resource("aws_vpc_security_group_egress_rule", security_group_id=f"${{{group}.id}}")
    assert (out["cidr_ipv4"], out["from_port"], out["to_port"]) == ("0.0.0.0/0", 443, 443)
    assert all(
        rule["description"]
        for kind in ("ingress", "egress")
        for rule in orders.resources(f"aws_vpc_security_group_{kind}_rule").values()
    )


def test_the_gateways_own_stack_does_not_change_with_a_service(on_site: OnSite) -> None:
    alone = on_site(id)["edge"]
    shared = on_site(lambda site: site.service())["edge"]

    assert shared.configuration["resource"] == alone.configuration["resource"]


def test_ecs_may_start_its_tasks_and_nothing_else(on_site: OnSite) -> None:
    orders = _orders(on_site)

    statements = _statements(orders, "start-permissions")

    assert {sid: (statement["actions"], statement["resources"]) for sid, statement in statements.items()} == {
        "WriteLog": (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [f"${{{next(iter(orders.resources('aws_cloudwatch_log_group')))}.arn}}:*"],
        ),
        "PullImage": (
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            ["arn:aws:ecr:eu-west-1:210987654321:repository/orders"],
        ),
        "LogInToRegistry": (["ecr:GetAuthorizationToken"], ["*"]),
    }


def test_an_image_from_elsewhere_needs_no_rights_in_ecr(on_site: OnSite) -> None:
    orders = _orders(on_site, image=Image.digest("ghcr.io/acme/web@sha256:" + "0" * 64))

    assert set(_statements(orders, "start-permissions")) == {"WriteLog"}


def test_ecs_may_fetch_the_secrets_named_and_no_others(on_site: OnSite) -> None:
    orders = _orders(on_site, secrets={"STRIPE_KEY": f"{SECRET}:key::", "FLAGS": PARAMETER})

    statements = _statements(orders, "start-permissions")

    assert statements["FetchSecrets"]["resources"] == [SECRET]
    assert statements["FetchParameters"]["resources"] == [PARAMETER]
    [through] = statements["DecryptSecrets"]["condition"]
    assert through["variable"] == "kms:ViaService"
    assert _container(orders)["secrets"] == [
        {"name": "FLAGS", "valueFrom": PARAMETER},
        {"name": "STRIPE_KEY", "valueFrom": f"{SECRET}:key::"},
    ]


def test_only_ecs_on_behalf_of_this_account_takes_its_roles(on_site: OnSite) -> None:
    orders = _orders(on_site)

    trust = _statements(orders, "roles_trust")["Assume"]

    assert trust["principals"] == [{"type": "Service", "identifiers": ["ecs-tasks.amazonaws.com"]}]
    assert {each["variable"] for each in trust["condition"]} == {"aws:SourceAccount", "aws:SourceArn"}


def test_the_program_may_do_nothing_until_it_is_granted(on_site: OnSite) -> None:
    orders = _orders(on_site)

    [policy] = orders.resources("aws_iam_role_policy").values()

    assert "execution" in policy["role"]


def test_a_grant_goes_to_the_program_and_not_to_ecs(on_site: OnSite) -> None:
    queue = "arn:aws:sqs:eu-west-1:210987654321:mail"
    send = Statement(sid="Send", actions=("sqs:SendMessage",), resources=(queue,))

    orders = on_site(lambda site: site.service().grant("send-mail", send))["orders"]

    assert "roles_task" in orders.resource("aws_iam_role_policy", name="send-mail")["role"]
    assert _statements(orders, "send-mail")["Send"]["resources"] == [queue]


def test_connecting_to_a_database_opens_both_sides_in_the_services_stack(on_site: OnSite) -> None:
    synthesis = _connected(on_site)

    orders = synthesis["orders"]
    [own] = orders.resources("aws_security_group")
    out = orders.resource("aws_vpc_security_group_egress_rule", from_port=5432, to_port=5432)
    into = orders.resource("aws_vpc_security_group_ingress_rule", from_port=5432, to_port=5432)
    assert out["security_group_id"] == into["referenced_security_group_id"] == f"${{{own}.id}}"
    assert out["referenced_security_group_id"] == into["security_group_id"]
    synthesis["data"].has_no_resource("aws_vpc_security_group_ingress_rule")


def test_connecting_to_a_database_gives_its_address_and_the_right_to_read_its_secret(
    on_site: OnSite,
) -> None:
    orders = _connected(on_site)["orders"]

    variables = _environment(orders)
    statements = _statements(orders, "use-orders-permissions")
    assert variables.keys() == {"DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME", "DATABASE_SECRET_ARN"}
    assert (variables["DATABASE_PORT"], variables["DATABASE_NAME"]) == ("5432", "orders")
    assert statements["ReadSecret"]["resources"] == [variables["DATABASE_SECRET_ARN"]]
    assert statements["DecryptSecret"]["condition"][0]["values"] == ["secretsmanager.eu-west-1.amazonaws.com"]
    assert "rds-db:connect" not in json.dumps(orders.configuration)


def test_logging_in_as_a_user_of_its_own_gives_no_right_to_the_administrators_secret(
    on_site: OnSite,
) -> None:
    orders = _connected(on_site, user="orders_app", prefix="ORDERS")["orders"]

    statements = _statements(orders, "use-orders-permissions")
    assert _environment(orders)["ORDERS_USER"] == "orders_app"
    assert set(statements) == {"LogIn"}
    [resource] = statements["LogIn"]["resources"]
    assert resource.startswith("arn:aws:rds-db:eu-west-1:210987654321:dbuser:${")
    assert resource.endswith("}/orders_app")


def test_connecting_twice_is_refused(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        service, database = site.service(), site.database()
        service.connect_to(database)
        service.connect_to(database)

    with pytest.raises(ConstructError, match="api is connected to orders on port 5432 already"):
        on_site(build)


def test_a_variable_that_is_set_already_is_not_overwritten_by_a_connection(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        site.service(environment={"DATABASE_HOST": "elsewhere"}).connect_to(site.database())

    with pytest.raises(ConstructError, match="DATABASE_HOST of api are set already; pass another prefix"):
        on_site(build)
