"""Import blocks from events, what an import plan may do, and who owns an object in doubt."""

from typing import Any

import pytest

from holdfast_orchestrator.deploy.decisions.adoption import (
    Adopt,
    Foreign,
    ShardTag,
    candidate_ids,
    judge_adoption,
    tagged_import_id,
    told_apart,
)
from holdfast_orchestrator.deploy.decisions.apply_progress import Step
from holdfast_orchestrator.deploy.decisions.imports import (
    judge_import_plan,
    plan_imports,
    planned_values_by_address,
)
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.import_ids import ImportBlock, import_id, with_imports
from holdfast_orchestrator.terraform.object_keys import Place

PLACE = Place("123456789012", "eu-west-1")
TAG = ShardTag("HoldfastShard", "orders-prod-eu-west-1")


def change(address: str, actions: list[str], *, imports: str | None = None, **fields: Any) -> dict[str, Any]:
    importing = {} if imports is None else {"importing": {"id": imports}}
    before = None if actions == ["create"] else {"id": imports}
    return {
        "address": address,
        "mode": "managed",
        "type": address.split(".", maxsplit=1)[0],
        "name": "x",
        "change": {"actions": actions, "before": before, "after": {}, **importing, **fields},
    }


def plan(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(changes)}


@pytest.mark.parametrize(
    ("kind", "id_value", "planned", "expected"),
    [
        ("aws_sqs_queue", "https://q", {}, "https://q"),
        ("aws_iam_role_policy_attachment", "r-1", {"role": "r", "policy_arn": "arn:p"}, "r/arn:p"),
        ("aws_iam_role_policy_attachment", "r-1", {"role": "r"}, None),
        ("aws_db_instance", "db-ABC", {"identifier": "orders"}, "orders"),
        ("aws_ecs_cluster", "arn:cluster/c", {"name": "c"}, "c"),
        ("aws_ecs_service", "arn:s", {"cluster": "arn:aws:ecs:r:1:cluster/c", "name": "s"}, "c/s"),
        ("aws_ecs_service", "arn:s", {"name": "s"}, None),
        ("aws_route", "r", {"route_table_id": "rtb", "destination_cidr_block": "::/0"}, "rtb_::/0"),
        ("aws_lambda_permission", "", {"function_name": "f", "statement_id": "p", "qualifier": "v"}, "f:v/p"),
        ("aws_cloudwatch_event_target", "t", {"rule": "r", "target_id": "t"}, "default/r/t"),
        ("aws_wafv2_web_acl", "id", {"name": "n", "scope": "REGIONAL"}, "id/n/REGIONAL"),
        ("aws_ecs_task_definition", "family", {}, None),
        ("aws_lb_target_group_attachment", "x", {}, None),
        ("acme_thing", "x", {}, None),
    ],
)
def test_an_import_id_follows_the_rule_of_its_type(
    kind: str, id_value: str, planned: dict[str, Any], expected: str | None
) -> None:
    assert import_id(kind, id_value, planned) == expected


def test_creates_become_blocks_or_are_made_again_or_go_to_a_person() -> None:
    queue = Step(address="aws_sqs_queue.q", action="create", id_value="https://q")
    secret = Step(address="random_password.p", action="create", id_value="none")
    attachment = Step(address="aws_lb_target_group_attachment.a", action="create", id_value="x")

    found = plan_imports([queue, secret, attachment], {})

    assert found.blocks == (ImportBlock("aws_sqs_queue.q", "https://q", "https://q"),)
    assert found.create_again == (secret,)
    assert found.by_hand == (attachment,)


def test_of_two_objects_at_one_address_one_goes_to_a_person() -> None:
    steps = [Step(address="aws_sqs_queue.q", action="create", id_value=found) for found in ("1", "2")]

    found = plan_imports(steps, {})

    assert found.blocks == (ImportBlock("aws_sqs_queue.q", "1", "1"),)
    assert found.by_hand == (steps[1],)


