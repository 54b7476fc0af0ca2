"""What is no state of format 4 that manages something is refused, and said to be what it is."""

import json
from typing import Any

import pytest

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.terraform.given_state import fitting, given_state

TOPIC: dict[str, Any] = {
    "mode": "managed",
    "type": "aws_sns_topic",
    "name": "x",
    "instances": [{"attributes": {"id": "arn"}}],
}
DEPOSED: dict[str, Any] = {"deposed": "0123abcd", "attributes": {"id": "old"}}
STATE: dict[str, Any] = {
    "version": 4,
    "terraform_version": "1.11.4",
    "serial": 3,
    "lineage": "one",
    "outputs": {},
    "resources": [TOPIC],
}


def test_a_state_that_manages_something_is_read() -> None:
    state = given_state("x.tfstate", json.dumps(STATE).encode())

    assert (state.lineage, state.serial) == ("one", 3)


def test_instances_and_what_waits_for_its_destruction_are_not_one_object_twice() -> None:
    each = [{"index_key": key, **TOPIC["instances"][0]} for key in (0, "0", "a")]
    both = [*TOPIC["instances"], DEPOSED, {**DEPOSED, "deposed": "4567abcd"}]
    resources = [{**TOPIC, "instances": each}, {**TOPIC, "name": "y", "instances": both}]
    resources += [{**TOPIC, "module": f"module.{name}"} for name in "ab"]

    given_state("x.tfstate", json.dumps({**STATE, "resources": resources}).encode())


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (json.dumps(STATE).encode()[:-20], "it is cut off or damaged"),
        (b"[" * 100_000, "it is not JSON"),
        (b"{" + b'"a":{' * 100_000, "it is cut off or damaged"),
        (b"Error: no state", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not UTF-8 without a byte order mark"),
        (json.dumps(STATE).encode("utf-8-sig"), "it is not UTF-8 without a byte order mark"),
        (json.dumps(STATE).encode("utf-16"), "it is not UTF-8 without a byte order mark"),
        (json.dumps(STATE).encode("utf-16-le"), "it is not UTF-8 without a byte order mark"),
        (json.dumps(STATE).encode("utf-16-be"), "it is not UTF-8 without a byte order mark"),
        (json.dumps(STATE).encode("utf-32-be"), "it is not UTF-8 without a byte order mark"),
        (b"[]", "it is JSON, but not an object"),
        (b"\x1f\x8b\x08", "it is an archive"),
        ({"version": 3, "serial": 1, "lineage": "x", "modules": []}, "its format is 3, not 4"),
        ({"version": 5, "serial": 1, "lineage": "x"}, "its format is 5, not 4"),
        ({"serial": 1, "lineage": "x", "encrypted_data": "e", "meta": {}}, "OpenTofu encrypted it"),
        ({"format_version": "1.0", "planned_values": {}}, "it is what `terraform show -json` prints"),
        ({"name": "an app"}, "it is JSON, but no state"),
        ({**STATE, "lineage": ""}, "it lacks lineage"),
        ({**STATE, "lineage": None, "serial": None}, "it lacks lineage, serial"),
        ({**STATE, "serial": "3"}, "its resources are damaged"),
        ({**STATE, "resources": [{"mode": "managed"}]}, "its resources are damaged"),
        ({**STATE, "lineage": "../x"}, "its lineage is '../x'"),
        ({**STATE, "serial": -1}, "its serial -1"),
        ({**STATE, "serial": 2**64}, "its serial 18446744073709551616"),
        ({**STATE, "resources": [TOPIC, TOPIC]}, "it has aws_sns_topic.x twice"),
        (
            {**STATE, "resources": [{**TOPIC, "instances": [DEPOSED, DEPOSED]}]},
            "it has aws_sns_topic.x twice",
        ),
        ({**STATE, "resources": []}, "manages nothing (serial 3)"),
        ({**STATE, "resources": [{**TOPIC, "mode": "data"}]}, "manages nothing (serial 3)"),
    ],
)
def test_anything_else_is_refused_for_what_it_is(content: object, what: str) -> None:
    given = content if isinstance(content, bytes) else json.dumps(content).encode()

    with pytest.raises(UsageError) as raised:
        given_state("x.tfstate", given)

    assert "x.tfstate" in str(raised.value)
    assert what in str(raised.value)
    assert raised.value.next_step


@pytest.mark.parametrize(
    ("configuration", "count"),
    [
        ({"resource": {"aws_sns_topic": {"x": {}}}}, 1),
        ({"resource": [{"aws_sns_topic": [{"x": {}}]}]}, 1),
        ({"resource": {"aws_sns_topic": {"y": {}}}}, 0),
        ({"resource": {"aws_sns_topic": {"y": {}}}, "moved": [{"from": "aws_sns_topic.x", "to": "…y"}]}, 1),
        ({}, 0),
    ],
)
def test_what_fits_is_what_the_configuration_declares_or_moves(configuration: Any, count: int) -> None:
    assert fitting(STATE, configuration) == count


def test_what_lies_in_a_module_fits_where_the_module_is_declared() -> None:
    state = {**STATE, "resources": [{**TOPIC, "module": 'module.net["a"].module.inner'}]}

    assert fitting(state, {"module": {"net": {"source": "./net"}}}) == 1
    assert fitting(state, {"module": {"other": {"source": "./net"}}}) == 0
