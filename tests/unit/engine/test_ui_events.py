"""Reading what an engine says: known lines become typed values, anything else a value too."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.engine.diagnostics import Diagnostic
from holdfast_orchestrator.engine.outcomes import account_of
from holdfast_orchestrator.engine.ui_events import (
    ApplyComplete,
    ApplyErrored,
    ApplyProgress,
    ApplyStart,
    DiagnosticEvent,
    EmergencyStateDump,
    PlannedChange,
    ResourceDrift,
    UiEvent,
    parse,
)

RESOURCE = {"addr": "aws_ssm_parameter.a", "resource_type": "aws_ssm_parameter"}
AT = "2026-11-21T07:02:51.588253Z"
KINDS = ("diagnostic", "planned_change", "resource_drift", "change_summary", "outputs", "version", "log")
HOOKS = ("apply_start", "apply_progress", "apply_complete", "apply_errored", "refresh_start")

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def said(kind: str, **body: object) -> UiEvent | None:
    return parse(json.dumps({"@message": "words", "@timestamp": AT, "type": kind, **body}))


@given(st.text())
def test_no_line_whatever_makes_the_reader_raise(line: str) -> None:
    event = parse(line)

    assert event is None or isinstance(event, UiEvent)


@given(st.binary())
def test_no_bytes_whatever_make_the_reader_raise(line: bytes) -> None:
    event = parse(line.decode(errors="replace"))

    assert event is None or isinstance(event, UiEvent)


@given(json_values)
def test_no_json_whatever_makes_the_reader_raise(value: object) -> None:
    event = parse(json.dumps(value))

    assert isinstance(event, UiEvent)


@given(
    st.sampled_from((*KINDS, *HOOKS)),
    st.dictionaries(
        st.sampled_from(
            ("diagnostic", "change", "changes", "outputs", "hook", "@message", "@level", "state")
        ),
        st.dictionaries(
            st.sampled_from(("resource", "action", "severity", "range", "elapsed_seconds", "add", "id_key")),
            json_values | st.dictionaries(st.sampled_from(("addr", "start", "filename")), json_values),
        )
        | json_values,
    ),
)
def test_no_known_kind_with_strange_contents_makes_the_reader_raise(kind: str, body: dict[str, Any]) -> None:
    event = parse(json.dumps({**body, "type": kind}))

    assert isinstance(event, UiEvent)


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"type":' * 50_000, '{"type": "change_summary", "changes": {"add": 1e999}}']
)
def test_hostile_json_does_not_make_the_reader_raise(line: str) -> None:
    assert isinstance(parse(line), UiEvent)


def test_an_empty_line_is_nothing() -> None:
    assert parse("  \n") is None


def test_a_line_that_is_no_json_keeps_its_words() -> None:
    assert parse("panic: runtime error\n") == UiEvent(message="panic: runtime error")


def test_a_completion_tells_the_id_of_the_real_object() -> None:
    hook = {"resource": RESOURCE, "action": "create", "id_key": "id", "id_value": "/a", "elapsed_seconds": 3}

    event = said("apply_complete", hook=hook)

    assert event == ApplyComplete(
        at=AT,
        message="words",
        address="aws_ssm_parameter.a",
        action="create",
        id_key="id",
        id_value="/a",
        seconds=3.0,
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("apply_start", ApplyStart),
        ("apply_progress", ApplyProgress),
        ("apply_errored", ApplyErrored),
        ("refresh_start", UiEvent),
    ],
)
def test_each_step_of_a_resource_has_a_type_of_its_own(kind: str, expected: type[UiEvent]) -> None:
    event = said(kind, hook={"resource": RESOURCE, "action": "update"})

    assert type(event) is expected


def test_a_planned_change_tells_action_reason_and_where_it_moved_from() -> None:
    change = {
        "resource": RESOURCE,
        "previous_resource": {"addr": "aws_ssm_parameter.old"},
        "action": "replace",
        "reason": "tainted",
    }

    event = said("planned_change", change=change)

    assert isinstance(event, PlannedChange)
    assert (event.address, event.action, event.reason) == ("aws_ssm_parameter.a", "replace", "tainted")
    assert event.previous_address == "aws_ssm_parameter.old"


def test_drift_is_told_apart_from_a_planned_change() -> None:
    event = said("resource_drift", change={"resource": RESOURCE, "action": "delete"})

    assert isinstance(event, ResourceDrift)
    assert event.action == "delete"


def test_of_a_summary_the_words_are_kept() -> None:
    counts = {"add": 1, "change": 2, "remove": 3, "import": 4, "operation": "apply"}

    assert said("change_summary", changes=counts) == UiEvent(at=AT, message="words")


def test_a_diagnostic_carries_its_address_and_line() -> None:
    body = {
        "severity": "error",
        "summary": "Bad",
        "detail": "Very",
        "address": "aws_vpc.a",
        "range": {"filename": "cdk.tf.json", "start": {"line": 6}},
    }

    event = said("diagnostic", diagnostic=body)

    assert isinstance(event, DiagnosticEvent)
    assert event.diagnostic == Diagnostic(
        severity="error", summary="Bad", detail="Very", address="aws_vpc.a", file="cdk.tf.json", line=6
    )


def test_the_values_of_outputs_are_never_kept() -> None:
    event = said("outputs", outputs={"o": {"sensitive": False, "value": "v"}, "s": {"sensitive": True}})

    assert event == UiEvent(at=AT, message="words")


def test_an_emergency_state_dump_is_recognised_and_does_not_print_the_state() -> None:
    line = json.dumps({"@message": "Emergency state dump", "state": {"secret": "s3cr3t"}})

    event = parse(line)

    assert isinstance(event, EmergencyStateDump)
    assert event.state == {"secret": "s3cr3t"}
    assert "s3cr3t" not in repr(event)


def test_of_a_kind_from_a_newer_engine_the_words_are_kept() -> None:
    assert said("quantum_leap", leap=1) == UiEvent(at=AT, message="words")


def step(kind: type[Any], address: str, action: str = "create", **more: str) -> Any:
    return kind(address=address, action=action, **more)


def test_starts_without_a_completion_are_in_doubt_even_where_they_errored() -> None:
    events = [
        step(ApplyStart, "a"),
        step(ApplyComplete, "a", id_key="id", id_value="1"),
        step(ApplyStart, "b"),
        step(ApplyErrored, "b"),
        step(ApplyStart, "c"),
    ]

    account = account_of(events)

    assert [start.address for start in account.in_doubt] == ["b", "c"]
    assert account.created == (("a", "id", "1"),)


def test_a_replacement_whose_create_is_missing_is_in_doubt() -> None:
    events = [
        step(ApplyStart, "a", "delete"),
        step(ApplyComplete, "a", "delete"),
        step(ApplyStart, "a", "create"),
    ]

    account = account_of(events)

    assert [(start.address, start.action) for start in account.in_doubt] == [("a", "create")]
    assert account.created == ()
