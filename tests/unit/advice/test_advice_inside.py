import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.advice.inside import Inside, inside_of
from holdfast_orchestrator.app.manifest import Shard, Source, StateLocation


def shard(configuration: dict[str, Any], **fields: Any) -> Shard:
    return Shard(
        name="orders-prod",
        directory=Path(),
        configuration=json.dumps(configuration).encode(),
        service="orders",
        environment="prod",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key="orders/x/terraform.tfstate", region="eu-west-1"),
        **fields,
    )


def at(path: str, **arguments: Any) -> dict[str, Any]:
    return {"//": {"metadata": {"path": f"orders-prod/{path}", "uniqueId": "x"}}, **arguments}


def test_resources_stand_in_the_groups_of_their_constructs() -> None:
    app = {
        "resource": {
            "aws_sqs_queue": {"a": at("jobs/queue"), "b": at("mail/queue")},
            "aws_sns_topic": {"c": at("mail/topic")},
        }
    }

    inside = inside_of(shard(app))

    assert inside is not None
    top, below = inside.levels()
    assert top.groups == {"jobs": ("aws_sqs_queue.a",), "mail": ("aws_sns_topic.c", "aws_sqs_queue.b")}
    assert list(below.groups) == ["jobs/queue", "mail/queue", "mail/topic"]


def test_references_are_found_in_expressions_through_data_and_locals_and_in_depends_on() -> None:
    app = {
        "locals": {"target": "${aws_sqs_queue.queue.arn}"},
        "data": {"aws_iam_policy_document": {"doc": at("p", statement=[{"resources": ["${local.target}"]}])}},
        "resource": {
            "aws_sqs_queue": {"queue": at("jobs/queue")},
            "aws_iam_policy": {"p": at("role/p", policy="${data.aws_iam_policy_document.doc.json}")},
            "aws_sns_topic": {
                "late": at("mail/t", depends_on=["aws_iam_policy.p"]),
                "alone": at("mail/a", name="$${aws_iam_policy.p.arn} ${var.region}"),
            },
        },
    }

    inside = inside_of(shard(app))

    assert inside is not None
    assert inside.references == {
        ("aws_iam_policy.p", "aws_sqs_queue.queue"),
        ("aws_sns_topic.late", "aws_iam_policy.p"),
    }
    assert next(inside.levels()).arrows == {("role", "jobs"): 1, ("mail", "role"): 1}


def test_the_manifest_knows_better_where_a_resource_comes_from() -> None:
    sources = {"aws_sqs_queue.a": Source(path="orders-prod/api/jobs")}
    app = {"resource": {"aws_sqs_queue": {"a": at("elsewhere/queue"), "b": {}}}}

    inside = inside_of(shard(app, sources=sources))

    assert inside is not None
    assert inside.paths == {"aws_sqs_queue.a": ("api", "jobs"), "aws_sqs_queue.b": ("aws_sqs_queue.b",)}


def test_a_shard_with_modules_hides_what_it_holds() -> None:
    assert inside_of(shard({"module": {"m": {"source": "./m"}}})) is None


PATHS = st.dictionaries(
    st.text("rst", min_size=1, max_size=6),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple),
    min_size=1,
)


@given(PATHS)
def test_on_each_level_every_resource_is_in_one_group_which_is_a_construct_above_it(
    paths: dict[str, tuple[str, ...]],
) -> None:
    for level in Inside(paths, frozenset()).levels():
        assert sorted(address for members in level.groups.values() for address in members) == sorted(paths)
        for address, name in level.group_of.items():
            assert f"{'/'.join(paths[address])}/".startswith(f"{name}/")


@given(PATHS)
def test_each_level_divides_the_groups_of_the_one_before(paths: dict[str, tuple[str, ...]]) -> None:
    levels = list(Inside(paths, frozenset()).levels())

    for coarse, fine in pairwise(levels):
        for members in fine.groups.values():
            assert len({coarse.group_of[address] for address in members}) == 1
    assert all(levels[-1].group_of[address] == "/".join(path) for address, path in paths.items())
