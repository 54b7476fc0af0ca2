import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from holdfast_constructs import HoldfastApp, Key, ServiceStack
from holdfast_constructs.security.keys import Purpose
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _synthesized(synthesize: Synthesize, purpose: Purpose, **changes: Any) -> Synthesis:
    def build(app: HoldfastApp) -> None:
        Key(ServiceStack(app, "data", sample_target(**changes)), "key", purpose=purpose)

    return synthesize(build)


def _statements(synthesis: Synthesis) -> Mapping[str, Mapping[str, Any]]:
    document = json.loads(synthesis["data"].resource("aws_kms_key")["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


@pytest.mark.parametrize("purpose", ["logs", "data", "messages"])
def test_a_key_rotates_and_has_a_policy_and_an_alias(synthesize: Synthesize, purpose: Purpose) -> None:
    data = _synthesized(synthesize, purpose)["data"]

    data.has_resource("aws_kms_key", enable_key_rotation=True)
    data.has_resource("aws_kms_alias", name="alias/data-prod-key")


@pytest.mark.parametrize(("kept", "days", "protected"), [(True, 30, ["aws_kms_key"]), (False, 7, [])])
def test_the_window_before_a_key_is_gone_is_long_where_data_is_kept(
    synthesize: Synthesize, *, kept: bool, days: int, protected: list[str]
) -> None:
    synthesis = _synthesized(synthesize, "data", delete_protection=kept, production=False)

    synthesis["data"].has_resource("aws_kms_key", deletion_window_in_days=days)
    (shard,) = synthesis.manifest["shards"].values()
    assert [address.split(".")[0] for address in shard["protected"]] == protected


def test_the_data_key_is_open_to_nobody_but_this_account(synthesize: Synthesize) -> None:
    statements = _statements(_synthesized(synthesize, "data"))

    assert list(statements) == ["AccountDecidesByIam"]
    assert statements["AccountDecidesByIam"]["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}


def test_every_service_that_may_use_the_logs_key_may_only_do_so_for_this_account(
    synthesize: Synthesize,
) -> None:
    statements = _statements(_synthesized(synthesize, "logs"))

    services = {
        name: (statement["Principal"]["Service"], statement["Condition"])
        for name, statement in statements.items()
        if name != "AccountDecidesByIam"
    }

    account = {"StringEquals": {"aws:SourceAccount": "210987654321"}}
    groups = "arn:aws:logs:eu-west-1:210987654321:log-group:*"
    assert services == {
        "LogGroupsOfThisAccount": (
            "logs.eu-west-1.amazonaws.com",
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        ),
        "AlarmsAndTopics": (["cloudwatch.amazonaws.com", "sns.amazonaws.com"], account),
    }


def test_what_delivers_to_queues_and_topics_uses_a_key_for_those_of_this_account_alone(
    synthesize: Synthesize,
) -> None:
    statements = _statements(_synthesized(synthesize, "messages"))

    opened = {
        name: statement["Condition"]
        for name, statement in statements.items()
        if name != "AccountDecidesByIam"
    }
    own = "eu-west-1:210987654321:*"
    # No source account: EventBridge sends none.
    assert opened == {
        "ServicesToQueues": {"ArnLike": {"kms:EncryptionContext:aws:sqs:arn": f"arn:aws:sqs:{own}"}},
        "ServicesToTopics": {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{own}"}},
    }
