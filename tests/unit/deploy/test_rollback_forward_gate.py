"""The gate before the apply."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.deploy.decisions.reversibility import Approval, Kind, advice_of, judge_forward
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.stateful_types import Protection

REPLACES = [["delete", "create"], ["create", "delete"]]


def entry(kind: str, actions: list[str], **fields: Any) -> dict[str, Any]:
    change = {
        "actions": actions,
        "before": None if actions == ["create"] else {"id": "one", "name": "called"},
        "after": {},
        **fields.pop("change", {}),
    }
    address = fields.pop("address", f"{kind}.x")
    return {"address": address, "mode": "managed", "type": kind, "name": "x", "change": change, **fields}


def plan(*entries: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "complete": True, "resource_changes": list(entries), **fields}


def held(document: dict[str, Any], *approvals: Approval) -> list[tuple[Kind, str]]:
    verdict = judge_forward(document, protection=Protection(), approvals=approvals)
    return [(finding.kind, finding.address) for finding in verdict.held]


@pytest.mark.parametrize("actions", [["delete"], *REPLACES])
def test_losing_a_stateful_object_is_held(actions: list[str]) -> None:
    assert held(plan(entry("aws_dynamodb_table", actions))) == [(Kind.IRREVERSIBLE, "aws_dynamodb_table.x")]


@pytest.mark.parametrize("name", ["aws_sqs_queue.x", "one", "called"])
def test_an_approval_names_the_object_by_address_id_or_name(name: str) -> None:
    verdict = judge_forward(
        plan(entry("aws_sqs_queue", ["delete"])), protection=Protection(), approvals=[Approval(name)]
    )

    assert verdict.held == ()
    assert verdict.past_return == ("aws_sqs_queue.x",)


@pytest.mark.parametrize("name", ["aws_sqs_queue.*", "aws_sqs_queue", "on", ""])
def test_an_approval_never_matches_by_a_part_or_a_pattern(name: str) -> None:
    assert held(plan(entry("aws_sqs_queue", ["delete"])), Approval(name)) != []


def test_a_database_wants_a_snapshot_as_well() -> None:
    document = plan(entry("aws_db_instance", ["delete"]))

    assert held(document, Approval("aws_db_instance.x")) == [(Kind.IRREVERSIBLE, "aws_db_instance.x")]
    assert held(document, Approval("aws_db_instance.x", "before-the-move")) == []


def test_a_held_finding_says_what_lifts_it_and_a_lifted_one_does_not() -> None:
    document = plan(entry("aws_db_instance", ["delete"]), entry("aws_sqs_queue", ["delete", "create"]))
    approved = [Approval("aws_sqs_queue.x")]

    verdict = judge_forward(document, protection=Protection(), approvals=approved)

    database, queue = verdict.findings
    assert "would be deleted" in database.sentence
    assert "snapshot" in (database.next_step or "")
    assert "would be replaced" in queue.sentence
    assert (queue.next_step, queue.approved_by) == (None, approved[0])
    unapproved = judge_forward(plan(entry("aws_sqs_queue", ["delete"])), protection=Protection())
    assert "snapshot" not in (unapproved.held[0].next_step or "")


@pytest.mark.parametrize(
    ("entry_", "options"),
    [
        (
            entry("aws_db_instance", ["delete"]),
            ["--approve aws_db_instance.x=SNAPSHOT", "--allow-destroy aws_db_instance.x"],
        ),
        (
            entry("aws_secretsmanager_secret_version", ["delete", "create"]),
            ["--approve aws_secretsmanager_secret_version.x"],
        ),
        (
            entry(
                "aws_db_instance",
                ["update"],
                change={"before": {"engine_version": "16.4"}, "after": {"engine_version": "17.1"}},
            ),
            ["--approve aws_db_instance.x"],
        ),
    ],
    ids=["a snapshot can be taken", "none can", "one way"],
)
def test_the_advice_names_a_snapshot_only_where_one_can_be_taken(
    entry_: dict[str, Any], options: list[str]
) -> None:
    [finding] = judge_forward(plan(entry_), protection=Protection()).held

    advice = advice_of(finding) or ""

    assert re.findall(r"--[a-z-]+ [^ ;]+", advice) == options


def test_a_stateless_delete_is_put_off_and_a_replacement_is_noted() -> None:
    document = plan(
        entry("aws_sns_topic", ["delete"], address="aws_sns_topic.gone"),
        entry("aws_sns_topic", ["delete", "create"], address="aws_sns_topic.new"),
    )

    verdict = judge_forward(document, protection=Protection())

    assert verdict.held == ()
    assert verdict.put_off == ("aws_sns_topic.gone",)
    assert [finding.kind for finding in verdict.findings] == [Kind.PUT_OFF, Kind.REPLACED]


def test_what_was_stateful_in_the_last_good_version_stays_so() -> None:
    known = index_state(
        {
            "resources": [
                {
                    "mode": "managed",
                    "type": "aws_sns_topic",
                    "name": "old",
                    "instances": [{"attributes": {"id": "one"}}],
                }
            ]
        },
        protection=Protection(addresses=frozenset({"aws_sns_topic.old"})),
    )

    verdict = judge_forward(
        plan(entry("aws_sns_topic", ["delete"])), protection=Protection(), last_good=known
    )

    assert [finding.kind for finding in verdict.held] == [Kind.IRREVERSIBLE]


def test_a_protected_address_is_protected_under_its_previous_name() -> None:
    protection = Protection(addresses=frozenset({"aws_sns_topic.old"}))

    document = plan(entry("aws_sns_topic", ["delete", "create"], previous_address="aws_sns_topic.old"))

    assert judge_forward(document, protection=protection).held != ()


def test_a_one_way_update_is_held_until_it_is_approved() -> None:
    document = plan(
        entry(
            "aws_db_instance",
            ["update"],
            change={"before": {"engine_version": "15"}, "after": {"engine_version": "16"}},
        )
    )

    assert held(document) == [(Kind.ONE_WAY, "aws_db_instance.x")]
    assert held(document, Approval("aws_db_instance.x")) == []


@pytest.mark.parametrize(
    "document",
    [
        plan(format_version="2.0"),
        {"resource_changes": []},
        plan(errored=True),
        plan(complete=False),
        plan(deferred_changes=[{}]),
        plan(entry("aws_sns_topic", ["create", "forget"])),
    ],
)
def test_a_plan_that_is_not_understood_is_held_and_cannot_be_approved(document: dict[str, Any]) -> None:
    assert [kind for kind, _ in held(document, Approval("aws_sns_topic.x"))] == [Kind.UNREADABLE]


def test_an_object_without_identity_counts_as_stateful_when_it_is_deleted() -> None:
    document = plan(entry("aws_sns_topic", ["delete"], change={"before": None}))

    assert [kind for kind, _ in held(document)] == [Kind.IRREVERSIBLE]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["aws_db_instance", "aws_s3_bucket", "aws_sns_topic"]),
            st.sampled_from([["delete"], ["create"], ["no-op"], *REPLACES]),
        ),
        max_size=6,
    )
)
def test_every_stateful_loss_is_held_whatever_stands_beside_it(objects: list[tuple[str, list[str]]]) -> None:
    entries = [
        entry(kind, actions, address=f"{kind}.x{number}") for number, (kind, actions) in enumerate(objects)
    ]

    found = {address for _, address in held(plan(*entries))}

    assert found == {
        each["address"]
        for each in entries
        if each["type"] != "aws_sns_topic" and "delete" in each["change"]["actions"]
    }


def test_the_findings_of_a_first_deploy_are_empty() -> None:
    verdict = judge_forward(
        plan(entry("aws_db_instance", ["create"])), protection=Protection(), last_good=IdentityIndex()
    )

    assert verdict.findings == ()
