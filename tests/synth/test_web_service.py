import json
from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, Image, Scale, ServiceStack, Size, Target
from holdfast_constructs.testing import Synthesis, Template, sample_target

OnSite = Callable[..., Synthesis]


def _serve(on_site: OnSite, *, target: Target | None = None, **properties: Any) -> Synthesis:
    return on_site(lambda site: site.service(**properties), target=target)


def _orders(on_site: OnSite, **properties: Any) -> Template:
    return _serve(on_site, **properties)["orders"]


def _container(orders: Template) -> dict[str, Any]:
    [container] = json.loads(orders.resource("aws_ecs_task_definition")["container_definitions"])
    assert isinstance(container, dict)
    return container


def test_a_bad_deploy_is_undone_before_an_old_task_goes(on_site: OnSite) -> None:
    orders = _orders(on_site)

    orders.has_resource(
        "aws_ecs_service",
        deployment_circuit_breaker={"enable": True, "rollback": True},
        deployment_minimum_healthy_percent=100,
        deployment_maximum_percent=200,
        health_check_grace_period_seconds=60,
        availability_zone_rebalancing="ENABLED",
    )


def test_tasks_are_private_and_nobody_gets_a_shell_in_them(on_site: OnSite) -> None:
    orders = _orders(on_site)

    service = orders.resource("aws_ecs_service", enable_execute_command=False, launch_type="FARGATE")

    placed = service["network_configuration"]
    assert placed["assign_public_ip"] is False
    assert all("private-" in subnet for subnet in placed["subnets"])
    assert len(placed["subnets"]) == 2


def test_the_task_is_hardened(on_site: OnSite) -> None:
    orders = _orders(on_site, size=Size(512, 1024), image=Image.digest("web@sha256:" + "1" * 64))

    task = orders.resource(
        "aws_ecs_task_definition",
        cpu="512",
        memory="1024",
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        volume=[{"name": "tmp"}],
    )
    container = _container(orders)
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "65532"
    assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert container["image"] == "web@sha256:" + "1" * 64
    assert task["execution_role_arn"] != task["task_role_arn"]


def test_the_revision_a_rollback_goes_back_to_stays_registered(on_site: OnSite) -> None:
    orders = _orders(on_site)

    orders.has_resource(
        "aws_ecs_task_definition", skip_destroy=True, lifecycle={"create_before_destroy": True}
    )


def test_where_nothing_is_kept_no_revision_stays(on_site: OnSite) -> None:
    orders = _serve(on_site, target=sample_target(production=False, delete_protection=False))["orders"]

    orders.has_resource("aws_ecs_task_definition", skip_destroy=False)


def test_its_log_is_encrypted_and_kept(on_site: OnSite) -> None:
    orders = _orders(on_site)

    group = orders.resource(
        "aws_cloudwatch_log_group", name="/holdfast/prod/orders/api", retention_in_days=365
    )

    assert "aws_kms_keylogs" in group["kms_key_id"]


def test_targets_are_addresses_checked_on_the_path_given(on_site: OnSite) -> None:
    orders = _orders(on_site, health="/ready?deep=1")

    group = orders.resource("aws_lb_target_group")

    assert group["target_type"] == "ip"
    assert group["health_check"]["path"] == "/ready?deep=1"
    assert group["health_check"]["matcher"] == "200-299"
    assert group["name_prefix"] == "api-"
    assert group["lifecycle"] == {"create_before_destroy": True}


def test_a_task_gets_longer_to_stop_than_its_requests_to_finish(on_site: OnSite) -> None:
    orders = _orders(on_site)

    drained = int(orders.resource("aws_lb_target_group")["deregistration_delay"])

    assert drained == 30
    assert _container(orders)["stopTimeout"] >= drained


def test_its_host_leads_to_it(on_site: OnSite) -> None:
    orders = _orders(on_site)

    [group] = orders.resources("aws_lb_target_group")
    orders.has_resource(
        "aws_lb_listener_rule",
        condition=[{"host_header": {"values": ["orders.example.com"]}}],
        action=[{"type": "forward", "target_group_arn": f"${{{group}.arn}}"}],
        priority=37459,
    )


def test_a_given_priority_is_taken(on_site: OnSite) -> None:
    orders = _orders(on_site, priority=7)

    orders.has_resource("aws_lb_listener_rule", priority=7)


