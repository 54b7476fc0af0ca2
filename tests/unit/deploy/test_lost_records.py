"""What Holdfast keeps of the last good deployment is gone or damaged: each command has a way forward."""

import shlex
from collections.abc import Callable

import pytest
from tests.support.deploy_world import CHAIN, Deployment, World, version

from holdfast_orchestrator.deploy.outcome import Outcome, RunResult
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.shard.intent import RollbackTarget
from holdfast_orchestrator.record.artifact import artifact_key
from holdfast_orchestrator.record.last_good import last_good_key, read_last_good
from holdfast_orchestrator.record.state_record import state_record_key

NETWORK = CHAIN[0]
FOLDER = NETWORK.state.folder
Damage = Callable[[World, str], None]


def gone(world: World, key: str) -> None:
    del world.store.objects[key]


def damaged(world: World, key: str) -> None:
    world.store.objects[key] = b"{}"


def changed(world: World, name: str, **order: object) -> RunResult:
    """Deploy, roll back or destroy a version that changes something."""
    world.losses = {"network": "aws_sns_topic.old"}
    return Deployment(world, (version(name),)).carry_out(**order)  # type: ignore[arg-type]


def artifact_of(world: World) -> str:
    good = read_last_good(world.store, FOLDER)
    assert good is not None
    return artifact_key(good.record.artifact)


def command(result: RunResult) -> list[str]:
    (shard,) = result.shards
    assert shard.next_step is not None, shard
    return shlex.split(shard.next_step.rpartition(": ")[2])


@pytest.mark.parametrize("damage", [gone, damaged])
def test_a_deploy_without_a_way_back_is_held_and_goes_on_with_no_rollback(
    world: World, damage: Damage
) -> None:
    changed(world, "1")
    damage(world, artifact_of(world))

    held = changed(world, "2")
    agreed = changed(world, "2", policy=DeployPolicy(rollback=False))
    afterwards = changed(world, "3")

    assert held.outcome["network"] is Outcome.BLOCKED
    assert command(held)[-1] == "--no-rollback"
    assert agreed.outcome["network"] is Outcome.COMMITTED
    assert afterwards.outcome["network"] is Outcome.COMMITTED


@pytest.mark.parametrize("damage", [gone, damaged])
def test_a_destroy_needs_no_artifact(world: World, damage: Damage) -> None:
    changed(world, "1")
    damage(world, artifact_of(world))

    assert changed(world, "1", destroy=True).outcome["network"] is Outcome.COMMITTED


@pytest.mark.parametrize("damage", [gone, damaged])
def test_the_same_version_deployed_again_brings_its_artifact_back(world: World, damage: Damage) -> None:
    changed(world, "1")
    damage(world, artifact_of(world))
    world.losses = {}

    result = Deployment(world, (version("1"),)).carry_out()

    assert result.outcome["network"] is Outcome.UNCHANGED
    assert changed(world, "2").outcome["network"] is Outcome.COMMITTED


def test_a_rollback_to_a_lost_deployment_names_another_that_is_kept(world: World) -> None:
    first = changed(world, "1")
    second = changed(world, "2")
    lost = artifact_of(world)
    changed(world, "3")
    gone(world, lost)

    refused = changed(world, "3", back=RollbackTarget(second.run))
    words = command(refused)
    found = changed(world, "3", back=RollbackTarget(words[words.index("--to") + 1]))

    assert refused.exit_code == 64
    assert found.outcome["network"] is Outcome.COMMITTED, found
    assert first.run != second.run


@pytest.mark.parametrize("key", [last_good_key(FOLDER), state_record_key(FOLDER)])
def test_a_damaged_record_is_written_anew_with_rebaseline(world: World, key: str) -> None:
    changed(world, "1")
    damaged(world, key)

    refused = changed(world, "2")
    agreed = changed(world, "2", policy=DeployPolicy(rebaseline=True))
    afterwards = changed(world, "3")

    assert refused.outcome["network"] is Outcome.NEEDS_HUMAN
    assert command(refused)[-1] == "--rebaseline"
    assert agreed.outcome["network"] is Outcome.COMMITTED, agreed
    assert afterwards.outcome["network"] is Outcome.COMMITTED, afterwards
