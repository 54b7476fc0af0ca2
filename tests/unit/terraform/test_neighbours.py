"""Objects that share an identifier are neighbours, wherever the identifier is written."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.terraform.neighbours import COMMON, Neighbourhood, Traces, traces_of

# Of letters that no other text of these tests has, so that nothing is found by accident.
NAMES = st.text("ghjkqwxyzGHJKQWXYZ0123456789._/:+@ -", min_size=3, max_size=24).filter(str.strip)
GLUE = st.text("bdflmoprtuv.-_:/ 0123456789", max_size=8)
CASES: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str, str.lower, str.upper, str.swapcase])
OWN = st.sampled_from(["id", "arn", "name", "url", "bucket", "function_name", "function_arn"])
KIND = "aws_lambda_function"
OTHER = {"id": "bottom", "tags": {"plot": "drum"}, "count": 3, "on": True, "none": None}


@st.composite
def buried(draw: st.DrawFn, text: str) -> Any:
    """The text in any case, with anything around it, in values and JSON of any depth."""
    value: Any = draw(GLUE) + draw(CASES)(text) + draw(GLUE)
    for wrapping in draw(st.lists(st.sampled_from(["list", "value", "name", "json"]), max_size=4)):
        match wrapping:
            case "list":
                value = [draw(GLUE), value]
            case "value":
                value = {draw(GLUE): value}
            case "name":
                value = {value: draw(GLUE)} if isinstance(value, str) else {"p": value}
            case "json":
                value = json.dumps(value)
    return value


def near(unchanged: Traces, changed: Traces, *others: Traces) -> bool:
    return 0 in Neighbourhood([unchanged, *others]).of([changed])


@given(st.data(), NAMES, OWN)
def test_what_identifies_a_changed_object_is_found_anywhere_in_another(
    data: st.DataObject, name: str, attribute: str
) -> None:
    changed = traces_of(KIND, {attribute: name})
    other = traces_of("aws_x", {**OTHER, "policy": data.draw(buried(name))})

    assert near(other, changed, *[other] * COMMON)


@given(st.data(), NAMES, OWN)
def test_what_identifies_another_object_is_found_anywhere_in_a_changed_one(
    data: st.DataObject, name: str, attribute: str
) -> None:
    changed = traces_of("aws_x", {**OTHER, "policy": data.draw(buried(name))})
    other = traces_of(KIND, {attribute: name})

    assert near(other, changed, *[other] * COMMON)


@given(
    st.data(),
    st.sampled_from(["sg-0a1b2c3d4e5f60718", "vpc-12345678", "arn:aws:iam::123456789012:role/q/w"]),
)
def test_two_objects_that_name_the_same_third_one_are_neighbours(
    data: st.DataObject, identifier: str
) -> None:
    """However many others name it, too, and whether or not anybody knows it."""
    glue = st.text("blmoprtuv/ ", max_size=5)
    text = json.dumps([data.draw(glue) + " " + data.draw(CASES)(identifier)])
    changed = traces_of("aws_x", {"id": "wz", "rule": {"to": identifier}})
    other = traces_of("aws_y", {"id": "xq", "policy": text})

    assert near(other, changed, *[other] * 3 * COMMON)


@given(NAMES.filter(lambda name: name.strip() == name))
def test_two_objects_that_have_the_id_of_a_known_third_one_are_neighbours(name: str) -> None:
    changed, other = (traces_of(kind, {"id": f"{kind}-1", "role": name}) for kind in ("aws_m", "aws_n"))
    third = traces_of("aws_iam_role", {"id": name})

    assert near(other, changed, third, *[other] * 3 * COMMON)


@given(NAMES.filter(lambda name: name.strip() == name), st.integers(1, 2 * COMMON))
def test_a_word_of_both_counts_unless_many_have_it(word: str, carriers: int) -> None:
    changed, other = (traces_of(kind, {"id": f"{kind}-1", "role": word}) for kind in ("aws_m", "aws_n"))

    assert near(other, changed, *[other] * (carriers - 1)) or carriers > COMMON


@pytest.mark.parametrize("carriers", [1, COMMON, COMMON + 1])
def test_a_region_or_a_team_makes_no_neighbours(carriers: int) -> None:
    changed, other = (traces_of(kind, {"id": f"{kind}-1", "team": "gold"}) for kind in ("aws_m", "aws_n"))

    assert near(other, changed, *[other] * (carriers - 1)) is (carriers <= COMMON)


def test_objects_with_nothing_in_common_are_no_neighbours() -> None:
    changed = traces_of("aws_sns_topic", {"id": "arn:aws:sns:eu-west-1:1:hook", "name": "hook"})
    other = traces_of(
        "aws_sqs_queue", {"id": "https://sqs/1/drum", "policy": '{"to": "arn:aws:sns:eu-west-1:1:tub"}'}
    )

    assert not near(other, changed)
    assert Neighbourhood([changed, other]).of([changed]) == {0}
    assert Neighbourhood([changed, other]).of([]) == frozenset()


def test_the_service_and_account_in_an_arn_make_no_neighbours() -> None:
    changed = traces_of("aws_x", {"id": "wz", "to": "arn:aws:sns:eu-west-1:123456789012:one"})
    other = traces_of("aws_sns_topic", {"id": "arn:aws:sns:eu-west-1:123456789012:two"})

    assert not near(other, changed)


@pytest.mark.parametrize("name", ["a<b", "caf\u00e9", 'a"b', "a\\b"])
def test_what_json_writes_otherwise_is_found(name: str) -> None:
    inner = json.dumps({"role": f"x{name}x"}).replace("<", "\\u003c")
    text = json.dumps([inner])

    assert near(traces_of("aws_y", {"policy": text}), traces_of("aws_x", {"id": name}))


def test_what_an_object_was_counts_as_much_as_what_it_is() -> None:
    changed = traces_of("aws_sns_topic", {"id": "before"}, {"id": "after"}, {})

    assert near(traces_of("aws_x", {"to": "xbeforex"}), changed)
    assert near(traces_of("aws_x", {"to": "xafterx"}), changed)


def test_where_too_much_has_changed_to_compare_everything_is_a_neighbour() -> None:
    others = [traces_of("aws_x", {"id": f"{number}!"}) for number in range(1001)]
    changed = [traces_of("aws_y", {"id": f"{number}?"}) for number in range(1001)]

    assert len(Neighbourhood(others).of(changed)) == len(others)