def test_two_services_may_not_claim_one_host(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        site.service()
        site.service(ServiceStack(site.app, "storefront", site.target))

    with pytest.raises(ConstructError, match=r"'orders\.example\.com' is claimed by orders-.*/api and by "):
        on_site(build)


def test_autoscaling_decides_how_many_run_after_the_first_deploy(on_site: OnSite) -> None:
    orders = _orders(on_site, scale=Scale(3, 12, cpu_percent=55))

    orders.has_resource("aws_ecs_service", desired_count=3, lifecycle={"ignore_changes": ["desired_count"]})
    orders.has_resource("aws_appautoscaling_target", min_capacity=3, max_capacity=12)
    policy = orders.resource("aws_appautoscaling_policy", policy_type="TargetTrackingScaling")
    assert policy["target_tracking_scaling_policy_configuration"] == {
        "predefined_metric_specification": {"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
        "target_value": 55,
        "scale_in_cooldown": 300,
        "scale_out_cooldown": 60,
    }


def test_it_also_scales_by_requests_where_asked_to(on_site: OnSite) -> None:
    orders = _orders(on_site, scale=Scale(2, 4, requests_per_task=500))

    policies = [
        block["target_tracking_scaling_policy_configuration"]
        for block in orders.resources("aws_appautoscaling_policy").values()
    ]

    [requests] = [policy for policy in policies if policy["target_value"] == 500]
    metric = requests["predefined_metric_specification"]
    assert metric["predefined_metric_type"] == "ALBRequestCountPerTarget"
    assert metric["resource_label"].count(".arn_suffix") + metric["resource_label"].count("arn_suffix}") >= 2


def test_what_to_check_after_a_deploy_is_recorded(on_site: OnSite) -> None:
    synthesis = _serve(on_site)

    steady, targets = synthesis.manifest["shards"]["orders-prod-eu-west-1"]["health_checks"]
    outputs = synthesis["orders"].configuration["output"]
    assert steady["kind"] == "ecs_service_steady"
    assert steady["service"] == "orders-api"
    assert steady["cluster"]["output"] in outputs
    assert targets["kind"] == "alb_targets_healthy"
    assert targets["target_group_arn"]["output"] in outputs


def test_two_services_of_a_stack_stand_beside_each_other(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        stack = ServiceStack(site.app, "orders", site.target)
        site.service(stack)
        site.service(stack, "admin", host="admin.example.com")

    orders = on_site(build)["orders"]

    names = {block["name"] for block in orders.resources("aws_ecs_service").values()}
    assert names == {"orders-api", "orders-admin"}


def test_it_knows_where_it_answers(on_site: OnSite) -> None:
    urls: list[str] = []

    on_site(lambda site: urls.append(site.service().url))

    assert urls == ["https://orders.example.com"]


def test_the_same_properties_give_the_same_bytes(on_site: OnSite) -> None:
    one, other = (
        _serve(on_site, environment={"A": "1", "B": "2"}).outdir,
        _serve(on_site, environment={"B": "2", "A": "1"}).outdir,
    )

    stack = "stacks/orders-prod-eu-west-1/cdk.tf.json"
    assert (one / stack).read_bytes() == (other / stack).read_bytes()


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"image": Image.tag("web:1")}, r"image in prod must be given by digest, got 'web:1'"),
        ({"scale": Scale(1, 4)}, "min_tasks in prod must be at least 2, got 1"),
        ({"port": 0}, "port must be 1-65535, got 0"),
        ({"health": "healthz"}, "health must be a path that begins with '/'"),
        ({"health": "/" + "a" * 1024}, "health must be a path"),
        ({"host": "orders.example.org"}, r"host must be a lower-case name one level below example\.com"),
        ({"host": "a.orders.example.com"}, "host must be a lower-case name one level below"),
        ({"host": "*.orders.example.com"}, "host must be"),
        ({"host": "*"}, "host must be"),
        ({"host": "Orders.example.com"}, "host must be"),
        ({"user": "root"}, "user must be a user that is not root"),
        ({"stop_seconds": 10}, "stop_seconds must be 30"),
        ({"environment": {"API_TOKEN": "x"}}, "API_TOKEN is called like a secret"),
        ({"secrets": {"STRIPE": "hunter2"}}, r"secrets\['STRIPE'\] must be the ARN"),
        ({"priority": 0}, "priority must be 1-50000"),
    ],
)
def test_what_would_not_hold_is_refused(on_site: OnSite, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        _orders(on_site, **properties)


def test_outside_production_a_tag_and_a_single_task_will_do(on_site: OnSite) -> None:
    staging = sample_target(environment="staging", production=False)

    orders = _orders(on_site, target=staging, image=Image.tag("web:1"), scale=Scale(1, 2))

    assert _container(orders)["image"] == "web:1"
    orders.has_resource("aws_ecs_service", desired_count=1)
