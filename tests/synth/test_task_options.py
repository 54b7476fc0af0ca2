import json
from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import (
    ConstructError,
    ContainerHealth,
    Image,
    Scale,
    ScheduledScale,
    Sidecar,
    TargetHealth,
)
from holdfast_constructs.security.access import Access
from holdfast_constructs.security.policy import Statement
from holdfast_constructs.testing import Synthesis, Template, sample_target

OnSite = Callable[..., Synthesis]
COLLECTOR = Image.digest("otel/collector@sha256:" + "2" * 64)
SECRET = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:otel-a1B2c3"


def _orders(on_site: OnSite, **properties: Any) -> Template:
    return on_site(lambda site: site.service(**properties))["orders"]


def _containers(orders: Template) -> dict[str, dict[str, Any]]:
    found = json.loads(orders.resource("aws_ecs_task_definition")["container_definitions"])
    return {container["name"]: container for container in found}


def _statements(orders: Template, part: str) -> dict[str, Any]:
    [block] = [block for name, block in orders.data("aws_iam_policy_document").items() if part in name]
    return {statement["sid"]: statement for statement in block["statement"]}


def test_what_is_not_chosen_is_not_written(on_site: OnSite) -> None:
    container = _containers(_orders(on_site))["api"]

    assert not {"command", "entryPoint", "healthCheck", "dependsOn"} & container.keys()


def test_a_command_replaces_that_of_the_image(on_site: OnSite) -> None:
    orders = _orders(on_site, command=["serve", "${PORT}"], entry_point=["/app/run"])

    container = _containers(orders)["api"]
    assert container["entryPoint"] == ["/app/run"]
    assert container["command"] == ["serve", "$${PORT}"]


def test_ecs_asks_inside_of_the_container(on_site: OnSite) -> None:
    orders = _orders(on_site, container_health=ContainerHealth(["/app/healthy"], start_seconds=20))

    assert _containers(orders)["api"]["healthCheck"] == {
        "command": ["CMD", "/app/healthy"],
        "interval": 30,
        "timeout": 5,
        "retries": 3,
        "startPeriod": 20,
    }


def test_the_load_balancer_asks_as_it_is_told_to(on_site: OnSite) -> None:
    health = TargetHealth(interval_seconds=30, timeout_seconds=10, unhealthy_after=5, codes="200,204")

    group = _orders(on_site, target_health=health).resource("aws_lb_target_group")

    assert group["health_check"] == {
        "path": "/healthz",
        "matcher": "200,204",
        "interval": 30,
        "timeout": 10,
        "healthy_threshold": 2,
        "unhealthy_threshold": 5,
    }


def test_the_default_of_the_load_balancers_check_is_what_is_written_without_it(on_site: OnSite) -> None:
    plain = _orders(on_site).resource("aws_lb_target_group")
    named = _orders(on_site, target_health=TargetHealth()).resource("aws_lb_target_group")

    assert plain["health_check"] == named["health_check"]


def test_requests_in_flight_get_the_time_that_was_asked_for(on_site: OnSite) -> None:
    orders = _orders(on_site, drain_seconds=90, stop_seconds=100)

    assert orders.resource("aws_lb_target_group")["deregistration_delay"] == "90"
    assert _containers(orders)["api"]["stopTimeout"] == 100


def test_an_image_for_arm_runs_on_arm(on_site: OnSite) -> None:
    _orders(on_site, architecture="ARM64").has_resource(
        "aws_ecs_task_definition", runtime_platform={"cpu_architecture": "ARM64"}
    )


def test_the_cluster_has_spot_and_uses_none_unless_a_service_says_so(on_site: OnSite) -> None:
    synthesis = on_site(lambda site: site.service())

    synthesis["edge"].has_resource(
        "aws_ecs_cluster_capacity_providers",
        capacity_providers=["FARGATE", "FARGATE_SPOT"],
        default_capacity_provider_strategy=[{"capacity_provider": "FARGATE", "weight": 1}],
    )
    service = synthesis["orders"].resource("aws_ecs_service", launch_type="FARGATE")
    assert "capacity_provider_strategy" not in service


