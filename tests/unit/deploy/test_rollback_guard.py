"""The guard on a rollback plan: rules G1 to G10, each violated and each kept."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.guarded_plans import AWS, BEFORE_HEALTH, WRITTEN, change, judge, known, rules

from holdfast_orchestrator.deploy.decisions.guard import Written
from holdfast_orchestrator.deploy.decisions.reversibility import Approval
from holdfast_orchestrator.terraform.identity import Identity, TrackedObject
from holdfast_orchestrator.terraform.state_edits import Move
from holdfast_orchestrator.terraform.state_file import StateStamp
from holdfast_orchestrator.terraform.stateful_types import Protection

REMOVALS = [["delete"], ["delete", "create"], ["create", "delete"]]


def test_undoing_what_the_run_created_and_changed_is_allowed() -> None:
    changes = (
        change("aws_sns_topic.new", ["delete"]),
        change("aws_sns_topic.changed", ["update"]),
        change("aws_sns_topic.deleted", ["create"]),
        change("aws_sns_topic.kept", ["no-op"]),
    )

    assert rules(*changes, created=("aws_sns_topic new",)) == []


@pytest.mark.parametrize("actions", REMOVALS)
@pytest.mark.parametrize("address", ["aws_sqs_queue.q", "aws_sqs_queue.renamed"])
def test_g1_a_stateful_object_of_the_last_good_version_is_not_lost(address: str, actions: list[str]) -> None:
    found = rules(
        change(address, actions),
        last_good=(known("aws_sqs_queue.q", "new", stateful=True),),
        created=("aws_sqs_queue new",),
        **BEFORE_HEALTH,
    )

    assert "G1" in found


def test_g1_counts_deposed_objects() -> None:
    found = rules(
        change("aws_sqs_queue.q", ["delete"], deposed="k"),
        last_good=(known("aws_sqs_queue.q", "new", stateful=True),),
        created=("aws_sqs_queue new",),
        **BEFORE_HEALTH,
    )

    assert found == ["G1"]


def test_g1_protects_a_protected_address_of_any_type() -> None:
    protection = Protection(addresses=frozenset({"aws_sns_topic.t"}))

    found = rules(
        change("aws_sns_topic.renamed", ["delete"]),
        last_good=(known("aws_sns_topic.t", "new"),),
        created=("aws_sns_topic new",),
        protection=protection,
    )

    assert found == ["G1"]


@given(
    address=st.from_regex(r"aws_(sqs_queue|sns_topic)\.[a-z]{1,4}", fullmatch=True),
    previous=st.none() | st.from_regex(r"aws_sqs_queue\.[a-z]{1,4}", fullmatch=True),
    actions=st.sampled_from(REMOVALS),
    deposed=st.none() | st.just("k"),
    forgiving=st.booleans(),
    approvals=st.lists(st.sampled_from(["aws_sqs_queue.q", "new", "q"]), max_size=2),
)
def test_no_delete_of_a_stateful_identity_of_the_last_good_version_ever_passes(
    *,
    address: str,
    previous: str | None,
    actions: list[str],
    deposed: str | None,
    forgiving: bool,
    approvals: list[str],
) -> None:
    kind = address.split(".", maxsplit=1)[0]
    found = judge(
        change(address, actions, previous_address=previous, deposed=deposed),
        last_good=(
            TrackedObject(
                identity=Identity(kind, "new"),
                address="aws_sqs_queue.q",
                provider="",
                stateful=True,
                id="new",
            ),
        ),
        created=(f"{kind} new",) * forgiving,
        moves=(Move(previous or "", address),),
        forgets=frozenset({address}),
        imports=frozenset({address}),
        health_began=not forgiving,
        new_data="delete",
        approvals=tuple(Approval(name, "snapshot") for name in approvals),
    )

    assert "G1" in {violation.rule for violation in found}


def test_g2_a_stateful_object_is_not_made_again_empty() -> None:
    last_good = (known("aws_dynamodb_table.d", "d", stateful=True),)

    assert rules(change("aws_dynamodb_table.d", ["create"]), last_good=last_good) == ["G2"]
    assert rules(change("aws_dynamodb_table.other", ["create"]), last_good=last_good) == []


@pytest.mark.parametrize(
    ("stateful", "protection", "expected"),
    [
        (True, Protection(), ["G2"]),
        (False, Protection(addresses=frozenset({"aws_sns_topic.t"})), ["G2"]),
        (False, Protection(types=frozenset({"aws_sns_topic"})), ["G2"]),
        (False, Protection(), []),
    ],
)
def test_g2_holds_for_what_was_or_is_stateful(
    *, stateful: bool, protection: Protection, expected: list[str]
) -> None:
    last_good = (known("aws_sns_topic.t", "t", stateful=stateful),)

    found = rules(change("aws_sns_topic.t", ["create"]), last_good=last_good, protection=protection)

    assert found == expected


@pytest.mark.parametrize("protected", ["aws_sns_topic.t", "aws_sns_topic.now", "aws_sns_topic.was"])
def test_g1_looks_at_every_name_the_object_had(protected: str) -> None:
    found = rules(
        change("aws_sns_topic.now", ["delete"], previous_address="aws_sns_topic.was"),
        last_good=(known("aws_sns_topic.t", "new"),),
        created=("aws_sns_topic new",),
        moves=(Move("aws_sns_topic.was", "aws_sns_topic.now"),),
        protection=Protection(addresses=frozenset({protected})),
        health_began=False,
    )

    assert found == ["G1"]


def test_g2_an_object_that_is_imported_again_is_not_made() -> None:
    found = rules(
        change("aws_dynamodb_table.d", ["no-op"], importing=True),
        last_good=(known("aws_dynamodb_table.d", "d", stateful=True),),
        imports=frozenset({"aws_dynamodb_table.d"}),
    )

    assert found == []


@pytest.mark.parametrize("actions", REMOVALS)
def test_g3_only_objects_of_this_run_are_deleted(actions: list[str]) -> None:
    found = judge(change("aws_sns_topic.t", actions), created=("aws_sns_topic other",))

    assert [violation.rule for violation in found] == ["G3"]


def test_g3_one_object_is_not_deleted_twice() -> None:
    twice = (change("aws_sns_topic.a", ["delete"]), change("aws_sns_topic.b", ["delete"]))

    assert rules(*twice, created=("aws_sns_topic new",)) == ["G3"]


@pytest.mark.parametrize("actions", [["create"], ["update"]])
def test_g4_what_the_failed_run_did_not_touch_stays_as_it_is(actions: list[str]) -> None:
    assert rules(change("aws_sns_topic.t", actions), touched=()) == ["G4"]
    assert rules(change("aws_sns_topic.t", ["no-op"]), touched=()) == []


def test_g4_a_move_has_to_be_one_of_the_inverse_moves() -> None:
    moved = change("aws_sns_topic.a", ["no-op"], previous_address="aws_sns_topic.b")
    keyed = change("aws_sns_topic.a[0]", ["no-op"], previous_address="aws_sns_topic.b[0]")
    move = (Move("aws_sns_topic.b", "aws_sns_topic.a"),)

    assert rules(moved) == ["G4"]
    assert rules(moved, keyed, moves=move) == []


def test_g4_an_import_has_to_be_asked_for() -> None:
    imported = change("aws_sns_topic.a", ["no-op"], importing=True)

    assert rules(imported) == ["G4"]
    assert rules(imported, imports=frozenset({"aws_sns_topic.a"})) == []


def test_g5_a_new_stateful_object_is_deleted_only_while_nothing_can_be_in_it() -> None:
    delete, created = change("aws_sqs_queue.q", ["delete"]), ("aws_sqs_queue new",)

    assert rules(delete, created=created) == ["G5"]
    assert rules(delete, created=created, health_began=False) == []
    assert rules(delete, created=created, new_data="delete") == []


def test_g6_a_one_way_update_wants_an_approval() -> None:
    update = change(
        "aws_db_instance.d", ["update"], before={"engine_version": "16"}, after={"engine_version": "15"}
    )

    assert rules(update) == ["G6"]
    assert rules(update, approvals=(Approval("aws_db_instance.d"),)) == []


@pytest.mark.parametrize(
    ("address", "failed", "good"),
    [
        ("aws_cloudwatch_log_group.l", {"retention_in_days": 30}, {"retention_in_days": 7}),
        ("aws_cloudwatch_log_group.l", {"retention_in_days": 0}, {"retention_in_days": 7}),
        ("aws_sqs_queue.q", {"message_retention_seconds": 999}, {"message_retention_seconds": 60}),
        ("aws_db_instance.d", {"backup_retention_period": 14}, {"backup_retention_period": 7}),
        ("aws_db_instance.d", {"deletion_protection": True}, {"deletion_protection": False}),
    ],
)
def test_g6_what_stood_when_the_run_began_may_stand_again_where_nothing_is_lost_by_it(
    address: str, failed: dict[str, Any], good: dict[str, Any]
) -> None:
    back = change(address, ["update"], before=failed, after=good)
    kind = address.partition(".")[0]

    assert rules(back) == ["G6"]
    assert rules(back, before={(kind, "new"): good}) == []
    assert rules(back, before={(kind, "new"): failed}) == ["G6"]
    assert rules(back, before={(kind, "another"): good}) == ["G6"]


def test_g6_what_cannot_be_done_at_all_stays_refused_and_names_commands() -> None:
    now, good = {"engine_version": "16"}, {"engine_version": "15"}
    back = change("aws_db_instance.d", ["update"], before=now, after=good)

    (violation,) = judge(back, before={("aws_db_instance", "new"): good}, run="R")

    assert violation.rule == "G6"
    assert "`holdfast resume R --skip aws_db_instance.d`" in violation.next_step
    assert "`holdfast resume R --accept-forward`" in violation.next_step
    assert "by name" not in violation.next_step


def test_g7_only_what_was_meant_to_be_is_forgotten() -> None:
    forget = change("aws_sns_topic.t[0]", ["forget"])

    assert rules(forget) == ["G7"]
    assert rules(forget, forgets=frozenset({"aws_sns_topic.t"})) == []


@pytest.mark.parametrize("stamp", [StateStamp("L", 6), StateStamp("M", 5), StateStamp("", 0)])
def test_g8_the_plan_is_of_the_state_recorded_after_the_failure(stamp: StateStamp) -> None:
    assert rules(stamp=stamp) == ["G8"]


@pytest.mark.parametrize(
    "plan", [{"errored": True}, {"complete": False}, {"format_version": "2.0"}, {"deferred_changes": [{}]}]
)
def test_g9_a_plan_that_is_not_whole_is_held(plan: dict[str, Any]) -> None:
    assert rules(plan=plan) == ["G9"]


def test_g9_an_unknown_action_or_an_object_without_identity_is_held() -> None:
    nameless = change("aws_sns_topic.t", ["delete"])
    nameless["change"]["before"] = None

    assert "G9" in rules(change("aws_sns_topic.t", ["create", "forget"]))
    assert "G9" in rules(nameless)


@pytest.mark.parametrize(
    "runner",
    [
        Written("1.11.3", WRITTEN.providers),
        Written("1.12.0-rc1", {AWS: "5.99.9"}),
        Written("1.11.4"),
        Written("", WRITTEN.providers),
    ],
)
def test_g10_nothing_older_than_the_writer_goes_near_the_state(runner: Written) -> None:
    assert rules(runner=runner) == ["G10"]


def test_g10_newer_is_fine() -> None:
    assert rules(runner=replace(WRITTEN, terraform="1.12.0", providers={AWS: "6.0.0"})) == []
