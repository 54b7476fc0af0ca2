"""What keeps an object from being deleted, and how its block is changed so that nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.terraform.deletion_protection import (
    differing,
    never_destroyed,
    prepared_arguments,
    renamed_snapshots,
    switched_on,
    with_arguments,
)


@pytest.mark.parametrize(
    ("attributes", "off"),
    [
        ({"deletion_protection": True}, {"deletion_protection": False}),
        ({"deletion_protection": "ACTIVE"}, {"deletion_protection": "INACTIVE"}),
        ({"deletion_protection": "INACTIVE"}, {}),
        ({"deletion_protection": None}, {}),
        ({"deletion_protection": 1}, {}),
        ({"enable_deletion_protection": True}, {"enable_deletion_protection": False}),
        ({"deletion_protection_enabled": False}, {}),
        ({"delete_protection": True}, {"delete_protection": False}),
        ({"disable_api_termination": True}, {"disable_api_termination": False}),
        ({"deletion_protection": ["unhashable"]}, {}),
    ],
)
def test_only_what_is_on_is_switched_off(attributes: dict[str, Any], off: dict[str, Any]) -> None:
    assert switched_on(attributes) == off


def test_an_object_that_leaves_no_snapshot_gets_no_name_for_one() -> None:
    named = {"final_snapshot_identifier": "orders-final"}

    assert renamed_snapshots(named, "20261130-180000") == {
        "final_snapshot_identifier": "orders-final-20261130-180000"
    }
    assert renamed_snapshots({**named, "skip_final_snapshot": True}, "x") == {}
    assert renamed_snapshots({"final_snapshot_identifier": None}, "x") == {}


@given(st.from_regex(r"[a-z]([a-z0-9]|-[a-z0-9]){0,120}", fullmatch=True))
def test_a_second_name_replaces_the_ending_of_the_first_and_is_never_too_long(name: str) -> None:
    (first,) = renamed_snapshots({"final_snapshot_name": name}, "20261130-180000").values()
    (second,) = renamed_snapshots({"final_snapshot_name": first}, "20261201-070000").values()

    assert str(second).endswith("-20261201-070000")
    assert "20261130" not in str(second) or "20261130" in name
    assert len(str(second)) <= 255
    assert "--" not in str(second)


def test_instances_of_one_block_never_get_the_same_name_of_a_snapshot() -> None:
    def database(name: str, *keys: str | None) -> dict[str, Any]:
        instances = [
            {
                "index_key": key,
                "attributes": {"final_snapshot_identifier": f"{key}-end", "deletion_protection": True},
            }
            for key in keys
        ]
        return {"mode": "managed", "type": "aws_db_instance", "name": name, "instances": instances}

    state = {"resources": [database("many", "a", "b"), database("one", None)]}

    off = {"deletion_protection": False}
    assert prepared_arguments(state, "20261130-180000") == {
        'aws_db_instance.many["a"]': off,
        'aws_db_instance.many["b"]': off,
        "aws_db_instance.one": {**off, "final_snapshot_identifier": "None-end-20261130-180000"},
    }


def test_a_block_gets_its_arguments_and_what_it_ignored_before_stays_ignored() -> None:
    body = {"name": "t", "lifecycle": [{"ignore_changes": ["deletion_protection", "tags"], "x": 1}]}
    configuration = {"resource": [{"aws_db_instance": {"d": [body]}}]}
    resource = ("aws_db_instance", "d")

    edited = with_arguments(
        configuration, {resource: {"deletion_protection": False}}, {resource: frozenset({"engine_version"})}
    )

    (block,) = edited["resource"][0]["aws_db_instance"]["d"]
    assert block["deletion_protection"] is False
    assert block["lifecycle"] == {"ignore_changes": ["engine_version", "tags"], "x": 1}
    assert json.loads(json.dumps(configuration)) == configuration
    assert "deletion_protection" not in body


def test_what_is_not_known_before_the_apply_counts_where_the_block_sets_it() -> None:
    change = {
        "before": {"a": 1, "b": 1, "arn": "x", "same": 1},
        "after": {"a": 2, "same": 1},
        "after_unknown": {"b": True, "arn": True, "same": False},
    }

    assert differing(change, {"a": 2, "b": "${other.b}"}) == {"a", "b"}


def test_a_resource_that_no_plan_may_destroy_is_found_however_it_is_written() -> None:
    def body(value: object) -> dict[str, Any]:
        return {"lifecycle": value}

    blocks = {"a": body({"prevent_destroy": True}), "b": [body([{"prevent_destroy": True}])], "c": body({})}

    assert never_destroyed({"resource": {"x_y": blocks}}) == {"x_y.a", "x_y.b"}
