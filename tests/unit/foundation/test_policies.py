"""What the roles of a CI may do: computed from the types, without wildcards, within IAM's limits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import holdfast_constructs
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.foundation.actions import Actions, actions_for, table
from holdfast_constructs.foundation.policies import (
    LONGEST_POLICY,
    Place,
    apply_statements,
    boundary_statements,
    documents,
    plan_statements,
)
from holdfast_constructs.settings.foundation import TypeActions

BLOCKS = Path(holdfast_constructs.__file__).parent
BUCKET = "arn:aws:s3:::acme-state"
PLACE = Place(
    bucket_arn=BUCKET,
    key_arn="arn:aws:kms:eu-west-1:123456789012:key/0a1b",
    boundary_arn="arn:aws:iam::123456789012:policy/foundation-prod-boundary",
    roles="arn:aws:iam::123456789012:role/*",
    own=("arn:aws:iam::123456789012:role/foundation-prod-*",),
    linked_roles="arn:aws:iam::123456789012:role/aws-service-role/*",
    regions=("eu-west-1",),
)
EVERYTHING = actions_for({"all": {"resource": {kind: {} for kind in table() if "." not in kind}}}, {})
# What begins so reads, in the names of IAM; all else changes something.
READS = re.compile(r"[a-z0-9-]+:(Get|List|Describe|Decrypt$|GenerateDataKey$)")


def statements(policies: list[str]) -> list[dict[str, Any]]:
    return [each for policy in policies for each in json.loads(policy)["Statement"]]


def test_every_action_of_the_table_is_exact() -> None:
    actions = {action for row in table().values() for action in row.read | row.write}

    assert len(actions) > 300
    assert [
        action for action in actions if re.fullmatch(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+", action) is None
    ] == []


def test_every_type_that_the_blocks_import_is_in_the_table() -> None:
    imported = re.compile(r"cdktf_cdktf_provider_aws\.(data_)?(\w+)")
    files = [file for file in BLOCKS.rglob("*.py") if file.parent.name != "foundation"]

    types = {
        f"{'data.' if data else ''}aws_{name}"
        for file in files
        for data, name in imported.findall(file.read_text(encoding="utf-8"))
    }

    assert len(types) > 70
    assert {re.sub("^data.aws_aws_", "data.aws_", each) for each in types} - {
        "aws_provider"
    } <= table().keys()


def test_a_plan_of_everything_reads_and_writes_nothing_but_locks() -> None:
    policies = documents(plan_statements(EVERYTHING, PLACE))

    writing = [
        (action, each["Resource"])
        for each in statements(policies)
        for action in each["Action"]
        if READS.match(action) is None
    ]
    assert sorted(writing) == [
        ("s3:DeleteObject", [f"{BUCKET}/*.tflock"]),
        ("s3:PutObject", [f"{BUCKET}/*.tflock"]),
    ]


@pytest.mark.parametrize("build", [plan_statements, apply_statements], ids=["plan", "apply"])
def test_a_role_has_no_wildcard_in_an_action_and_few_in_resources(build: Any) -> None:
    policies = documents(build(EVERYTHING, PLACE))

    assert [action for each in statements(policies) for action in each["Action"] if "*" in action] == []
    everywhere = {
        re.sub(r"\d+$", "", each["Sid"]) for each in statements(policies) if "*" in each["Resource"]
    }
    assert everywhere <= {"Change", "ChangeGlobal", "Find", "Read"}


def test_a_deploy_makes_no_role_without_the_boundary_and_passes_none_to_strangers() -> None:
    conditions: dict[str, Any] = {
        action: each.get("Condition")
        for each in statements(documents(apply_statements(EVERYTHING, PLACE)))
        for action in each["Action"]
    }

    bound = {"StringEquals": {"iam:PermissionsBoundary": [PLACE.boundary_arn]}}
    assert {
        conditions[f"iam:{name}"] == bound for name in ("CreateRole", "PutRolePolicy", "AttachRolePolicy")
    } == {True}
    assert "ecs-tasks.amazonaws.com" in conditions["iam:PassRole"]["StringEquals"]["iam:PassedToService"]
    assert "iam:DeleteRolePermissionsBoundary" not in conditions


def test_the_boundary_of_everything_is_one_policy_and_denies_what_would_lift_it() -> None:
    (policy,) = documents(boundary_statements(EVERYTHING, PLACE, ("bedrock",)))

    denied = {
        action for each in statements([policy]) if each["Effect"] == "Deny" for action in each["Action"]
    }
    allowed = {
        action for each in statements([policy]) if each["Effect"] == "Allow" for action in each["Action"]
    }
    assert {"iam:DeleteRolePermissionsBoundary", "iam:UpdateAssumeRolePolicy", "s3:PutBucketPolicy"} <= denied
    assert "bedrock:*" in allowed
    assert "iam:*" not in allowed


@given(
    st.frozensets(st.from_regex(r"[a-z]{2,12}:[A-Z][A-Za-z]{2,30}", fullmatch=True), max_size=400),
    st.frozensets(st.from_regex(r"[a-z]{2,12}:[A-Z][A-Za-z]{2,30}", fullmatch=True), max_size=400),
)
def test_no_action_is_lost_where_a_policy_is_full(read: frozenset[str], write: frozenset[str]) -> None:
    policies = documents(apply_statements(Actions(read=read, write=write), PLACE))

    assert all(len(policy) <= LONGEST_POLICY for policy in policies)
    assert read | write <= {action for each in statements(policies) for action in each["Action"]}
    for policy in policies:
        sids = [each["Sid"] for each in statements([policy])]
        assert len(sids) == len(set(sids))


@pytest.mark.parametrize(
    ("section", "kind", "named"),
    [("resource", "aws_dynamodb_table", "aws_dynamodb_table"), ("data", "aws_ami", "data.aws_ami")],
)
def test_an_unknown_type_is_named_and_may_be_written_into_the_settings(
    section: str, kind: str, named: str
) -> None:
    stacks: dict[str, Any] = {"orders-prod": {section: {kind: {"x": {}}}}}

    with pytest.raises(ConstructError, match=f"a deploy of {re.escape(named)} in orders-prod") as raised:
        actions_for(stacks, {})

    assert f'[foundation.actions."{named}"]' in str(raised.value)
    own = TypeActions(read=("dynamodb:DescribeTable",), write=("dynamodb:CreateTable",))
    assert actions_for(stacks, {named: own}) == Actions(
        read=frozenset({"dynamodb:DescribeTable"}), write=frozenset({"dynamodb:CreateTable"})
    )
