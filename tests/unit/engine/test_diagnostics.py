"""Complaints: once, with advice where the failure is known, and with the line of Python they are about."""

import json

import pytest

from holdfast_orchestrator.app.manifest import Source
from holdfast_orchestrator.engine.diagnostics import (
    CommandFailedError,
    Diagnostic,
    Place,
    advice_for,
    from_stderr,
    known_failures,
    locate,
    places,
    unique,
)

BOX = """\x1b[31m╷\x1b[0m
│ Error: creating SSM Parameter (/a): ParameterAlreadyExists
│
│   with aws_ssm_parameter.a,
│   on cdk.tf.json line 12, in resource.aws_ssm_parameter.a:
│   12:       "a": {
│
│ The parameter already exists.
╵
╷
│ Warning: Deprecated
│
│ Do not.
╵
"""
CONFIGURATION = json.dumps(
    {
        "data": {"aws_region": {"here": {"name": "x"}}},
        "resource": {
            "aws_vpc": {
                "main": {"//": {"metadata": {"path": "network/vpc"}}, "tags": {"Name": "a"}},
                "other": {"cidr_block": "10.0.0.0/16"},
            }
        },
    },
    indent=2,
).encode()


def error(text: str, **more: object) -> Diagnostic:
    return Diagnostic(severity="error", summary=text, **more)  # type: ignore[arg-type]


def line_of(fragment: str) -> int:
    return next(n for n, line in enumerate(CONFIGURATION.decode().splitlines(), 1) if fragment in line)


@pytest.mark.parametrize("row", known_failures(), ids=lambda row: row.id)
def test_each_known_failure_is_recognised_by_its_own_row_and_no_earlier_one(row: object) -> None:
    first = next(one for one in known_failures() if one.pattern.search(row.example))  # type: ignore[attr-defined]

    assert first == row


def test_the_table_has_no_two_rows_of_one_name() -> None:
    ids = [row.id for row in known_failures()]

    assert len(ids) == len(set(ids)) >= 20


def test_an_unknown_failure_gets_no_advice() -> None:
    assert advice_for("the moon is in the wrong house") is None


def test_an_error_in_the_events_and_on_standard_error_is_one() -> None:
    (boxed, _) = from_stderr(BOX)
    told = Diagnostic(
        severity="error",
        summary="creating SSM Parameter (/a): ParameterAlreadyExists",
        detail=boxed.detail.replace(" ", "  "),
        address="aws_ssm_parameter.a",
    )

    assert unique([told, boxed]) == (told,)


def test_attempts_that_differ_only_in_their_request_ids_are_one() -> None:
    first = error("api error: StatusCode: 403, RequestID: 1f-aa, HostID: xyz=, AccessDenied")
    second = error("api error: StatusCode: 403, RequestID: 2f-bb, HostID: abc=, AccessDenied")

    assert unique([first, second, first]) == (first,)


def test_the_same_words_about_two_resources_stay_two() -> None:
    first, second = error("AccessDenied", address="a.a"), error("AccessDenied", address="b.b")

    assert unique([first, second, error("AccessDenied")]) == (first, second)


def test_boxes_on_standard_error_are_read_with_address_and_line() -> None:
    told = from_stderr(BOX)

    assert [(one.severity, one.summary) for one in told] == [
        ("error", "creating SSM Parameter (/a): ParameterAlreadyExists"),
        ("warning", "Deprecated"),
    ]
    assert (told[0].address, told[0].file, told[0].line) == ("aws_ssm_parameter.a", "cdk.tf.json", 12)
    assert told[0].detail.endswith("The parameter already exists.")


def test_text_without_boxes_holds_no_complaint() -> None:
    assert from_stderr("2026 [DEBUG] plugin exited\n") == ()


def test_a_failed_command_shows_the_raw_text_and_one_line_of_advice_below() -> None:
    failure = CommandFailedError("terraform plan", 1, [error("AWS account ID not allowed: 1")])

    assert str(failure).startswith(
        "terraform plan failed (exit code 1): AWS account ID not allowed: 1\n  next: "
    )
    assert "another account" in str(failure)


def test_a_warning_is_no_reason_for_a_failure() -> None:
    failure = CommandFailedError(
        "terraform plan", 1, [Diagnostic(severity="warning", summary="ExpiredToken")]
    )

    assert "it gave no reason" in str(failure)
    assert failure.next_step is None


def test_a_resource_is_placed_by_the_manifest_even_with_an_index() -> None:
    source = Source(path="network/vpc", construct='Network "network"', file="stacks/network.py", line=31)

    place = locate(error("x", address='aws_vpc.main["a.b"]'), {"aws_vpc.main": source}, b"{}")

    assert place == Place(
        address='aws_vpc.main["a.b"]',
        path="network/vpc",
        construct='Network "network"',
        file="stacks/network.py",
        line=31,
    )
    assert str(place) == 'stacks/network.py:31 (Network "network")'


def test_a_foreign_apps_resource_is_placed_by_its_construct_path() -> None:
    place = locate(error("x", address="aws_vpc.main"), {}, CONFIGURATION)

    assert str(place) == "network/vpc"


def test_a_complaint_with_only_a_line_is_placed_by_the_block_around_it() -> None:
    place = locate(error("x", file="cdk.tf.json", line=line_of("cidr_block")), {}, CONFIGURATION)

    assert place == Place(address="aws_vpc.other")


def test_a_data_source_is_told_apart_from_a_resource() -> None:
    place = locate(error("x", line=line_of('"name"')), {}, CONFIGURATION)

    assert place == Place(address="data.aws_region.here")


def test_each_resource_of_a_cycle_has_its_place() -> None:
    source = Source(path="network/other", construct='Vpc "other"', file="stacks/network.py", line=31)
    cycle = error("Cycle: aws_vpc.main, aws_vpc.other (expand), aws_vpc.other (destroy), local.x (expand)")

    lines = [str(place) for place in places(cycle, {"aws_vpc.other": source}, CONFIGURATION)]

    assert lines == ["network/vpc", 'stacks/network.py:31 (Vpc "other")', "local.x"]
    assert cycle.advice is not None


def test_what_is_no_cycle_has_the_one_place() -> None:
    assert places(error("x", address="aws_vpc.main"), {}, CONFIGURATION) == (
        locate(error("x", address="aws_vpc.main"), {}, CONFIGURATION),
    )
    assert places(error("Bicycle: aws_vpc.main"), {}, CONFIGURATION) == ()


@pytest.mark.parametrize("configuration", [b"", b"not json", b"[]", b'{"resource": []}'])
def test_a_configuration_that_says_nothing_gives_the_address_alone(configuration: bytes) -> None:
    assert locate(error("x", address="a.b"), {}, configuration) == Place(address="a.b")


def test_a_complaint_about_nothing_in_particular_has_no_place() -> None:
    assert locate(error("x"), {}, CONFIGURATION) is None
    assert locate(error("x", line=1), {}, CONFIGURATION) is None
