import json
from collections.abc import Callable
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.iam_role import IamRole
from tests.support.statements import conditions, granted, statements_of

from holdfast_constructs import HoldfastApp, Key, Queue, ServiceStack, Topic
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
EVENTS = "arn:aws:sns:eu-west-1:210987654321:shop-prod-events"


def _topic(app: HoldfastApp, service: str = "shop", **given: Any) -> Topic:
    stack = ServiceStack(app, service, sample_target())
    return Topic(stack, "events", key=Key(stack, "key", purpose="messages"), **given)


def _queue(app: HoldfastApp, **given: Any) -> Queue:
    stack = ServiceStack(app, "jobs", sample_target())
    return Queue(stack, "work", key=Key(stack, "key", purpose="messages"), **given)


def test_a_topic_is_encrypted_and_nobody_publishes_to_it_without_tls(synthesize: Synthesize) -> None:
    shop = synthesize(_topic)["shop"]

    [key] = shop.resources("aws_kms_key")
    topic = shop.resource("aws_sns_topic", name="shop-prod-events", signature_version=2)
    assert topic["kms_master_key_id"] == f"${{{key}.arn}}"
    refused = statements_of(shop, topic["policy"])["EncryptedTransportOnly"]
    assert (refused["effect"], refused["actions"]) == ("Deny", ["sns:Publish"])
    assert conditions(refused) == {"aws:SecureTransport": ["false"]}
    assert refused["resources"] == [EVENTS]


def test_a_subscription_opens_the_queue_to_this_topic_alone_from_the_stack_of_the_queue(
    synthesize: Synthesize,
) -> None:
    synthesis = synthesize(lambda app: _topic(app).subscribe(_queue(app), attributes={"kind": ["paid"]}))

    jobs = synthesis["jobs"]
    subscription = jobs.resource("aws_sns_topic_subscription", protocol="sqs", raw_message_delivery=True)
    assert json.loads(subscription["filter_policy"]) == {"kind": ["paid"]}
    for queue in jobs.resources("aws_sqs_queue").values():
        allowed = statements_of(jobs, queue["policy"])["AllowFromShopEventsTopic"]
        assert allowed["actions"] == ["sqs:SendMessage"]
        assert allowed["principals"] == [{"type": "Service", "identifiers": ["sns.amazonaws.com"]}]
        assert conditions(allowed) == {"aws:SourceArn": [EVENTS]}
    synthesis["shop"].has_no_resource("aws_sns_topic_subscription")


def test_what_cannot_be_delivered_goes_to_the_dead_letters(synthesize: Synthesize) -> None:
    jobs = synthesize(lambda app: _topic(app).subscribe(_queue(app)))["jobs"]

    [dead] = [name for name in jobs.resources("aws_sqs_queue") if "dead" in name]
    subscription = jobs.resource("aws_sns_topic_subscription")
    assert json.loads(subscription["redrive_policy"]) == {"deadLetterTargetArn": f"${{{dead}.arn}}"}


def test_the_key_of_a_queue_lets_sns_in(synthesize: Synthesize) -> None:
    jobs = synthesize(lambda app: _topic(app).subscribe(_queue(app)))["jobs"]

    statements = json.loads(jobs.resource("aws_kms_key")["policy"])["Statement"]
    [opened] = [each for each in statements if each["Sid"] == "ServicesToQueues"]
    assert "sns.amazonaws.com" in opened["Principal"]["Service"]


@pytest.mark.parametrize(
    ("service", "bound"), [("cloudwatch.amazonaws.com", True), ("events.amazonaws.com", False)]
)
def test_a_service_of_aws_publishes_for_this_account_where_it_says_for_which(
    synthesize: Synthesize, service: str, *, bound: bool
) -> None:
    source = "arn:aws:x:eu-west-1:210987654321:y"
    build = lambda app: _topic(app).allow_service("them", service, source_arn=source)  # noqa: E731

    shop = synthesize(build)["shop"]

    allowed = statements_of(shop, shop.resource("aws_sns_topic")["policy"])["AllowThem"]
    assert conditions(allowed) == {"aws:SourceArn": [source]} | (
        {"aws:SourceAccount": ["210987654321"]} if bound else {}
    )


def test_a_publisher_may_publish_and_use_the_key(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        topic = _topic(app)
        topic.grant_publish(IamRole(topic, "role", name="role", assume_role_policy="{}"))

    publisher = granted(synthesize(build)["shop"], "publish-to-shop-events-topic")

    assert publisher["Publish"]["actions"] == ["sns:Publish"]
    assert publisher["UseKey"]["actions"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert conditions(publisher["UseKey"]) == {"kms:ViaService": ["sns.eu-west-1.amazonaws.com"]}


def test_a_topic_that_keeps_the_order_feeds_queues_that_do(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        _topic(app, fifo=True, deduplicate_by_content=True).subscribe(_queue(app, fifo=True))

    synthesis = synthesize(build)

    synthesis["shop"].has_resource(
        "aws_sns_topic", name="shop-prod-events.fifo", fifo_topic=True, content_based_deduplication=True
    )
    synthesis["jobs"].has_resource("aws_sns_topic_subscription", protocol="sqs")


def test_a_topic_of_somebody_else_is_subscribed_to_by_its_arn(synthesize: Synthesize) -> None:
    arn = "arn:aws:sns:eu-west-1:111122223333:theirs"
    seen: list[Any] = []

    def build(app: HoldfastApp) -> None:
        theirs = Topic.import_(arn)
        theirs.subscribe(_queue(app))
        seen.append(theirs.access_for(None))

    jobs = synthesize(build)["jobs"]

    jobs.has_resource("aws_sns_topic_subscription", topic_arn=arn)
    assert seen[0].environment == {"ARN": arn}


def test_a_topic_whose_arn_is_known_later_may_keep_the_order(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        queue = Queue(ServiceStack(app, "jobs", sample_target()), "all", fifo=True)
        Topic.import_("${var.topic}", name="theirs").subscribe(queue)

    synthesize(build)["jobs"].has_resource("aws_sns_topic_subscription", topic_arn="${var.topic}")
