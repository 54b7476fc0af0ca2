"""What is planned before a deploy, and that what was looked at is what is applied."""

from tests.support.deploy_world import CHAIN, Deployment, World, deployed

from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.plan.result import PlanOutcome as ShardPlanOutcome


def test_a_first_plan_defers_what_waits_for_another_shards_outputs(world: World) -> None:
    plan = Deployment(world).plan()

    assert [one.outcome for one in plan.shards] == [
        ShardPlanOutcome.CHANGES,
        ShardPlanOutcome.DEFERRED,
        ShardPlanOutcome.DEFERRED,
    ]
    assert plan.by_name["orders"].waits_for == ("data",)
    assert plan.by_name["orders"].summary == "waits for `data`"
    assert plan.has_changes


def test_a_shard_that_cannot_be_planned_is_part_of_the_answer(world: World) -> None:
    world.unplannable = {"network"}

    plan = Deployment(world, (CHAIN[0],)).plan()

    assert plan.failures[0].shard == "network"
    assert "it broke" in str(plan.failures[0].failure)


def test_the_plan_that_was_looked_at_is_the_plan_that_is_applied(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))
    plan = deployment.plan()
    world.calls.clear()

    deployment.carry_out(shown=plan)

    assert world.calls == [
        "init network",
        "apply kept.tfplan of network",
        "init network",
        "verify network",
    ]


def test_below_a_shard_that_changed_the_plan_is_made_anew(world: World) -> None:
    deployed(world, CHAIN[0])
    deployment = Deployment(world, CHAIN[:2])
    world.losses = {"network": "aws_sns_topic.old"}
    plan = deployment.plan()
    world.calls.clear()

    deployment.carry_out(shown=plan)

    assert "apply kept.tfplan of network" in world.calls
    assert "apply plan.tfplan of data" in world.calls


def test_a_loss_that_was_not_looked_at_blocks_the_shard(world: World) -> None:
    deployed(world, *CHAIN[:2])
    world.losses = {"network": "aws_sns_topic.old"}
    deployment = Deployment(world, CHAIN[:2])
    plan = deployment.plan()
    world.losses = {**world.losses, "data": "aws_dynamodb_table.t"}

    result = deployment.carry_out(shown=plan)

    assert result.outcome["data"] is Outcome.BLOCKED
    assert "aws_dynamodb_table.t, which the plan that was shown did not" in str(result.results["data"].reason)


def test_what_was_unchanged_when_looked_at_needs_no_terraform(world: World) -> None:
    deployed(world, CHAIN[0])
    deployment = Deployment(world, (CHAIN[0],))
    plan = deployment.plan()
    world.calls.clear()

    result = deployment.carry_out(shown=plan)

    assert result.outcome["network"] is Outcome.UNCHANGED
    assert world.calls == []