def test_an_import_id_is_written_as_a_literal_and_replaces_an_older_block() -> None:
    configuration = {"import": [{"to": "a_b.c", "id": "old"}, {"to": "a_b.d", "id": "kept"}]}

    found = with_imports(configuration, [ImportBlock("a_b.c", "${danger}%{x}")])

    assert found["import"] == [
        {"to": "a_b.d", "id": "kept"},
        {"to": "a_b.c", "id": "$${danger}%%{x}"},
    ]
    assert configuration["import"][0]["id"] == "old"


def test_an_import_plan_may_import_update_what_it_imports_and_create_what_had_not_begun() -> None:
    document = plan(
        change("aws_sqs_queue.q", ["no-op"], imports="q"),
        change("aws_sqs_queue.r", ["update"], imports="r"),
        change("aws_sqs_queue.later", ["create"]),
    )
    blocks = [ImportBlock(f"aws_sqs_queue.{name}", name, name) for name in "qr"]

    assert judge_import_plan(document, expected=blocks, may_create=["aws_sqs_queue.later"]) == ()


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (change("aws_sqs_queue.q", ["delete", "create"], imports="q"), "then change"),
        (change("aws_sqs_queue.q", ["no-op"], imports="other"), "event file says"),
        (change("aws_sqs_queue.other", ["no-op"], imports="x"), "no import"),
        (change("aws_sqs_queue.other", ["create"]), "had not been left"),
        (change("aws_sqs_queue.other", ["delete"]), "had not been left"),
        (change("aws_sqs_queue.other", ["update"]), "had not been left"),
    ],
)
def test_an_import_plan_may_do_nothing_else(entry: dict[str, Any], what: str) -> None:
    problems = judge_import_plan(
        plan(entry), expected=[ImportBlock("aws_sqs_queue.q", "q", "q")], may_create=["aws_sqs_queue.later"]
    )

    assert any(what in problem for problem in problems)


def test_an_expected_import_that_is_not_planned_is_a_problem() -> None:
    problems = judge_import_plan(plan(), expected=[ImportBlock("aws_sqs_queue.q", "q")], may_create=())

    assert problems == ("aws_sqs_queue.q would not be imported.",)


def test_planned_values_come_from_the_forward_plan() -> None:
    document = plan(
        {**change("aws_sqs_queue.q", ["create"]), "change": {"actions": ["create"], "after": {"name": "q"}}}
    )

    assert planned_values_by_address(document) == {"aws_sqs_queue.q": {"name": "q"}}


