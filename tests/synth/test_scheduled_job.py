import json
from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import ConstructError, Image, ServiceStack
from holdfast_constructs.testing import Synthesis, Template

OnSite = Callable[..., Synthesis]


def _parcels(on_site: OnSite, **properties: Any) -> Template:
    return on_site(lambda site: site.job(**properties))["parcels"]


def _statements(parcels: Template, part: str) -> dict[str, Any]:
    [block] = [block for name, block in parcels.data("aws_iam_policy_document").items() if part in name]
    return {statement["sid"]: statement for statement in block["statement"]}


def test_it_starts_one_task_at_its_times(on_site: OnSite) -> None:
    parcels = _parcels(on_site, timezone="Europe/Berlin", window_minutes=10)

    schedule = parcels.resource(
        "aws_scheduler_schedule",
        schedule_expression="cron(15 3 * * ? *)",
        schedule_expression_timezone="Europe/Berlin",
        state="ENABLED",
        flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": 10},
    )
    task = schedule["target"]["ecs_parameters"]
    assert (task["task_count"], task["launch_type"]) == (1, "FARGATE")
    assert task["network_configuration"]["assign_public_ip"] is False
    assert task["enable_execute_command"] is False
    # The revision that was deployed, so that a rollback brings the earlier one back.
    assert task["task_definition_arn"].endswith(".arn}")
    parcels.has_no_resource("aws_ecs_service")


def test_it_starts_on_time_unless_a_window_is_given(on_site: OnSite) -> None:
    schedule = _parcels(on_site).resource("aws_scheduler_schedule", schedule_expression_timezone="UTC")

    assert schedule["flexible_time_window"] == {"mode": "OFF"}


def test_a_start_that_fails_is_tried_again_and_then_kept(on_site: OnSite) -> None:
    parcels = _parcels(on_site, retries=3, max_age_seconds=600)

    [queue] = parcels.resources("aws_sqs_queue")
    target = parcels.resource("aws_scheduler_schedule")["target"]
    assert target["retry_policy"] == {"maximum_retry_attempts": 3, "maximum_event_age_in_seconds": 600}
    assert target["dead_letter_config"] == {"arn": f"${{{queue}.arn}}"}
    parcels.has_resource("aws_sqs_queue", sqs_managed_sse_enabled=True, message_retention_seconds=14 * 86_400)


def test_nobody_reads_the_starts_that_failed_without_tls_and_nothing_takes_them_away(on_site: OnSite) -> None:
    synthesis = on_site(lambda site: site.job())

    statements = _statements(synthesis["parcels"], "nightly_dead-letters-policy")
    [refused] = statements.values()
    assert (refused["effect"], refused["actions"]) == ("Deny", ["sqs:*"])
    [queue] = synthesis["parcels"].resources("aws_sqs_queue")
    assert queue in synthesis.manifest["shards"]["parcels-prod-eu-west-1"]["protected"]


def test_its_starter_may_start_this_task_on_this_cluster_and_nothing_else(on_site: OnSite) -> None:
    parcels = _parcels(on_site)

    statements = _statements(parcels, "nightly_start-permissions")
    assert set(statements) == {"Run", "Tag", "PassRoles", "GiveUp"}
    [task] = parcels.resources("aws_ecs_task_definition")
    assert statements["Run"]["resources"] == [f"${{{task}.arn_without_revision}}:*"]
    assert statements["Run"]["condition"][0]["variable"] == "ecs:cluster"
    assert statements["Tag"]["condition"][0]["values"] == ["RunTask"]
    assert statements["PassRoles"]["condition"][0]["values"] == ["ecs-tasks.amazonaws.com"]
    assert len(statements["PassRoles"]["resources"]) == 2
    assert all("*" not in statement["resources"] for statement in statements.values())


def test_only_the_schedules_of_this_stack_take_the_starters_role(on_site: OnSite) -> None:
    parcels = _parcels(on_site)

    trust = _statements(parcels, "starter-trust")["Assume"]
    conditions = {each["variable"]: each["values"] for each in trust["condition"]}
    assert trust["principals"] == [{"type": "Service", "identifiers": ["scheduler.amazonaws.com"]}]
    assert conditions["aws:SourceAccount"] == ["210987654321"]
    group = parcels.resource("aws_scheduler_schedule_group")["name"]
    assert conditions["aws:SourceArn"] == [f"arn:aws:scheduler:eu-west-1:210987654321:schedule-group/{group}"]


def test_the_jobs_of_a_stack_share_a_group(on_site: OnSite) -> None:
    def build(site: Any) -> None:
        stack = ServiceStack(site.app, "parcels", site.target)
        site.job(stack)
        site.job(stack, "hourly", schedule="rate(1 hour)")

    parcels = on_site(build)["parcels"]

    assert len(parcels.resources("aws_scheduler_schedule_group")) == 1
    names = {block["name"] for block in parcels.resources("aws_scheduler_schedule").values()}
    assert names == {"parcels-prod-nightly", "parcels-prod-hourly"}


def test_it_waits_for_its_rights(on_site: OnSite) -> None:
    parcels = on_site(lambda site: site.job().connect_to(site.database(), user="nightly"))["parcels"]

    waits_for = set(parcels.resource("aws_scheduler_schedule")["depends_on"])

    assert set(parcels.resources("aws_iam_role_policy")) <= waits_for
    assert len(parcels.resources("aws_iam_role_policy")) == 3
    [container] = json.loads(parcels.resource("aws_ecs_task_definition")["container_definitions"])
    assert "DATABASE_USER" in {each["name"] for each in container["environment"]}
    assert container["readonlyRootFilesystem"] is True


def test_it_may_run_on_spot(on_site: OnSite) -> None:
    task = _parcels(on_site, spot_share=100).resource("aws_scheduler_schedule")["target"]["ecs_parameters"]

    assert task["capacity_provider_strategy"] == [{"capacity_provider": "FARGATE_SPOT", "weight": 1}]
    assert "launch_type" not in task


def test_one_that_is_off_keeps_everything_and_starts_nothing(on_site: OnSite) -> None:
    _parcels(on_site, enabled=False).has_resource("aws_scheduler_schedule", state="DISABLED")


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"schedule": "0 3 * * *"}, r"schedule must be such as cron\(15 3"),
        ({"schedule": "cron(0 3 * * * *)"}, "schedule: one of day of month and day of week"),
        ({"timezone": "CEST+2"}, "timezone must be the name of a time zone"),
        ({"window_minutes": 1441}, "window_minutes must be 0-1440"),
        ({"retries": 186}, "retries must be 0-185"),
        ({"max_age_seconds": 59}, "max_age_seconds must be 60-86400"),
        ({"image": Image.tag("labels:1")}, "image in prod must be given by digest"),
        ({"exec": True}, "exec of nightly needs a cluster that records"),
        ({"command": [""]}, "command must be a list of words"),
        ({"user": "0"}, "user must be a user that is not root"),
    ],
)
def test_what_would_not_hold_is_refused(on_site: OnSite, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        _parcels(on_site, **properties)
