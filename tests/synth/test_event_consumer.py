import json
from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import BacklogScale, ConstructError, EventConsumer, Image, ServiceStack
from holdfast_constructs.testing import Synthesis, Template

OnSite = Callable[..., Synthesis]
IMAGE = Image.digest("parcels@sha256:" + "5" * 64)
UPLOADED = {
    "source": ["aws.s3"],
    "detail-type": ["Object Created"],
    "detail": {"bucket": {"name": ["labels"]}},
}
RULE = "arn:aws:events:eu-west-1:210987654321:rule/parcels-prod-uploads"


def _consumer(site: Any, **properties: Any) -> EventConsumer:
    given: dict[str, Any] = {"image": IMAGE, "pattern": UPLOADED, "scale": BacklogScale(1, 4)}
    stack = ServiceStack(site.app, "parcels", site.target)
    return EventConsumer(stack, "uploads", platform=site.platform, **(given | properties))


def _parcels(on_site: OnSite, **properties: Any) -> Template:
    return on_site(lambda site: _consumer(site, **properties))["parcels"]


def _policies(parcels: Template) -> list[dict[str, Any]]:
    return [
        {statement["sid"]: statement for statement in block["statement"]}
        for block in parcels.data("aws_iam_policy_document").values()
        if any(statement["sid"] == "AllowRule" for statement in block["statement"])
    ]


def test_the_events_that_match_go_into_its_queue(on_site: OnSite) -> None:
    parcels = _parcels(on_site)

    rule = parcels.resource("aws_cloudwatch_event_rule", name="parcels-prod-uploads")
    assert json.loads(rule["event_pattern"]) == UPLOADED
    target = parcels.resource("aws_cloudwatch_event_target")
    assert "uploads-events_queue" in target["arn"]
    assert "uploads-events_dead-letter" in target["dead_letter_config"]["arn"]
    assert target["retry_policy"] == {
        "maximum_event_age_in_seconds": 86_400,
        "maximum_retry_attempts": 185,
    }


def test_only_its_rule_puts_messages_in_and_only_over_tls(on_site: OnSite) -> None:
    policies = _policies(_parcels(on_site))

    assert len(policies) == 2
    for policy in policies:
        [source] = policy["AllowRule"]["condition"]
        assert (source["variable"], source["values"]) == ("aws:SourceArn", [RULE])
        assert policy["AllowRule"]["principals"][0]["identifiers"] == ["events.amazonaws.com"]
        assert policy["EncryptedTransportOnly"]["effect"] == "Deny"


def test_the_rule_of_another_bus_has_another_arn(on_site: OnSite) -> None:
    parcels = _parcels(on_site, bus_name="orders")

    parcels.has_resource("aws_cloudwatch_event_rule", event_bus_name="orders")
    [source] = _policies(parcels)[0]["AllowRule"]["condition"]
    assert source["values"] == [RULE.replace("rule/", "rule/orders/")]


def test_what_cannot_be_handled_is_kept_and_everything_is_encrypted(on_site: OnSite) -> None:
    parcels = _parcels(on_site, visibility_seconds=600, max_receives=3)

    queue = parcels.resource("aws_sqs_queue", visibility_timeout_seconds=600, delay_seconds=0)
    assert "maxReceiveCount" in queue["redrive_policy"]
    assert "3" in queue["redrive_policy"]
    assert all(
        block["sqs_managed_sse_enabled"] is True for block in parcels.resources("aws_sqs_queue").values()
    )
    parcels.has_resource("aws_sqs_queue", message_retention_seconds=14 * 86_400)


def test_its_worker_takes_them_and_is_connected_and_granted_to(on_site: OnSite) -> None:
    parcels = on_site(lambda site: _consumer(site).connect_to(site.database(), user="uploads"))["parcels"]

    [container] = json.loads(parcels.resource("aws_ecs_task_definition")["container_definitions"])
    assert {"QUEUE_URL", "DATABASE_USER"} <= {each["name"] for each in container["environment"]}
    tracked = json.dumps(parcels.resource("aws_appautoscaling_policy"))
    assert "parcels-prod-uploads-events" in tracked
    parcels.has_resource("aws_iam_role_policy", name="use-orders")


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"pattern": {}}, "pattern must be at least one field"),
        ({"pattern": {"bucket": ["a"]}}, "pattern has the field 'bucket'; events have"),
        ({"pattern": {"source": "aws.s3"}}, r"pattern\['source'\] must be a list of what it may be"),
        ({"pattern": {"detail": {"a": []}}}, r"pattern\['detail'\]\['a'\] must be a list"),
        (
            {"visibility_seconds": 60},
            "visibility_seconds of the queue of uploads must be at least its stop_seconds, 120",
        ),
        ({"max_receives": 0}, "max_receives must be 1-1,000"),
        ({"scale": BacklogScale(0, 1)}, "min_tasks of uploads in prod must be at least 1"),
        ({"image": Image.tag("parcels:1")}, "image in prod must be given by digest"),
    ],
)
def test_what_would_not_hold_is_refused(on_site: OnSite, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        _parcels(on_site, **properties)
