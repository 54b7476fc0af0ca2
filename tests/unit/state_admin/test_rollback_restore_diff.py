"""What a restore by hand would orphan and bring back."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.state_admin.diff import RestoreDiff, restore_diff, restored
from holdfast_orchestrator.terraform.state_edits import Move
from holdfast_orchestrator.terraform.state_file import StateObject, read_state
from holdfast_orchestrator.terraform.stateful_types import Protection


def state(
    source: str, serial: int, ids: dict[str, str], *, lineage: str = "L", value: str = "v", **fields: Any
) -> StateObject:
    resources = [
        {
            "mode": "managed",
            "type": "aws_sqs_queue",
            "name": name,
            "provider": "p",
            "instances": [{"attributes": {"id": found, "value": value}}],
        }
        for name, found in ids.items()
    ]
    document = {"version": 4, "serial": serial, "lineage": lineage, "resources": resources, **fields}
    return read_state(source, json.dumps(document).encode())


def diff(then: StateObject, now: StateObject, lineage: str | None = None) -> RestoreDiff:
    return restore_diff(then, now, protection=Protection(), lineage=lineage)


def test_what_only_the_newest_state_knows_would_be_orphaned() -> None:
    found = diff(state("then", 1, {"a": "1"}), state("now", 2, {"a": "1", "b": "2"}))

    assert [known.address for known in found.orphaned] == ["aws_sqs_queue.b"]
    assert found.resurrected == ()


def test_what_only_the_old_state_knows_would_rise() -> None:
    found = diff(state("then", 1, {"a": "1", "b": "2"}), state("now", 2, {"a": "1"}))

    assert [known.address for known in found.resurrected] == ["aws_sqs_queue.b"]


def test_moves_changes_and_outputs_are_named() -> None:
    then = state("then", 1, {"a": "1", "b": "2"}, outputs={"x": {"value": 1}})
    now = state("now", 2, {"a": "1", "c": "2"}, value="w", outputs={"y": {"value": 1}})

    found = diff(then, now)

    assert found.moved == (Move("aws_sqs_queue.c", "aws_sqs_queue.b"),)
    assert found.changed == ("aws_sqs_queue.a", "aws_sqs_queue.b")
    assert found.outputs == ("x", "y")
    assert not found.empty


def test_the_same_state_changes_nothing() -> None:
    assert diff(state("then", 1, {"a": "1"}), state("now", 2, {"a": "1"})).empty


def test_a_state_of_another_lineage_is_refused() -> None:
    found = diff(state("then", 1, {}, lineage="M"), state("now", 2, {}))

    assert "lineage M" in found.refusals[0]


def test_a_damaged_copy_is_refused() -> None:
    assert diff(read_state("then", b"{"), state("now", 2, {})).refusals != ()


def test_where_the_newest_state_is_gone_the_recorded_lineage_decides() -> None:
    gone, then = read_state("now", None), state("then", 1, {"a": "1"})

    assert diff(then, gone, "L").refusals == ()
    assert diff(then, gone, "M").refusals != ()
    assert diff(then, gone).refusals != ()


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_a_restored_state_has_a_serial_above_all_seen(serials: list[int]) -> None:
    seen = [state(str(serial), serial, {}) for serial in serials]

    written = restored(*seen)

    assert written["serial"] > max(serials)
    assert written["lineage"] == "L"


IDS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("123"))


@given(then=IDS, now=IDS)
def test_every_object_is_orphaned_resurrected_or_known_to_both(
    then: dict[str, str], now: dict[str, str]
) -> None:
    found = diff(state("then", 1, then), state("now", 2, now))

    assert {known.id for known in found.orphaned} == set(now.values()) - set(then.values())
    assert {known.id for known in found.resurrected} == set(then.values()) - set(now.values())
