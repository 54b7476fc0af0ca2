"""Keys of objects: one function for planned values and for the attributes in a state."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.terraform import create_semantics
from holdfast_orchestrator.terraform.create_semantics import (
    CreateRule,
    Semantics,
    is_doubtful,
    refuses_existing,
    rule_of,
)
from holdfast_orchestrator.terraform.object_keys import ObjectKey, Place, import_id_of, key_of, may_be_same

HERE = "123456789012:eu-west-1"
PLACE = Place("123456789012", "eu-west-1")
RULES = tuple(create_semantics._rows().values())
TEMPLATED = tuple(rule for rule in RULES if rule.name)
LOOKS = {"", "import", "data", "always-there", "default", "flag", "proof", "proof,flag", "none"}
NAMES = st.text("abcXYZ019-_.", min_size=1, max_size=12)


def fields_of(rule: CreateRule) -> list[str]:
    return [field for _, field, _, _ in string.Formatter().parse(rule.name) if field]


def attributes_of(rule: CreateRule, names: dict[str, str]) -> dict[str, Any]:
    return {field.partition("|")[0]: names[field.partition("|")[0]] for field in fields_of(rule)}


@given(st.sampled_from(TEMPLATED), st.data())
def test_a_plan_and_a_state_give_one_key(rule: CreateRule, data: st.DataObject) -> None:
    names = {field.partition("|")[0]: data.draw(NAMES) for field in fields_of(rule)}
    planned = attributes_of(rule, names)
    stored = {**planned, "id": "made-up-at-the-create", "description": "x", "tags": {"a": "b"}}

    assert key_of(rule.kind, planned, HERE) == key_of(rule.kind, stored, HERE)
    assert key_of(rule.kind, planned, HERE) is not None


@given(st.sampled_from(TEMPLATED), st.data())
def test_an_unknown_name_gives_no_key(rule: CreateRule, data: st.DataObject) -> None:
    names = [field.partition("|")[0] for field in fields_of(rule)]
    own = [name for name in names if name not in {"partition", "region", "account"}]
    if not own:
        return
    unknown = data.draw(st.sampled_from(own))
    planned = dict.fromkeys(own, "known")
    del planned[unknown]

    assert key_of(rule.kind, planned, HERE) is None
    assert key_of(rule.kind, {**planned, unknown: object()}, HERE) is None


@given(st.sampled_from(TEMPLATED), NAMES, NAMES)
def test_other_names_give_other_keys(rule: CreateRule, one: str, other: str) -> None:
    names = [field.partition("|")[0] for field in fields_of(rule)]
    own = [name for name in names if name not in {"partition", "region", "account"}]
    if not own or one == other:
        return
    first = key_of(rule.kind, dict.fromkeys(own, one), HERE)
    second = key_of(rule.kind, dict.fromkeys(own, other), HERE)

    assert first != second


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_each_row_is_whole(rule: CreateRule) -> None:
    assert rule.source
    assert rule.look == "" or rule.look.split(":")[0] in {
        "import",
        "data",
        "always-there",
        "default",
        "flag",
        "proof",
        "proof,flag",
        "none",
    }
    assert rule.kind == rule_of(rule.kind).kind  # type: ignore[union-attr]
    looked_for = rule.look.split(":")[0] in {"import", "data", "default", "flag"}
    assert not looked_for or rule.name, "a look needs a name to ask for"
    assert rule.look.split(":")[0] not in {"import", "default", "flag"} or rule.import_id
    harmless = rule.semantics in {Semantics.REFUSES, Semantics.UNIQUE, Semantics.ADOPTS}
    assert harmless or rule.look, "a create that may take over says how to look"
    assert harmless or rule.name or rule.always_there, (
        "what has no name is in no gate, and nobody is told that it is unproven"
    )


@pytest.mark.parametrize(
    ("kind", "values", "name"),
    [
        ("aws_sns_topic", {"name": "t"}, "arn:-:sns:-:-:t"),
        ("aws_iam_group_membership", {"name": "any", "group": "g", "users": ["u"]}, "g"),
        ("aws_iam_user_group_membership", {"user": "u", "groups": ["b", "a"]}, "u|a,b"),
        ("aws_sqs_queue", {"name": "q", "url": "http://localhost/1/q", "id": "http://localhost/1/q"}, "q"),
        ("aws_sqs_queue_policy", {"queue_url": "https://sqs.eu-west-1.amazonaws.com/1/q"}, "q"),
        ("aws_cloudwatch_event_rule", {"name": "r", "event_bus_name": "default"}, "r"),
        ("aws_cloudwatch_event_rule", {"name": "r", "event_bus_name": None}, "r"),
        ("aws_cloudwatch_event_rule", {"name": "r", "event_bus_name": "own"}, "own/r"),
        (
            "aws_cloudwatch_event_rule",
            {"name": "r", "event_bus_name": "arn:aws:events:eu-west-1:1:event-bus/own"},
            "own/r",
        ),
        ("aws_s3_object", {"bucket": "b", "key": "a/b"}, "b/a/b"),
        ("aws_s3_object", {"bucket": "b", "key": "./a//b"}, "b/a/b"),
        ("aws_s3_object", {"bucket": "b", "key": "//a/b"}, "b/a/b"),
        ("aws_ec2_tag", {"resource_id": "i-1", "key": "./a//b"}, "i-1,./a//b"),
        ("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": "arn:p", "id": "r-2026"}, "r/arn:p"),
        ("aws_ecs_service", {"cluster": "arn:aws:ecs:eu-west-1:1:cluster/c", "name": "s"}, "c/s"),
        ("aws_route", {"route_table_id": "rtb-1", "destination_ipv6_cidr_block": "::/0"}, "rtb-1_::/0"),
        ("aws_vpc", {"id": "vpc-1"}, "vpc-1"),
        ("aws_ecs_task_definition", {"id": "f", "arn": "arn:aws:ecs:eu:1:td/f:3"}, "arn:aws:ecs:eu:1:td/f:3"),
    ],
)  # fmt: skip
def test_names(kind: str, values: dict[str, Any], name: str) -> None:
    key = key_of(kind, values, HERE)

    assert key is not None
    assert key.name == name


def test_a_list_with_something_unknown_in_it_names_nothing() -> None:
    assert key_of("aws_iam_user_group_membership", {"user": "u", "groups": ["a", None]}, HERE) is None


def test_twins_are_one_type() -> None:
    values = {"bucket": "b", "key": "k", "id": "x"}

    assert (
        key_of("aws_s3_bucket_object", values)
        == key_of("aws_s3_object", values)
        == key_of("aws_s3_object_copy", values)
    )
    assert key_of("aws_alb", {"id": "arn:1"}) == key_of("aws_lb", {"id": "arn:1"})
    assert key_of("aws_default_vpc", {"id": "vpc-1"}) == key_of("aws_vpc", {"id": "vpc-1"})
    assert is_doubtful("aws_s3_bucket_object", values)


@pytest.mark.parametrize("kind", ["random_password", "null_resource", "terraform_data", "tls_private_key"])
def test_what_lives_in_a_state_only_has_no_key(kind: str) -> None:
    assert key_of(kind, {"id": "none"}, HERE) is None


@pytest.mark.parametrize(
    ("kind", "values", "place"),
    [
        ("aws_sns_topic", {"name": "t"}, HERE),
        ("aws_sns_topic", {"name": "t", "arn": "arn:aws:sns:eu-1:999999999999:t"}, "999999999999:eu-1"),
        ("aws_iam_role", {"name": "r"}, "123456789012:"),
        ("aws_iam_role", {"name": "r", "arn": "arn:aws:iam::999999999999:role/r"}, "999999999999:"),
        ("aws_cloudwatch_dashboard", {"dashboard_name": "d"}, "123456789012:"),
        ("aws_s3_bucket", {"bucket": "b", "arn": "arn:aws:s3:::b"}, "*"),
        ("aws_s3_object", {"bucket": "b", "key": "k"}, "*"),
        (
            "aws_cloudwatch_event_target",
            {"event_bus_name": None, "rule": "r", "target_id": "t", "arn": "arn:aws:sns:us-east-1:9:t"},
            HERE,
        ),
        ("aws_sns_topic_policy", {"arn": "arn:aws:sns:us-east-1:9:t"}, HERE),
    ],
)  # fmt: skip
def test_places(kind: str, values: dict[str, Any], place: str) -> None:
    key = key_of(kind, values, HERE)

    assert key is not None
    assert key.place == place


def test_an_unknown_place_may_be_any() -> None:
    known, unknown = ObjectKey("t", "n", HERE), ObjectKey("t", "n", None)

    assert may_be_same(known, unknown)
    assert may_be_same(unknown, unknown)
    assert not may_be_same(known, ObjectKey("t", "n", "999999999999:eu-west-1"))
    assert not may_be_same(known, ObjectKey("t", "other", HERE))


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("aws_sns_topic", {"name": "t"}, "arn:aws:sns:eu-west-1:123456789012:t"),
        ("aws_cloudwatch_event_rule", {"name": "r", "event_bus_name": "default"}, "r"),
        (
            "aws_cloudwatch_event_target",
            {"rule": "r", "target_id": "t", "event_bus_name": None},
            "default/r/t",
        ),
        ("aws_sqs_queue_policy", {"queue_url": "http://localhost:1/123/q"}, "http://localhost:1/123/q"),
        ("aws_s3_object", {"bucket": "b", "key": "/k"}, "b/k"),
        ("aws_ecr_registry_policy", {}, "123456789012"),
        ("aws_lb_listener", {"load_balancer_arn": "arn:x"}, None),
    ],
)
def test_import_ids(kind: str, values: dict[str, Any], expected: str | None) -> None:
    assert import_id_of(kind, values, PLACE) == expected


def test_an_import_id_that_needs_the_account_is_unknown_without_it() -> None:
    assert import_id_of("aws_sns_topic", {"name": "t"}, None) is None
    assert import_id_of("aws_cloudwatch_metric_alarm", {"alarm_name": "a"}, None) == "a"


@pytest.mark.parametrize(
    ("kind", "values", "refuses", "doubtful"),
    [
        ("aws_iam_role", {}, True, False),
        ("aws_vpc", {}, True, False),
        ("example_thing", {}, True, False),
        ("aws_cloudwatch_metric_alarm", {}, False, True),
        ("aws_ssm_parameter", {"overwrite": None}, True, False),
        ("aws_ssm_parameter", {"overwrite": True}, False, True),
        ("aws_route53_record", {"allow_overwrite": True}, False, True),
        ("aws_s3_bucket_policy", {}, False, True),
        ("aws_s3_bucket_public_access_block", {}, False, False),
        ("aws_default_vpc", {}, False, False),
    ],
)
def test_which_creates_prove_that_the_object_is_new(
    kind: str, values: dict[str, Any], *, refuses: bool, doubtful: bool
) -> None:
    assert refuses_existing(kind, values) is refuses
    assert is_doubtful(kind, values) is doubtful