def test_a_share_of_the_tasks_runs_on_spot_and_those_that_must_answer_do_not(on_site: OnSite) -> None:
    service = _orders(on_site, scale=Scale(4, 12), spot_share=75).resource("aws_ecs_service")

    assert service["capacity_provider_strategy"] == [
        {"capacity_provider": "FARGATE", "weight": 1, "base": 2},
        {"capacity_provider": "FARGATE_SPOT", "weight": 3},
    ]
    assert "launch_type" not in service
    assert service["force_new_deployment"] is True
    # The provider replaces a service that begins to use Spot: the new one is there before the old one goes.
    assert service["name"] == "orders-api-spot"
    assert service["lifecycle"]["create_before_destroy"] is True


def test_everything_may_be_on_spot_where_nothing_depends_on_it(on_site: OnSite) -> None:
    target = sample_target(environment="staging", production=False)

    orders = on_site(lambda site: site.service(spot_share=100), target=target)["orders"]

    assert orders.resource("aws_ecs_service")["capacity_provider_strategy"] == [
        {"capacity_provider": "FARGATE_SPOT", "weight": 1}
    ]


def test_a_sidecar_is_hardened_and_keeps_to_itself(on_site: OnSite) -> None:
    collector = Sidecar(
        name="otel", image=COLLECTOR, secrets={"OTEL_AUTH": SECRET}, writable_paths=["/var/otel"]
    )

    orders = _orders(on_site, sidecars=[collector])

    main, sidecar = _containers(orders)["api"], _containers(orders)["otel"]
    assert sidecar["readonlyRootFilesystem"] is True
    assert sidecar["user"] == "65532"
    assert sidecar["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert sidecar["essential"] is False
    assert sidecar["logConfiguration"]["options"]["awslogs-stream-prefix"] == "otel"
    assert "portMappings" not in sidecar
    volumes = {mount["sourceVolume"] for mount in sidecar["mountPoints"]}
    assert volumes == {"otel-tmp", "otel-var-otel"}
    assert not volumes & {mount["sourceVolume"] for mount in main["mountPoints"]}
    task = orders.resource("aws_ecs_task_definition")
    assert {volume["name"] for volume in task["volume"]} == {"tmp", *volumes}
    assert _statements(orders, "start-permissions")["FetchSecrets"]["resources"] == [SECRET]


def test_a_sidecar_survives_a_connection(on_site: OnSite) -> None:
    collector = Sidecar(name="otel", image=COLLECTOR)

    orders = on_site(lambda site: site.service(sidecars=[collector]).connect_to(site.database()))["orders"]

    containers = _containers(orders)
    assert containers.keys() == {"api", "otel"}
    assert "DATABASE_HOST" in {each["name"] for each in containers["api"]["environment"]}
    assert containers["otel"]["environment"] == []


def test_the_main_container_waits_for_a_sidecar_that_starts_first(on_site: OnSite) -> None:
    proxy = Sidecar(name="proxy", image=COLLECTOR, starts_first=True, health=ContainerHealth(["/ready"]))
    reloader = Sidecar(name="reloader", image=COLLECTOR, starts_first=True)

    containers = _containers(_orders(on_site, sidecars=[proxy, reloader]))

    assert containers["api"]["dependsOn"] == [
        {"containerName": "proxy", "condition": "HEALTHY"},
        {"containerName": "reloader", "condition": "START"},
    ]


def test_each_image_that_is_pulled_from_ecr_may_be_pulled(on_site: OnSite) -> None:
    image = Image.digest("210987654321.dkr.ecr.eu-west-1.amazonaws.com/tools/otel@sha256:" + "3" * 64)

    orders = _orders(on_site, sidecars=[Sidecar(name="otel", image=image)])

    assert _statements(orders, "start-permissions")["PullImage"]["resources"] == [
        "arn:aws:ecr:eu-west-1:210987654321:repository/orders",
        "arn:aws:ecr:eu-west-1:210987654321:repository/tools/otel",
    ]


def test_a_path_that_is_written_to_is_a_volume(on_site: OnSite) -> None:
    orders = _orders(on_site, writable_paths=["/var/cache/nginx", "/srv/app-data"])

    mounts = {
        mount["containerPath"]: mount["sourceVolume"] for mount in _containers(orders)["api"]["mountPoints"]
    }
    assert mounts["/tmp"] == "tmp"
    assert mounts["/var/cache/nginx"] == "var-cache-nginx"
    assert mounts["/srv/app-data"].startswith("srv-app-data-")
    task = orders.resource("aws_ecs_task_definition")
    assert [volume["name"] for volume in task["volume"]] == list(mounts.values())


def test_a_shell_is_recorded_and_works_on_a_file_system_that_is_read_only(on_site: OnSite) -> None:
    synthesis = on_site(lambda site: site.service(exec=True), shell=True)

    orders, edge = synthesis["orders"], synthesis["edge"]
    orders.has_resource("aws_ecs_service", enable_execute_command=True)
    container = _containers(orders)["api"]
    assert container["readonlyRootFilesystem"] is True
    assert {mount["containerPath"] for mount in container["mountPoints"]} == {
        "/tmp",
        "/managed-agents",
        "/var/lib/amazon/ssm",
        "/var/log/amazon/ssm",
    }
    rights = _statements(orders, "exec-permissions")
    assert rights["OpenSession"]["actions"] == [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ]
    assert rights["WriteAuditLog"]["resources"] != ["*"]
    assert rights["EncryptSession"]["resources"] != ["*"]
    session = edge.resource("aws_ecs_cluster")["configuration"]["execute_command_configuration"]
    assert session["logging"] == "OVERRIDE"
    assert session["log_configuration"]["cloud_watch_encryption_enabled"] is True
    assert "kms" in session["kms_key_id"]
    edge.has_resource("aws_cloudwatch_log_group", name="/holdfast/exec/edge-prod-main", retention_in_days=365)


def test_nobody_gets_a_shell_unless_it_is_asked_for(on_site: OnSite) -> None:
    orders = _orders(on_site)

    orders.has_resource("aws_ecs_service", enable_execute_command=False)
    assert "ssmmessages" not in json.dumps(orders.configuration)


def test_limits_change_at_the_times_that_are_named(on_site: OnSite) -> None:
    night = ScheduledScale(
        name="night", at="cron(0 20 ? * MON-FRI *)", min_tasks=2, max_tasks=3, timezone="Europe/Berlin"
    )

    orders = _orders(on_site, scale=Scale(4, 12, schedules=[night]))

    orders.has_resource(
        "aws_appautoscaling_scheduled_action",
        schedule="cron(0 20 ? * MON-FRI *)",
        timezone="Europe/Berlin",
        scalable_target_action={"min_capacity": "2", "max_capacity": "3"},
    )
    # What the schedule has set is not set back by the next deploy.
    orders.has_resource(
        "aws_appautoscaling_target", lifecycle={"ignore_changes": ["min_capacity", "max_capacity"]}
    )


class _Bucket:
    """The least that offers access and does not listen."""

    name, default_prefix = "labels", "BUCKET"

    def access_for(self, user: str | None) -> Access:
        assert user is None
        read = Statement(sid="Read", actions=("s3:GetObject",), resources=("arn:aws:s3:::labels/*",))
        return Access(environment={"NAME": "labels"}, statements=(read,))


def test_a_part_that_does_not_listen_is_connected_without_a_security_group(on_site: OnSite) -> None:
    orders = on_site(lambda site: site.service().connect_to(_Bucket()))["orders"]

    variables = {each["name"]: each["value"] for each in _containers(orders)["api"]["environment"]}
    assert variables == {"BUCKET_NAME": "labels"}
    assert _statements(orders, "use-labels")["Read"]["resources"] == ["arn:aws:s3:::labels/*"]
    assert len(orders.resources("aws_vpc_security_group_egress_rule")) == 2  # HTTPS, and the load balancer's


def test_a_port_of_a_part_that_does_not_listen_is_refused(on_site: OnSite) -> None:
    with pytest.raises(ConstructError, match="labels has no port, got 443; leave port out"):
        on_site(lambda site: site.service().connect_to(_Bucket(), port=443))
