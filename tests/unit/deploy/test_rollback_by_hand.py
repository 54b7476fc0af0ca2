"""Where `holdfast rollback SHARD` goes back to when nobody names a deployment."""

from tests.support.deploy_world import CHAIN, Deployment, World, version

from holdfast_orchestrator.deploy.outcome import Outcome, RunResult
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.shard.intent import RollbackTarget
from holdfast_orchestrator.deploy.work.leased_shard import recorded
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.record.state_record import StateRecord, note_state
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.testing import FrozenClock

NETWORK = CHAIN[0]
FOLDER = NETWORK.state.folder


def deployed(world: World, name: str) -> RunResult:
    """Deploy a version that changes something: it takes an old topic out."""
    world.losses = {"network": "aws_sns_topic.old"}
    return Deployment(world, (version(name),)).carry_out()


def failed(world: World, name: str, *, rollback: bool) -> RunResult:
    world.failing = {"network"}
    try:
        world.losses = {"network": "aws_sns_topic.old"}
        return Deployment(world, (version(name),)).carry_out(policy=DeployPolicy(rollback=rollback))
    finally:
        world.failing = set()


def goes_back_to(world: World, *, rebaseline: bool = False) -> str:
    """The run that a rollback by hand goes back to."""
    deployment = Deployment(world, (version("now"),))
    result = deployment.carry_out(back=RollbackTarget(), policy=DeployPolicy(rebaseline=rebaseline))
    told = [event.message for event in deployment.events if isinstance(event, Notice)]
    found = [one.partition("goes back to deploy ")[2].partition(" ")[0] for one in told if "goes back" in one]
    assert found, (told, result)
    return found[0]


def test_after_a_good_deploy_it_is_the_one_before(world: World) -> None:
    first = deployed(world, "1")
    deployed(world, "2")

    assert goes_back_to(world) == first.run


def test_after_a_failure_that_was_rolled_back_it_is_the_one_before_what_stands(world: World) -> None:
    first = deployed(world, "1")
    deployed(world, "2")
    serial = world.serial("network")
    undone = failed(world, "3", rollback=True)

    assert undone.outcome["network"] is Outcome.ROLLED_BACK
    assert world.serial("network") > serial
    assert goes_back_to(world) == first.run


def test_after_a_failure_that_was_kept_it_is_the_last_good_one(world: World) -> None:
    deployed(world, "1")
    second = deployed(world, "2")
    kept = failed(world, "3", rollback=False)

    assert kept.outcome["network"] is Outcome.FAILED
    assert goes_back_to(world) == second.run


def test_once_a_kept_failure_is_taken_back_it_is_the_one_before_again(world: World) -> None:
    first = deployed(world, "1")
    second = deployed(world, "2")
    failed(world, "3", rollback=False)

    assert [goes_back_to(world), goes_back_to(world)] == [second.run, first.run]


def test_a_restored_state_is_no_deployment(world: World) -> None:
    first = deployed(world, "1")
    deployed(world, "2")
    world.write_state("network")
    state = recorded(read_snapshot(world.store, NETWORK.state.key))
    restored = StateRecord(run="01RESTORE", is_open=False, state=state, at=FrozenClock().now())
    note_state(world.store, FOLDER, restored)

    assert goes_back_to(world) == first.run


def test_what_somebody_else_wrote_is_no_deployment_once_it_is_taken_for_the_truth(world: World) -> None:
    first = deployed(world, "1")
    deployed(world, "2")
    world.write_state("network")

    refused = Deployment(world, (version("now"),)).carry_out(back=RollbackTarget())

    assert refused.outcome["network"] is Outcome.BLOCKED
    assert goes_back_to(world, rebaseline=True) == first.run


def test_a_shard_of_which_the_first_deploy_failed_has_nothing_to_go_back_to(world: World) -> None:
    failed(world, "1", rollback=True)

    result = Deployment(world, (version("now"),)).carry_out(back=RollbackTarget())

    assert result.exit_code == 64
    assert "was never deployed well" in str(result.results["network"].reason)


def test_the_only_good_deployment_has_none_before_it(world: World) -> None:
    deployed(world, "1")
    failed(world, "2", rollback=True)

    result = Deployment(world, (version("now"),)).carry_out(back=RollbackTarget())

    assert result.exit_code == 64
    assert "has no good deployment before run" in str(result.results["network"].reason)
