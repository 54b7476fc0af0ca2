import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.synth.conftest import IMAGE, Site

from holdfast_constructs import (
    BacklogScale,
    ConstructError,
    Image,
    Queue,
    Scale,
    ScheduledScale,
    ServiceStack,
    WebService,
    Worker,
)
from holdfast_constructs.testing import Synthesis, Template, sample_target

OnSite = Callable[..., Synthesis]


def _parcels(on_site: OnSite, **properties: Any) -> Template:
    return on_site(lambda site: site.worker(**properties))["parcels"]


def _container(parcels: Template) -> dict[str, Any]:
    [container] = json.loads(parcels.resource("aws_ecs_task_definition")["container_definitions"])
    assert isinstance(container, dict)
    return container


def _statements(parcels: Template, part: str) -> dict[str, Any]:
    [block] = [block for name, block in parcels.data("aws_iam_policy_document").items() if part in name]
    return {statement["sid"]: statement for statement in block["statement"]}


def _tracking(parcels: Template) -> dict[str, Any]:
    policy = parcels.resource("aws_appautoscaling_policy", policy_type="TargetTrackingScaling")
    tracking = policy["target_tracking_scaling_policy_configuration"]
    assert isinstance(tracking, dict)
    return tracking


def test_a_worker_needs_no_load_balancer_and_a_web_service_does(on_site: OnSite) -> None:
    def build(site: Site) -> None:
        stack = ServiceStack(site.app, "parcels", site.target)
        platform = replace(site.platform, gateway=None)
        Worker(
            stack,
            "sorter",
            platform=platform,
            image=IMAGE,
            queue=Queue(stack, "work"),
            scale=BacklogScale(1, 2),
        )
        with pytest.raises(ConstructError, match="platform of web service api has no load balancer"):
            WebService(
                stack,
                "api",
                platform=platform,
                image=IMAGE,
                port=80,
                health="/",
                host="api.example.com",
                scale=Scale(2, 2),
            )

    on_site(build)["parcels"].has_resource("aws_ecs_service", name="parcels-sorter")


def test_nobody_calls_a_worker(on_site: OnSite) -> None:
    parcels = _parcels(on_site)

    service = parcels.resource("aws_ecs_service", enable_execute_command=False)
    assert "load_balancer" not in service
    assert "health_check_grace_period_seconds" not in service
    assert "portMappings" not in _container(parcels)
    parcels.has_no_resource("aws_lb_target_group")
    parcels.has_no_resource("aws_vpc_security_group_ingress_rule")


def test_it_is_hardened_and_undone_as_a_service_is(on_site: OnSite) -> None:
    parcels = _parcels(on_site)

    assert _container(parcels)["readonlyRootFilesystem"] is True
    assert _container(parcels)["user"] == "65532"
    parcels.has_resource(
        "aws_ecs_service",
        deployment_circuit_breaker={"enable": True, "rollback": True},
        deployment_minimum_healthy_percent=100,
        network_configuration={"assign_public_ip": False},
        lifecycle={"ignore_changes": ["desired_count"]},
    )


def test_it_has_two_minutes_for_the_message_in_its_hands(on_site: OnSite) -> None:
    assert _container(_parcels(on_site))["stopTimeout"] == 120


def test_it_may_take_messages_of_its_queue_and_knows_where_it_is(on_site: OnSite) -> None:
    parcels = _parcels(on_site)

    consume = _statements(parcels, "consume-permissions")["Consume"]
    assert consume["resources"] == ["arn:aws:sqs:eu-west-1:210987654321:jobs"]
    assert "sqs:SendMessage" not in consume["actions"]
    assert {each["name"] for each in _container(parcels)["environment"]} == {"QUEUE_URL"}
    [policy] = [name for name in parcels.resources("aws_iam_role_policy") if "consume" in name]
    assert policy in parcels.resource("aws_ecs_service")["depends_on"]


def test_a_queue_that_grants_is_asked_to(on_site: OnSite) -> None:
    asked: list[str] = []

    def build(site: Any) -> None:
        queue = SimpleNamespace(
            **vars(site.queue()), grant_consume=lambda grantee: asked.append(grantee.name)
        )
        site.worker(queue=queue)

    parcels = on_site(build)["parcels"]

    assert asked == ["labels"]
    assert "sqs:ReceiveMessage" not in json.dumps(parcels.configuration)


