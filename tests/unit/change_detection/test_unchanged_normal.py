"""What counts as the same configuration, and what makes one that nobody can judge from outside."""

import json
from typing import Any

import pytest

from holdfast_orchestrator.change_detection.normalize import (
    UnreadableError,
    configuration_digest,
    differing,
    doubts,
    normal,
)
from holdfast_orchestrator.change_detection.upstream import outputs_read


def same(one: str, other: str) -> bool:
    return configuration_digest(one.encode()) == configuration_digest(other.encode())


def doubted(document: dict[str, Any]) -> tuple[str, ...]:
    return doubts(normal(json.dumps(document).encode()))


def resource(**arguments: Any) -> dict[str, Any]:
    return {"resource": {"aws_sqs_queue": {"q": arguments}}}


def test_order_white_space_and_comments_of_blocks_do_not_count() -> None:
    one = {**resource(name="a", delay=1), "//": {"metadata": {}}, "output": {"o": {"value": 1}}}
    other = {"output": {"o": {"//": "x", "value": 1}}, **resource(delay=1, name="a")}
    other["resource"]["aws_sqs_queue"]["q"]["//"] = {"metadata": {"path": "p"}}

    assert same(json.dumps(one), json.dumps(other, indent=4))


def test_a_key_that_looks_like_a_comment_counts_inside_a_map() -> None:
    assert not same(json.dumps(resource(tags={"//": "a"})), json.dumps(resource(tags={"//": "b"})))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1.50", "1.5"),
        ("0.1", "0.1000000000000000055"),
        ("1", "true"),
        ("1", '"1"'),
        ("0", "null"),
    ],
)
def test_values_that_are_written_differently_count_as_different(one: str, other: str) -> None:
    text = '{"resource": {"a": {"b": {"c": %s}}}}'

    assert not same(text % one, text % other)


def test_the_order_of_a_list_counts() -> None:
    assert not same(json.dumps(resource(cidrs=["a", "b"])), json.dumps(resource(cidrs=["b", "a"])))


@pytest.mark.parametrize("text", ["", "[]", "no json", '{"a": 1, "a": 2}'])
def test_what_is_no_plain_configuration_cannot_be_compared(text: str) -> None:
    with pytest.raises(UnreadableError):
        normal(text.encode())


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"archive_file": {"zip": {"type": "zip"}}}},
        {"data": {"sops_file": {"s": {"source_file": "secrets.enc.yaml"}}}},
        {"data": {"aws_ssm_parameter": {"tag": {"name": "/orders/image-tag"}}}},
        {"data": {"aws_ami": {"newest": {"most_recent": True, "owners": ["amazon"]}}}},
        {"data": [{"aws_caller_identity": {"me": {}}}, {"http": {"ip": {"url": "https://ip.example"}}}]},
        resource(name='${data.terraform_remote_state.up.outputs["id"]}'),
        resource(name="${data.terraform_remote_state.up.outputs.größe}"),
        resource(all="${jsonencode(data.terraform_remote_state.up)}"),
        resource(depends_on=["data.terraform_remote_state.up"]),
    ],
)
def test_what_depends_on_things_outside_is_doubted(document: dict[str, Any]) -> None:
    assert doubted(document)


@pytest.mark.parametrize(
    "document",
    [
        resource(name="${data.terraform_remote_state.up.outputs.id}"),
        resource(name="${data.terraform_remote_state.up.outputs.ids[0]}-${upper(aws_x.y.profile)}"),
        resource(description="reads a file (often)"),
        resource(path="/", health_check="/health", name="repo/secrets.enc.yaml"),
        {"data": {"aws_caller_identity": {"me": {}}, "aws_iam_policy_document": {"trust": {}}}},
    ],
)
def test_what_is_plain_is_not_doubted(document: dict[str, Any]) -> None:
    assert doubted(document) == ()


def test_what_differs_is_named_by_its_address() -> None:
    before = {**resource(name="a"), "output": {"o": {"value": 1}}, "provider": {"aws": [{"region": "a"}]}}
    now = {**resource(name="b"), "output": {"p": {"value": 1}}, "provider": {"aws": [{"region": "a"}]}}

    assert differing(before, now) == ("aws_sqs_queue.q", "output.o", "output.p")


@pytest.mark.parametrize(
    ("workspace", "outputs"),
    [
        ({}, {"vpc"}),
        ({"workspace": "default"}, {"vpc"}),
        ({"workspace": "${terraform.workspace}"}, {"vpc"}),
        ({"workspace": "blue"}, set()),
    ],
)
def test_the_state_of_another_workspace_is_not_the_one_at_the_key(
    workspace: dict[str, str], outputs: set[str]
) -> None:
    source = {"backend": "s3", "config": {"bucket": "b", "key": "k"}, **workspace}
    document = {
        "data": {"terraform_remote_state": {"network": source}},
        **resource(name="${data.terraform_remote_state.network.outputs.vpc}"),
    }

    assert outputs_read(document, ("b", "k")) == outputs
