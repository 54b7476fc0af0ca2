import json
from collections.abc import Callable
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from tests.support.statements import conditions, granted, statements_of

from holdfast_constructs import HoldfastApp, Key, Queue, ServiceStack
from holdfast_constructs.testing import Synthesis, Template, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
JOBS = "arn:aws:sqs:eu-west-1:210987654321:jobs-prod-work"
THEIRS = "arn:aws:sqs:eu-west-1:111122223333:theirs"


def _stack(app: HoldfastApp, **changes: Any) -> ServiceStack:
    return ServiceStack(app, "jobs", sample_target(**changes))


def _synthesized(synthesize: Synthesize, *, target: dict[str, Any] | None = None, **given: Any) -> Template:
    return synthesize(lambda app: Queue(_stack(app, **target or {}), "work", **given))["jobs"]


def _role(stack: ServiceStack) -> IamRole:
    return IamRole(stack, "role", name="role", assume_role_policy="{}")


def _names(template: Template) -> list[str]:
    return sorted(queue["name"] for queue in template.resources("aws_sqs_queue").values())


def test_what_cannot_be_handled_goes_to_a_queue_of_its_own_and_stays_as_long_as_it_can(
    synthesize: Synthesize,
) -> None:
    jobs = _synthesized(synthesize, max_receives=3)

    [dead] = [name for name in jobs.resources("aws_sqs_queue") if "dead" in name]
    redrive = json.loads(jobs.resource("aws_sqs_queue", name="jobs-prod-work")["redrive_policy"])
    assert redrive == {"deadLetterTargetArn": f"${{{dead}.arn}}", "maxReceiveCount": 3}
    allowed = jobs.resource("aws_sqs_queue", name="jobs-prod-work-dead", message_retention_seconds=1_209_600)
    assert json.loads(allowed["redrive_allow_policy"]) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [JOBS],
    }


def test_policies_and_redrive_are_no_resources_of_their_own(synthesize: Synthesize) -> None:
    """The provider waits 25 seconds for each of them, one after another."""
    kinds = set(_synthesized(synthesize).configuration["resource"])

    assert kinds == {"aws_sqs_queue"}


def test_nobody_speaks_to_either_queue_without_tls(synthesize: Synthesize) -> None:
    jobs = _synthesized(synthesize)

    for queue in jobs.resources("aws_sqs_queue").values():
        statements = statements_of(jobs, queue["policy"])
        assert list(statements) == ["EncryptedTransportOnly"]
        refused = statements["EncryptedTransportOnly"]
        assert (refused["effect"], refused["actions"]) == ("Deny", ["sqs:*"])
        assert refused["principals"] == [{"type": "AWS", "identifiers": ["*"]}]
        assert conditions(refused) == {"aws:SecureTransport": ["false"]}
        assert refused["resources"] == [f"arn:aws:sqs:eu-west-1:210987654321:{queue['name']}"]


def test_both_queues_are_encrypted_without_a_key_of_ours_too(synthesize: Synthesize) -> None:
    jobs = _synthesized(synthesize)

    assert [queue["sqs_managed_sse_enabled"] for queue in jobs.resources("aws_sqs_queue").values()] == [
        True
    ] * 2


@pytest.mark.parametrize(
    "key",
    [
        lambda stack: Key(stack, "key", purpose="messages"),
        lambda stack: KmsKey(stack, "key"),
        lambda stack: "arn:aws:kms:eu-west-1:210987654321:key/1234",
    ],
    ids=["ours", "cdktf's", "ARN"],
)
def test_a_key_encrypts_both_queues(synthesize: Synthesize, key: Callable[[ServiceStack], Any]) -> None:
    def build(app: HoldfastApp) -> None:
        stack = _stack(app)
        Queue(stack, "work", key=key(stack))

    queues = synthesize(build)["jobs"].resources("aws_sqs_queue").values()

    [used] = {queue["kms_master_key_id"] for queue in queues}
    assert used.endswith((".arn}", ":key/1234"))
    assert not any("sqs_managed_sse_enabled" in queue for queue in queues)


