"""RDS Proxy in front of a database: who comes in, who is let through, and with which secret."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, Key, Postgres, ServiceStack
from holdfast_constructs.testing import Synthesis

ORDERS = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:orders-a1b2c3"
OnSite = Callable[..., Synthesis]


def _built(
    on_site: OnSite, *, user: str | None = None, connected: bool = True, **properties: Any
) -> Synthesis:
    def build(site: Any) -> None:
        data = ServiceStack(site.app, "data", site.target)
        database = Postgres(
            data,
            "orders",
            network=site.platform.network,
            key=Key(data, "key", purpose="data"),
            logs_key=site.platform.logs_key,
            instance_class="db.r6g.large",
            storage_gib=100,
            multi_az=True,
            backup_days=14,
            pooler=True,
            **properties,
        )
        if connected:
            site.service().connect_to(database, user=user)

    return on_site(build)


def test_the_pooler_takes_tls_and_tokens_only(on_site: OnSite) -> None:
    data = _built(on_site, connected=False)["data"]

    proxy = data.resource("aws_db_proxy", engine_family="POSTGRESQL", require_tls=True)
    [auth] = proxy["auth"]
    assert (auth["auth_scheme"], auth["iam_auth"]) == ("SECRETS", "REQUIRED")
    assert "master_user_secret[0].secret_arn" in auth["secret_arn"]
    assert all("isolated" in subnet for subnet in proxy["vpc_subnet_ids"])
    data.has_resource("aws_db_proxy_target", target_group_name="default")
    data.has_resource("aws_cloudwatch_log_group", name="/aws/rds/proxy/data-prod-orders-pooler")


def test_only_the_pooler_and_nobody_else_reaches_the_instance(on_site: OnSite) -> None:
    synthesis = _built(on_site)

    [rule] = synthesis["data"].resources("aws_vpc_security_group_ingress_rule").values()
    assert "orders_security-group" in rule["security_group_id"]
    assert "orders_pooler_security-group" in rule["referenced_security_group_id"]
    into = [
        each
        for each in synthesis["orders"].resources("aws_vpc_security_group_ingress_rule").values()
        if "data" in each["security_group_id"]
    ]
    assert ["pooler" in each["security_group_id"] for each in into] == [True]


def test_the_administrator_s_secret_is_read_with_its_own_key_only(on_site: OnSite) -> None:
    data = _built(on_site, connected=False)["data"]

    [statements] = [
        block["statement"]
        for address, block in data.data("aws_iam_policy_document").items()
        if "pooler_permissions" in address
    ]
    assert [statement["sid"] for statement in statements] == ["ReadSecrets", "DecryptSecrets"]
    [key] = statements[1]["resources"]
    assert key.startswith("${aws_kms_key.key_")


@pytest.mark.parametrize(("user", "expected"), [(None, "app_admin"), ("orders", "orders")])
def test_a_service_gets_the_pooler_s_address_and_may_log_in_as_one_user(
    on_site: OnSite, user: str | None, expected: str
) -> None:
    orders = _built(on_site, user=user, pooled_users={"orders": ORDERS})["orders"]

    text = orders.resource("aws_ecs_task_definition")["container_definitions"]
    assert f'"DATABASE_USER","value":"{expected}"' in text.replace("\\", "")
    assert "aws_db_proxy" in text
    assert "DATABASE_SECRET_ARN" not in text
    [document] = [
        block for address, block in orders.data("aws_iam_policy_document").items() if "use-orders" in address
    ]
    [statement] = document["statement"]
    assert statement["actions"] == ["rds-db:connect"]
    [resource] = statement["resources"]
    assert resource.startswith("arn:aws:rds-db:eu-west-1:210987654321:dbuser:${element(split(")
    assert resource.endswith(f"/{expected}")


def test_a_user_that_the_pooler_has_no_secret_of_is_refused(on_site: OnSite) -> None:
    with pytest.raises(
        ConstructError, match=r"the pooler of orders cannot log in as reports.*pooled_users=\{"
    ):
        _built(on_site, user="reports")


@pytest.mark.parametrize(
    ("pooler", "users", "message"),
    [
        (False, {"orders": ORDERS}, "pooled_users must be left out without pooler=True"),
        (True, {"orders": "hunter2"}, r"pooled_users\['orders'\] must be the ARN of a secret"),
        (True, {"pg_orders": ORDERS}, "user must be a name without pg_"),
    ],
)
def test_pooled_users_that_cannot_be_are_refused(
    on_site: OnSite, *, pooler: bool, users: dict[str, str], message: str
) -> None:
    def build(site: Any) -> None:
        data = ServiceStack(site.app, "data", site.target)
        Postgres(
            data,
            "orders",
            network=site.platform.network,
            key=site.platform.logs_key,
            logs_key=site.platform.logs_key,
            instance_class="db.r6g.large",
            storage_gib=100,
            multi_az=True,
            backup_days=14,
            pooler=pooler,
            pooled_users=users,
        )

    with pytest.raises(ConstructError, match=message) as refused:
        on_site(build)

    assert "hunter2" not in str(refused.value)


IMPORTED: dict[str, Any] = {"host": "db.internal", "security_group_id": "sg-1", "database": "orders"}


def test_a_service_connects_to_a_database_that_somebody_else_manages(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        service = site.service()
        given = IMPORTED | {"resource_id": "db-ABC", "port": 5433}
        service.connect_to(
            Postgres.import_(ServiceStack.of(service), "shared", **given), user="orders", prefix="SHARED"
        )

    orders = on_site(build)["orders"]

    orders.has_resource("aws_vpc_security_group_ingress_rule", security_group_id="sg-1", from_port=5433)
    text = orders.resource("aws_ecs_task_definition")["container_definitions"].replace("\\", "")
    assert '"SHARED_HOST","value":"db.internal"' in text
    assert "dbuser:db-ABC/orders" in str(orders.data("aws_iam_policy_document"))
    orders.has_no_resource("aws_db_instance")


@pytest.mark.parametrize(
    ("changes", "user", "message"),
    [
        (
            {"resource_id": "db-1"},
            None,
            "is imported without secret_arn.*pass secret_arn to Postgres.import_",
        ),
        ({"secret_arn": ORDERS}, "orders", "is imported without resource_id"),
        ({"security_group_id": "default"}, None, "security_group_id must be the id of a security group"),
        ({"host": "db:5432"}, None, "host must be a name without its port"),
        ({"port": 0}, None, "port must be 1-65535"),
    ],
)
def test_an_imported_database_that_lacks_what_a_client_needs_is_refused(
    on_site: OnSite, changes: dict[str, Any], user: str | None, message: str
) -> None:
    def build(site: Any) -> None:
        service = site.service()
        database = Postgres.import_(ServiceStack.of(service), "shared", **(IMPORTED | changes))
        service.connect_to(database, user=user)

    with pytest.raises(ConstructError, match=message):
        on_site(build)


def test_the_administrator_s_secret_of_an_imported_database_is_read_with_its_key(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        service = site.service()
        stack = ServiceStack.of(service)
        given = IMPORTED | {"secret_arn": ORDERS, "secret_key": Key.import_(stack, "key", arn=KEY)}
        service.connect_to(Postgres.import_(stack, "shared", **given))

    document = str(on_site(build)["orders"].data("aws_iam_policy_document"))

    assert ORDERS in document
    assert KEY in document


KEY = "arn:aws:kms:eu-west-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"