def test_it_grows_by_the_messages_that_wait_for_each_task(on_site: OnSite) -> None:
    parcels = _parcels(on_site, scale=BacklogScale(2, 40, backlog_per_task=25))

    tracking = _tracking(parcels)
    assert tracking["target_value"] == 25
    entries = {entry["id"]: entry for entry in tracking["customized_metric_specification"]["metrics"]}
    assert entries["backlog"]["expression"] == "visible / IF(FILL(running, 0) > 0, FILL(running, 0), 1)"
    assert [entry["id"] for entry in entries.values() if entry["return_data"]] == ["backlog"]
    visible, running = (entries[name]["metric_stat"]["metric"] for name in ("visible", "running"))
    assert visible["dimensions"] == [{"name": "QueueName", "value": "jobs"}]
    assert (running["namespace"], running["metric_name"]) == ("ECS/ContainerInsights", "RunningTaskCount")
    parcels.has_resource("aws_appautoscaling_target", min_capacity=2, max_capacity=40)
    parcels.has_no_resource("aws_cloudwatch_metric_alarm")


def test_the_first_task_is_started_by_an_alarm_where_none_may_run(on_site: OnSite) -> None:
    staging = sample_target(environment="staging", production=False)

    parcels = on_site(lambda site: site.worker(scale=BacklogScale(0, 4)), target=staging)["parcels"]

    step = parcels.resource("aws_appautoscaling_policy", policy_type="StepScaling")
    steps = step["step_scaling_policy_configuration"]
    assert (steps["adjustment_type"], steps["step_adjustment"][0]["scaling_adjustment"]) == (
        "ChangeInCapacity",
        1,
    )
    alarm = parcels.resource("aws_cloudwatch_metric_alarm", treat_missing_data="notBreaching", threshold=0)
    # CloudWatch has one alarm of a name in an account and region, and puts a second in its place.
    assert alarm["alarm_name"] == "parcels-staging-labels-waiting"
    assert {query["id"] for query in alarm["metric_query"]} == {"visible", "running", "waiting"}
    # Only where nobody runs: it must not add a task to those that work.
    [waiting] = [query for query in alarm["metric_query"] if query["return_data"]]
    assert waiting["expression"] == "IF(FILL(running, 0) < 1, visible, 0)"
    parcels.has_resource("aws_ecs_service", desired_count=0)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (
            {"scale": BacklogScale(0, 2)},
            "min_tasks of labels in prod must be at least 1, got 0; without a task",
        ),
        (
            {
                "scale": BacklogScale(
                    1, 2, schedules=[ScheduledScale(name="n", at="rate(1 day)", min_tasks=0, max_tasks=1)]
                )
            },
            "min_tasks of labels in prod must be at least 1",
        ),
        ({"image": Image.tag("labels:1")}, "image in prod must be given by digest"),
        ({"stop_seconds": 1}, "stop_seconds must be 2 to 120"),
        ({"environment": {"QUEUE_URL": "x"}}, "QUEUE_URL of labels are set already"),
        ({"spot_share": 200}, "spot_share must be 0-100"),
    ],
)
def test_what_would_not_hold_is_refused(on_site: OnSite, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        _parcels(on_site, **properties)


def test_all_of_a_worker_may_be_on_spot(on_site: OnSite) -> None:
    parcels = _parcels(on_site, spot_share=100)

    parcels.has_resource(
        "aws_ecs_service", capacity_provider_strategy=[{"capacity_provider": "FARGATE_SPOT", "weight": 1}]
    )


def test_a_database_is_connected_as_to_a_service(on_site: OnSite) -> None:
    parcels = on_site(lambda site: site.worker().connect_to(site.database(), user="labels"))["parcels"]

    assert "DATABASE_USER" in {each["name"] for each in _container(parcels)["environment"]}
    parcels.has_resource("aws_vpc_security_group_ingress_rule", from_port=5432)
    parcels.has_resource("aws_vpc_security_group_egress_rule", from_port=5432)


def test_its_rollout_is_checked_after_a_deploy(on_site: OnSite) -> None:
    synthesis = on_site(lambda site: site.worker())

    [check] = synthesis.manifest["shards"]["parcels-prod-eu-west-1"]["health_checks"]
    assert (check["kind"], check["service"]) == ("ecs_service_steady", "parcels-labels")