@pytest.mark.parametrize(
    ("kind", "planned", "expected"),
    [
        ("aws_ssm_parameter", {"name": "/a"}, ("/a",)),
        ("aws_sns_topic", {"name": "t"}, ("arn:aws:sns:eu-west-1:123456789012:t",)),
        ("aws_sqs_queue", {"name": "q"}, ("https://sqs.eu-west-1.amazonaws.com/123456789012/q",)),
        ("aws_iam_policy", {"name": "p", "path": "/x/"}, ("arn:aws:iam::123456789012:policy/x/p",)),
        ("aws_iam_policy", {"name": "p", "path": "/"}, ("arn:aws:iam::123456789012:policy/p",)),
        ("aws_iam_role_policy_attachment", {"role": "r", "policy_arn": "p"}, ("r/p",)),
        ("aws_cloudwatch_event_rule", {"name": "r", "event_bus_name": "default"}, ("r",)),
        ("aws_cloudwatch_event_rule", {"name": "r", "event_bus_name": "bus"}, ("bus/r",)),
        ("aws_cloudwatch_event_rule", {"name": "r"}, ()),
        ("aws_ecs_service", {"cluster": "c", "name": "s"}, ("c/s",)),
        ("aws_sns_topic", {}, ()),
        ("aws_vpc", {"cidr_block": "10.0.0.0/16"}, ()),
    ],
)
def test_an_object_in_doubt_is_looked_for_by_the_ids_it_would_have(
    kind: str, planned: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert candidate_ids(kind, planned, PLACE) == expected


@pytest.mark.parametrize(
    ("kind", "resource", "expected"),
    [
        ("aws_vpc", "ec2:eu-west-1:123456789012:vpc/vpc-1", "vpc-1"),
        ("aws_subnet", "ec2:eu-west-1:123456789012:vpc/vpc-1", None),
        ("aws_vpc", "ec2:eu-west-1:123456789012:vpc-endpoint/vpce-1", None),
        ("aws_kms_key", "kms:eu-west-1:123456789012:key/k-1", "k-1"),
        (
            "aws_lb",
            "elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/1",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/a/1",
        ),
        (
            "aws_secretsmanager_secret",
            "secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-AbCdEf",
        ),
        ("aws_sns_topic", "sns:eu-west-1:123456789012:t", None),
    ],
)
def test_the_arn_of_an_object_gives_its_import_id(kind: str, resource: str, expected: str | None) -> None:
    assert tagged_import_id(kind, f"arn:aws:{resource}") == expected


VPC = "arn:aws:ec2:eu-west-1:123456789012:vpc/"
OURS = {"Service": "shop", "Name": "a"}


@pytest.mark.parametrize(
    ("there", "known", "expected"),
    [
        pytest.param({"vpc-1": OURS}, (), {"aws_vpc.a": "vpc-1"}, id="the one that fits"),
        pytest.param({"vpc-1": {**OURS, "Owner": "x"}}, (), {"aws_vpc.a": "vpc-1"}, id="more tags"),
        pytest.param({"vpc-1": {"Service": "shop"}}, (), {}, id="a tag is missing"),
        pytest.param({"vpc-1": {**OURS, "Name": "b"}}, (), {}, id="a tag is another"),
        pytest.param({"vpc-1": OURS, "vpc-2": OURS}, (), {}, id="two that fit"),
        pytest.param({"vpc-1": OURS, "vpc-2": OURS}, ("vpc-1",), {"aws_vpc.a": "vpc-2"}, id="one is known"),
        pytest.param({"vpc-1": OURS}, (f"{VPC}vpc-1",), {}, id="it was there before"),
    ],
)
def test_an_object_is_found_by_tags_that_no_other_has(
    there: dict[str, dict[str, str]], known: tuple[str, ...], expected: dict[str, str]
) -> None:
    found = {f"{VPC}{name}": tags for name, tags in there.items()}

    assert told_apart({"aws_vpc.a": ("aws_vpc", OURS)}, found, known) == expected


def test_one_object_does_not_answer_for_two() -> None:
    wanted = {"aws_vpc.a": ("aws_vpc", OURS), "aws_vpc.b": ("aws_vpc", OURS)}

    assert told_apart(wanted, {f"{VPC}vpc-1": OURS}, ()) == {}


def test_what_is_no_arn_gives_none() -> None:
    assert tagged_import_id("aws_vpc", "vpc-1") is None


QUEUE = Identity("aws_sqs_queue", "q")


def test_an_object_with_the_tag_of_this_shard_is_adopted() -> None:
    assert judge_adoption(QUEUE, {"tags_all": {TAG.key: TAG.value}}, tag=TAG, elsewhere=()) == Adopt()


@pytest.mark.parametrize(
    "attributes",
    [{}, {"tags_all": {}}, {"tags_all": None}, {"tags": {"HoldfastShard": "another"}}, {"tags": "x"}],
)
def test_an_object_without_that_tag_is_foreign(attributes: dict[str, Any]) -> None:
    assert isinstance(judge_adoption(QUEUE, attributes, tag=TAG, elsewhere=()), Foreign)


def test_an_object_in_another_state_is_foreign_whatever_its_tags() -> None:
    found = judge_adoption(QUEUE, {"tags_all": {TAG.key: TAG.value}}, tag=TAG, elsewhere=[QUEUE])

    assert isinstance(found, Foreign)
