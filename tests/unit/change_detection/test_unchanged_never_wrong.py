"""Skipping is never wrong: a world in which anything may change, and an oracle that remembers what did.

A shard `down` reads from `up`. It is proven well once. Then configuration, upstream outputs, state, versions,
settings and records are changed at random, some of them back again, and the real decision (real gathering,
a bucket in memory) must never say "unchanged" where the oracle knows of a difference that Terraform could
see; and must say so where only comments, key order and white space differ.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.changing_world import AWS, FAR, UNHEEDED, World

from holdfast_orchestrator.record.last_good import last_good_key


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*at, step)
        yield from places(inner, (*at, step))


LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 2) | st.sampled_from(["a", "b", FAR])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["x", "//"]), inner)
)


def change_configuration(world: World, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([at for at in places(world.configuration) if at[0] != "data"]))
    holder = world.configuration
    for step in path[:-1]:
        holder = holder[step]
    # What every engine would refuse before it read anything else is no configuration.
    if len(path) >= (4 if path[0] == "resource" else 3):
        holder[path[-1]] = data.draw(VALUES)


def change_outputs(world: World, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["id", "far", "unrelated"]))
    if data.draw(st.booleans()):
        world.outputs[name] = {"value": data.draw(VALUES)}
    else:
        world.outputs.pop(name, None)


def change_state(world: World, data: st.DataObject) -> None:
    world.state["serial"] = data.draw(st.integers(1, 3))
    world.state["lineage"] = data.draw(st.sampled_from(["l", "other"]))


def change_versions(world: World, data: st.DataObject) -> None:
    version, hashes = world.locks.get(AWS, ("5.100.0", frozenset({"h1:a", "zh:b"})))
    match data.draw(st.sampled_from(["engine", "version", "hashes", "none"])):
        case "engine":
            world.engine = data.draw(st.sampled_from(["terraform 1.11.4", "terraform 1.12.0", "tofu 1.11.4"]))
        case "version":
            world.locks[AWS] = (data.draw(st.sampled_from(["5.100.0", "5.99.0"])), hashes)
        case "hashes":
            some = st.frozensets(st.sampled_from(["h1:a", "zh:b", "h1:c"]))
            world.locks[AWS] = (version, data.draw(some))
        case _:
            world.locks.pop(AWS, None)


SETTINGS: list[tuple[str, list[Any]]] = [
    ("protected", [(), ("aws_sqs_queue.q",)]),
    ("health_checks", [(), ({"kind": "url", "name": "up"},)]),
    ("gates", [(), ({"kind": "approval"},)]),
    ("role_arn", [None, "arn:aws:iam::123456789012:role/deploy"]),
    ("tags", [{}, {"team": "a"}]),
]


def change_settings(world: World, data: st.DataObject) -> None:
    name, values = data.draw(st.sampled_from(SETTINGS))
    value = data.draw(st.sampled_from(values))
    world.said.pop(name, None)
    if value != values[0]:
        world.said[name] = value


VARIABLES = {
    "TF_AWS_DEFAULT_TAGS_Team": ["a", "b", ""],
    "AWS_REGION": ["eu-west-1", "us-east-1"],
    "AWS_ENDPOINT_URL": ["http://one", "http://two"],
    "AWS_ENDPOINT_URL_SQS": ["http://one", "http://two"],
}


def change_environment(world: World, data: st.DataObject) -> None:
    change_variable(world, data, VARIABLES)


def change_variable(world: World, data: st.DataObject, among: dict[str, list[str]]) -> None:
    name = data.draw(st.sampled_from(sorted(among)))
    world.environ.pop(name, None)
    if data.draw(st.booleans()):
        world.environ[name] = data.draw(st.sampled_from(among[name]))


def change_records(world: World, data: st.DataObject) -> None:
    world.locked, world.leftovers, world.is_open = (data.draw(st.booleans()) for _ in range(3))
    if data.draw(st.booleans()):
        world.good = "2"
        world.store.objects[last_good_key(world.shard.state.folder)] = b"{}"


def change_nothing_that_matters(world: World, data: st.DataObject) -> None:
    world.comments = data.draw(st.sampled_from([{}, {"metadata": {"version": "0.21.0"}}]))
    world.indent = data.draw(st.sampled_from([None, 2]))
    world.backwards = data.draw(st.booleans())
    world.outputs["unrelated"] = {"value": data.draw(VALUES)}
    world.own_endpoint = data.draw(st.sampled_from(["http://127.0.0.1:4001", "http://127.0.0.1:4002"]))
    change_variable(world, data, UNHEEDED)


CHANGES = (
    change_configuration,
    change_outputs,
    change_state,
    change_versions,
    change_settings,
    change_environment,
    change_records,
    change_nothing_that_matters,
)


@settings(max_examples=200)
@given(data=st.data())
def test_a_shard_is_never_called_unchanged_where_something_is_not_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    world.prove()
    proven = world.meaning()

    for _ in range(data.draw(st.integers(1, 4))):
        data.draw(st.sampled_from(CHANGES))(world, data)
        decision = world.decide()

        assert not decision.unchanged or world.meaning() == proven, decision


@given(data=st.data())
def test_comments_key_order_and_outputs_nobody_reads_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    world.prove()

    change_nothing_that_matters(world, data)

    assert world.decide().unchanged


@settings(max_examples=50)
@given(data=st.data())
def test_what_was_changed_and_is_as_it_was_again_may_be_skipped(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    world.prove()
    before = copy.deepcopy((world.configuration, world.outputs))
    change_configuration(world, data)
    change_outputs(world, data)
    world.decide()

    world.configuration, world.outputs = before

    assert world.decide().unchanged
