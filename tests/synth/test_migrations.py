"""Migrations: a stack before that of the service, whose health check is a task that ends with 0."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.synth.conftest import IMAGE

from holdfast_constructs import (
    ConstructError,
    Image,
    Key,
    Migrations,
    Postgres,
    Scale,
    ServiceStack,
    Size,
    WebService,
)
from holdfast_constructs.testing import Synthesis, Template

OnSite = Callable[..., Synthesis]
MIGRATE = Migrations(["python", "manage.py", "migrate"])
STACK = "orders-api-migrations-prod-eu-west-1"


def _container(template: Template) -> dict[str, Any]:
    [container] = json.loads(template.resource("aws_ecs_task_definition")["container_definitions"])
    assert isinstance(container, dict)
    return container


def _migrated(on_site: OnSite, migrations: Migrations = MIGRATE, **properties: Any) -> Synthesis:
    return on_site(lambda site: site.service(migrations=migrations, **properties))


def test_a_service_without_migrations_has_no_stack_before_it(on_site: OnSite) -> None:
    synthesis = on_site(lambda site: site.service())

    assert not [name for name in synthesis.templates if "migrations" in name]
    assert "precondition" not in synthesis["orders"].resource("aws_ecs_service")["lifecycle"]


def test_the_service_waits_for_its_migrations(on_site: OnSite) -> None:
    synthesis = _migrated(on_site)

    manifest = json.loads((synthesis.outdir / "manifest.json").read_bytes())
    assert STACK in manifest["stacks"]["orders-prod-eu-west-1"]["dependencies"]
    assert "orders-prod-eu-west-1" not in manifest["stacks"][STACK]["dependencies"]


def test_a_long_name_of_a_service_leaves_room_for_that_of_its_migrations(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        stack = ServiceStack(site.app, "s" * 50, site.target)
        WebService(
            stack,
            "Api" + "i" * 20,
            platform=site.platform,
            image=IMAGE,
            port=80,
            health="/",
            host="s.example.com",
            scale=Scale(2, 2),
            migrations=MIGRATE,
        )

    [name] = [name for name in on_site(build).manifest["shards"] if "migrations" in name]

    service = name.removesuffix("-prod-eu-west-1")
    assert (len(service), service.islower()) == (63, True)


def test_the_task_has_to_end_well_before_the_deploy_goes_on(on_site: OnSite) -> None:
    synthesis = _migrated(on_site, Migrations(["migrate"], timeout_minutes=5))

    [check] = synthesis.manifest["shards"][STACK]["health_checks"]
    outputs = synthesis[STACK].configuration["output"]
    assert (check["kind"], check["container"], check["window"]) == ("ecs_task_succeeds", "migrate", 300)
    assert all(
        check[field]["output"] in outputs
        for field in ("cluster", "task_definition", "subnets", "security_groups")
    )
    assert len(outputs[check["subnets"]["output"]]["value"]) == 2


def test_it_has_the_image_and_the_environment_of_the_service_and_nothing_listens(on_site: OnSite) -> None:
    synthesis = _migrated(on_site, environment={"LEVEL": "info"}, size=Size(512, 1024))

    service, migration = _container(synthesis["orders"]), _container(synthesis[STACK])
    assert migration["command"] == ["python", "manage.py", "migrate"]
    assert migration["image"] == service["image"]
    assert migration["environment"] == service["environment"]
    assert migration["readonlyRootFilesystem"] is True
    assert "portMappings" not in migration
    synthesis[STACK].has_resource("aws_ecs_task_definition", cpu="512", memory="1024")
    synthesis[STACK].has_no_resource("aws_ecs_service")


def test_what_is_given_replaces_what_the_service_has(on_site: OnSite) -> None:
    image = Image.digest("flyway/flyway@sha256:" + "4" * 64)
    migrations = Migrations(["migrate"], image=image, environment={"MODE": "all"}, size=Size(1024, 2048))

    synthesis = _migrated(on_site, migrations, environment={"LEVEL": "info"})

    migration = _container(synthesis[STACK])
    assert migration["image"] == image.reference
    assert migration["environment"] == [{"name": "MODE", "value": "all"}]
    synthesis[STACK].has_resource("aws_ecs_task_definition", cpu="1024")


def test_it_reaches_the_database_of_the_service_with_rights_of_its_own(on_site: OnSite) -> None:
    synthesis = on_site(
        lambda site: site.service(migrations=MIGRATE).connect_to(site.database(), user="orders")
    )

    migration = synthesis[STACK]
    assert {each["name"] for each in _container(migration)["environment"]} == {
        "DATABASE_HOST",
        "DATABASE_NAME",
        "DATABASE_PORT",
        "DATABASE_USER",
    }
    migration.has_resource("aws_vpc_security_group_egress_rule", from_port=5432)
    migration.has_resource("aws_iam_role_policy", name="use-orders")


def test_a_version_whose_migrations_were_left_out_is_held_back(on_site: OnSite) -> None:
    synthesis = _migrated(on_site)

    [condition] = synthesis["orders"].resource("aws_ecs_service")["lifecycle"]["precondition"]
    image = _container(synthesis["orders"])["image"]
    assert f'"{image}"' in condition["condition"]
    assert "revision < 1" in condition["condition"]
    assert STACK in condition["error_message"]
    synthesis[STACK].has_resource("terraform_data", input={"image": image})


def test_a_worker_has_migrations_too(on_site: OnSite) -> None:
    synthesis = on_site(lambda site: site.worker(migrations=MIGRATE))

    assert _container(synthesis["parcels-labels-migrations-prod-eu-west-1"])["name"] == "migrate"


def test_a_database_in_the_stack_of_the_service_is_refused(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        service = site.service(migrations=MIGRATE)
        stack = ServiceStack.of(service)
        database = Postgres(
            stack,
            "sales",
            network=site.platform.network,
            key=Key(stack, "key", purpose="data"),
            logs_key=site.platform.logs_key,
            instance_class="db.r6g.large",
            storage_gib=100,
            multi_az=True,
            backup_days=14,
        )
        service.connect_to(database)

    with pytest.raises(ConstructError, match=r"would wait for each other: .*; put sales into a stack"):
        on_site(build)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Migrations([]), "command of Migrations must be a program with its arguments"),
        (lambda: Migrations(["a", ""]), "command of Migrations must be"),
        (lambda: Migrations(["a"], timeout_minutes=0), "timeout_minutes of Migrations must be 1-1440, got 0"),
        (lambda: Migrations(["a"], timeout_minutes=1441), "timeout_minutes of Migrations must be 1-1440"),
    ],
)
def test_what_would_not_hold_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        make()


def test_migrations_of_a_tag_are_refused_in_production(on_site: OnSite) -> None:
    with pytest.raises(ConstructError, match="image in prod must be given by digest"):
        _migrated(on_site, Migrations(["migrate"], image=Image.tag("flyway:10")))