def test_a_fifo_queue_has_fifo_dead_letters_and_both_names_say_so(synthesize: Synthesize) -> None:
    jobs = _synthesized(synthesize, fifo=True, deduplicate_by_content=True, high_throughput=True)

    assert _names(jobs) == ["jobs-prod-work-dead.fifo", "jobs-prod-work.fifo"]
    for queue in jobs.resources("aws_sqs_queue").values():
        assert (queue["fifo_queue"], queue["content_based_deduplication"]) == (True, True)
        assert (queue["deduplication_scope"], queue["fifo_throughput_limit"]) == (
            "messageGroup",
            "perMessageGroupId",
        )


def test_a_long_name_is_within_what_sqs_allows_with_its_suffix(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        Queue(_stack(app), "work-" * 15 + "x", fifo=True)

    names = _names(synthesize(build)["jobs"])

    assert all(len(name) <= 80 and name.endswith(".fifo") for name in names)
    assert len(set(names)) == 2


@pytest.mark.parametrize(("kept", "number"), [(True, 2), (False, 0)])
def test_both_queues_are_protected_where_data_is_kept(
    synthesize: Synthesize, *, kept: bool, number: int
) -> None:
    synthesis = synthesize(lambda app: Queue(_stack(app, delete_protection=kept, production=kept), "work"))

    (shard,) = synthesis.manifest["shards"].values()
    assert len(shard["protected"]) == number


def test_a_sender_may_send_and_a_consumer_consume_and_neither_more(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = _stack(app)
        queue = Queue(stack, "work", key=Key(stack, "key", purpose="messages"))
        role = _role(stack)
        queue.grant_send(role)
        queue.grant_consume(role)
        queue.dead_letter.grant_consume(role)

    jobs = synthesize(build)["jobs"]

    sender, consumer = granted(jobs, "send-to-jobs-work-queue"), granted(jobs, "consume-jobs-work-queue")
    assert sender["Send"]["actions"] == ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
    assert consumer["Consume"]["actions"] == [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
    ]
    [queue] = [name for name in jobs.resources("aws_sqs_queue") if "dead" not in name]
    assert sender["Send"]["resources"] == consumer["Consume"]["resources"] == [f"${{{queue}.arn}}"]
    assert sender["UseKey"]["actions"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert consumer["UseKey"]["actions"] == ["kms:Decrypt"]
    assert conditions(consumer["UseKey"]) == {"kms:ViaService": ["sqs.eu-west-1.amazonaws.com"]}
    [dead] = [name for name in jobs.resources("aws_sqs_queue") if "dead" in name]
    assert granted(jobs, "consume-jobs-work-dead-queue")["Consume"]["resources"] == [f"${{{dead}.arn}}"]


def test_a_client_gets_where_it_is_and_may_send(synthesize: Synthesize) -> None:
    seen: list[Any] = []

    synthesize(lambda app: seen.append(Queue(_stack(app), "work").access_for(None)))

    assert list(seen[0].environment) == ["URL"]
    assert [statement.sid for statement in seen[0].statements] == ["Send"]


def test_a_service_of_aws_is_let_in_on_behalf_of_one_source(synthesize: Synthesize) -> None:
    rule = "arn:aws:events:eu-west-1:210987654321:rule/nightly"

    def build(app: HoldfastApp) -> None:
        Queue(_stack(app), "work").allow_service("nightly", "events.amazonaws.com", source_arn=rule)

    jobs = synthesize(build)["jobs"]

    for queue in jobs.resources("aws_sqs_queue").values():
        allowed = statements_of(jobs, queue["policy"])["AllowNightly"]
        assert allowed["actions"] == ["sqs:SendMessage"]
        assert allowed["principals"] == [{"type": "Service", "identifiers": ["events.amazonaws.com"]}]
        assert conditions(allowed) == {"aws:SourceArn": [rule]}


def test_a_queue_of_somebody_else_is_granted_by_its_arn(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        theirs = Queue.import_(THEIRS, key="arn:aws:kms:eu-west-1:111122223333:key/1")
        assert (theirs.queue_name, theirs.url) == (
            "theirs",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/theirs",
        )
        theirs.grant_send(_role(_stack(app)))

    sender = granted(synthesize(build)["jobs"], "send-to-theirs-queue")

    assert sender["Send"]["resources"] == [THEIRS]
    assert sender["UseKey"]["resources"] == ["arn:aws:kms:eu-west-1:111122223333:key/1"]
