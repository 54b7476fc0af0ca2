"""Decisions about single objects of a run that is taken up."""

import json

import pytest
from tests.support.dead_runs import (
    BOTH,
    NETWORK,
    DiedError,
    died,
    died_everywhere,
    open_run,
    resumed,
    stuck,
)
from tests.support.deploy_world import Deployment, World

from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.errors import UsageError

QUEUE_A = 'aws_sqs_queue.q["a"]'


def keyed(world: World) -> str:
    """A run that waits for a person, and whose state has a queue with a key; returns its name."""
    run = stuck(world)
    state = json.loads(world.state("network"))
    state["resources"][0]["instances"] = [{"attributes": {"id": "a"}, "index_key": "a"}]
    world.write_body("network", json.dumps(state).encode())
    return run


@pytest.mark.parametrize(
    ("option", "decision"),
    [
        ("--orphan", OperatorDecision(orphan=("aws_sqs_queue.q[a]",))),
        ("--skip", OperatorDecision(skip=("aws_sqs_queue.q[a]",))),
    ],
)
def test_a_decision_about_an_object_that_is_not_there_is_refused_and_changes_nothing(
    world: World, option: str, decision: OperatorDecision
) -> None:
    Deployment(world, BOTH).carry_out()
    run = keyed(world)
    world.calls.clear()
    before = dict(world.store.objects)

    with pytest.raises(UsageError) as refused:
        resumed(world, run, decision=decision)

    assert f"{option} aws_sqs_queue.q[a]" in refused.value.what
    assert f"the nearest is {QUEUE_A}" in refused.value.what
    assert refused.value.next_step == f"holdfast resume {run} {option} '{QUEUE_A}'"
    assert refused.value.exit_code == 64
    assert world.calls == []
    assert dict(world.store.objects) == before


def test_a_decision_about_nothing_that_is_like_anything_says_where_to_look(world: World) -> None:
    run = stuck(world)

    with pytest.raises(UsageError) as refused:
        resumed(world, run, decision=OperatorDecision(orphan=("x.y",)))

    assert refused.value.next_step == "look for its address: holdfast state pull network"


def test_one_shard_of_a_run_that_knows_the_address_is_enough(world: World) -> None:
    Deployment(world, BOTH).carry_out()
    run = died_everywhere(world)
    state = json.loads(world.state("audit"))
    state["resources"][0]["name"] = "only_here"
    world.write_body("audit", json.dumps(state).encode())

    result = resumed(world, run, decision=OperatorDecision(orphan=("aws_sqs_queue.only_here",)))

    assert set(result.outcome) == {"audit", "network"}


@pytest.mark.parametrize(
    "decision", [OperatorDecision(skip=("aws_sns_topic.old",)), OperatorDecision(skip=("aws_sqs_queue.q",))]
)
def test_what_only_the_plan_or_the_last_good_deployment_knows_can_be_skipped(
    world: World, decision: OperatorDecision
) -> None:
    Deployment(world, BOTH).carry_out()
    run = died(world)
    world.write_state("network", resources=0)

    assert resumed(world, run, decision=decision).run == run


def test_what_was_to_be_created_and_is_in_no_state_yet_can_be_let_go_of(world: World) -> None:
    def die(call: str) -> None:
        if call == "apply plan.tfplan of network":
            raise DiedError

    world.on_call = die
    with pytest.raises(DiedError):
        Deployment(world, (NETWORK,)).carry_out()
    run = open_run(world)
    assert run is not None
    world.on_call = lambda _call: None

    assert resumed(world, run, decision=OperatorDecision(orphan=("aws_sqs_queue.q",))).run == run


def test_a_decision_about_a_run_that_has_nothing_open_can_be_repeated(world: World) -> None:
    done = Deployment(world, BOTH).carry_out()

    assert resumed(world, done.run, decision=OperatorDecision(orphan=("x.y",))).exit_code == 0
