"""A run that is taken up: what is its own is finished, what is another's is left to that one and named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.dead_runs import (
    AUDIT,
    BOTH,
    NETWORK,
    DiedError,
    died,
    died_everywhere,
    held_elsewhere,
    holds,
    noted,
    open_run,
    phases_after,
    resumed,
    run_context,
    stuck,
)
from tests.support.deploy_world import Deployment, FakeTerraform, World

from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.deploy.resume import go_on, shards_of_run
from holdfast_orchestrator.deploy.run_context import DeployPolicy, RunContext
from holdfast_orchestrator.deploy.shard.deploy import ShardDeploy
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.deploy.workers import take_over
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.events import Event, RunStarted
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.saved_plan import keep_plan
from holdfast_orchestrator.record.runs import RunEnd, end_run, read_run
from holdfast_orchestrator.report.ending import ending_lines
from holdfast_orchestrator.state.lease_record import lease_key
from holdfast_orchestrator.testing import FrozenClock


def test_a_run_that_was_turned_away_does_not_finish_the_one_that_is_open(world: World) -> None:
    first = stuck(world)
    second = Deployment(world, (NETWORK,)).carry_out()
    world.calls.clear()

    result = resumed(world, second.run)

    network = result.results["network"]
    assert second.outcome["network"] is Outcome.NEEDS_HUMAN
    assert (network.outcome, result.exit_code) == (Outcome.FAILED, 1)
    assert f"run {first} is open" in str(network.reason)
    assert network.next_step == f"holdfast resume {first}"
    assert open_run(world) == first
    assert world.calls == []


def test_a_run_that_died_waiting_gives_its_lease_back_and_finishes_no_other(world: World) -> None:
    first = stuck(world)
    held_elsewhere(world, "01SECOND")

    result = resumed(world, "01SECOND")

    assert result.results["network"].next_step == f"holdfast resume {first}"
    assert open_run(world) == first
    assert holds(world, Deployment(world).run()) is None


def test_a_worker_that_takes_a_shard_over_decides_nothing_for_a_run_that_waits_for_a_person(
    world: World,
) -> None:
    first = stuck(world)
    run = Deployment(world).run()
    held_elsewhere(world, run.id)

    result = take_over(NETWORK, run, Intent(), run_context(run))

    assert result.outcome is Outcome.NEEDS_HUMAN
    assert f"holdfast resume {first}" in str(result.next_step)
    assert open_run(world) == first


def test_a_worker_that_takes_a_shard_over_begins_its_own_run_once_another_is_at_its_end(
    world: World,
) -> None:
    died(world)
    run = Deployment(world).run()
    held_elsewhere(world, run.id)

    assert go_on(NETWORK, run, run_context(run)) is None
    assert holds(world, run) is None
    assert take_over(NETWORK, run, Intent(), run_context(run)).outcome.is_good
    assert open_run(world) is None


def test_a_worker_decides_nothing_for_its_own_run_either(world: World) -> None:
    first = stuck(world)
    run = replace(Deployment(world).run(), id=first)

    result = go_on(NETWORK, run, run_context(run))

    assert result is not None
    assert result.outcome is Outcome.NEEDS_HUMAN
    assert open_run(world) == first


@pytest.mark.parametrize("outcome", [Outcome.UNCHANGED, Outcome.COMMITTED, Outcome.ROLLED_BACK])
def test_how_a_run_had_ended_elsewhere_stays_as_it_was_when_it_is_resumed(
    world: World, outcome: Outcome
) -> None:
    first = stuck(world)
    ends = {"audit": outcome.value, "network": "needs_human"}
    now = FrozenClock().now()
    end = RunEnd(status="needs_human", ended=now, outcomes=ends, seconds={"audit": 40.0})
    end_run(world.store, first, end)

    result = resumed(world, first)

    record = read_run(world.store, first)
    assert record is not None
    assert result.outcome["audit"] is outcome
    assert record.outcomes["audit"] == outcome.value
    assert record.seconds["audit"] == 40.0


def test_what_a_run_committed_and_a_later_one_deployed_again_is_committed(world: World) -> None:
    world.losses = {"audit": "aws_sns_topic.old"}
    first = died(world)
    world.losses = {"audit": "aws_sns_topic.old"}
    later = Deployment(world, (AUDIT,)).carry_out()

    result = resumed(world, first)

    assert later.outcome["audit"] is Outcome.COMMITTED
    assert result.outcome["audit"] is Outcome.COMMITTED


def test_what_a_run_that_died_never_came_to_is_told_of_as_before(world: World) -> None:
    Deployment(world, (AUDIT,)).carry_out()
    first = died(world)

    result = resumed(world, first)

    assert result.outcome["audit"] is Outcome.FAILED
    assert "ended before it had changed anything here" in str(result.results["audit"].reason)


def test_a_stop_leaves_the_rest_of_a_run_open_and_says_how_to_go_on(world: World) -> None:
    first = died_everywhere(world)
    deployment = Deployment(world, BOTH)
    world.on_call = lambda _call: deployment.stop.ask() if not deployment.stop.asked else None

    result = resumed(world, first, deployment=deployment)

    ended, left = result.shards
    assert ended.outcome is not Outcome.SKIPPED
    assert left.outcome is Outcome.SKIPPED
    assert left.reason == "interrupted; still open"
    assert left.next_step == f"holdfast resume {first}"
    assert (result.interrupted, result.exit_code) == (True, 130)
    told = "\n".join(ending_lines(result))
    assert "not begun" not in told
    assert f"holdfast resume {first}" in told
    assert open_run(world) == first


def test_a_stop_takes_nothing_back_of_what_a_run_had_ended(world: World) -> None:
    first = stuck(world)
    ends = {"audit": "unchanged", "network": "needs_human"}
    now = FrozenClock().now()
    end_run(world.store, first, RunEnd(status="needs_human", ended=now, outcomes=ends))
    deployment = Deployment(world, BOTH)
    deployment.stop.ask()

    result = resumed(world, first, deployment=deployment)

    assert result.outcome["audit"] is Outcome.UNCHANGED
    assert result.outcome["network"] is Outcome.SKIPPED
    assert open_run(world) == first


def waiting(world: World, *, given_back: bool) -> tuple[ShardDeploy, Run]:
    """A deploy that has to wait for another run's lease, and is asked to stop as soon as it says so."""
    held_elsewhere(world, "01OTHER", expires_after=3600.0)
    run = Deployment(world).run()

    def stop(_event: Event) -> None:
        held_elsewhere(world, "01OTHER", expires_after=3600.0, held=not given_back)
        run.stop.ask()

    run = replace(run, emit=stop)
    waits = RunContext.open(run, (NETWORK,), DeployPolicy(lease_wait=600.0))
    return ShardDeploy(NETWORK, run, Intent(), waits), run


def test_a_stop_ends_a_wait_for_the_shard(world: World) -> None:
    deploy, run = waiting(world, given_back=False)

    result = deploy.result()

    assert (result.outcome, result.exit_code) == (Outcome.SKIPPED, 130)
    assert "held by jane" in str(result.reason)
    assert run.clock.monotonic() < 10
    assert world.calls == []


def test_a_deploy_that_is_to_stop_when_it_gets_the_shard_finishes_no_other_run(world: World) -> None:
    first = died(world)
    world.calls.clear()
    deploy, run = waiting(world, given_back=True)

    result = deploy.result()

    assert (result.outcome, result.exit_code) == (Outcome.SKIPPED, 130)
    assert open_run(world) == first
    assert holds(world, run) is None
    assert world.calls == []


def test_a_run_of_which_there_is_only_a_lease_is_taken_up_and_gives_it_back(world: World) -> None:
    held_elsewhere(world, "01LOST")
    turned_away = Deployment(world, (NETWORK,)).carry_out()

    shards = shards_of_run("01LOST", BOTH, [world.store])
    result = resumed(world, "01LOST", deployment=Deployment(world, shards))

    assert (turned_away.exit_code, turned_away.results["network"].next_step) == (
        7,
        "make sure that run has ended, then: holdfast resume 01LOST",
    )
    (network,) = result.shards
    assert (network.shard, network.outcome, result.exit_code) == ("network", Outcome.FAILED, 1)
    assert "ended while it was deploying network; it left nothing open" in str(network.reason)
    record = read_run(world.store, "01LOST")
    assert record is not None
    assert record.status == "failed"
    assert Deployment(world, (NETWORK,)).carry_out().exit_code == 0


def test_a_lease_that_may_be_renewed_still_is_not_taken_by_resuming_its_run(world: World) -> None:
    held_elsewhere(world, "01ALIVE", expires_after=3600.0)

    shards = shards_of_run("01ALIVE", BOTH, [world.store])
    result = resumed(world, "01ALIVE", deployment=Deployment(world, shards))

    assert result.exit_code == 7
    assert holds(world, Deployment(world).run()) == "01ALIVE"


def test_a_lost_run_on_a_shard_that_left_the_app_is_found_by_what_was_deployed(world: World) -> None:
    Deployment(world, (AUDIT,)).carry_out()
    destroying = Deployment(world, (AUDIT,))

    def die(call: str) -> None:
        if call == "plan audit":
            raise DiedError

    world.on_call = die
    with pytest.raises(DiedError):
        destroying.carry_out(destroy=True)
    world.on_call = lambda _call: None
    (lost,) = {event.run for event in destroying.events if isinstance(event, RunStarted)}
    held_elsewhere(world, lost, of=AUDIT)

    (found,) = shards_of_run(lost, (NETWORK,), [world.store])
    result = resumed(world, lost, deployment=Deployment(world, (found,)))

    assert (found.name, found.state) == (AUDIT.name, AUDIT.state)
    assert "left nothing open" in str(result.results["audit"].reason)
    assert Deployment(world, (AUDIT,)).carry_out(destroy=True).exit_code == 0


def test_what_a_person_holds_or_nobody_is_no_run_to_take_up(world: World) -> None:
    held_elsewhere(world, "01LOST", kind="human")
    held_elsewhere(world, "01LOST", of=AUDIT, held=False)
    world.store.create(lease_key("damaged"), b"{}")

    with pytest.raises(UsageError, match="no run 01LOST"):
        shards_of_run("01LOST", BOTH, [world.store])


@pytest.mark.parametrize(
    "last", [Phase.RB_BUILD, Phase.RB_APPLYING, Phase.RB_SETTLE, Phase.RB_VERIFY, Phase.RB_RETRY]
)
def test_accept_forward_undoes_nothing_wherever_a_rollback_had_died(world: World, last: Phase) -> None:
    Deployment(world, BOTH).carry_out()
    run = died(world)
    noted(world, run, Phase.PARTIAL_SNAPSHOT, last)

    result = resumed(world, run, decision=OperatorDecision(accept_forward=True))

    assert result.outcome["network"] is not Outcome.ROLLED_BACK
    assert Phase.CLASSIFY in phases_after(world, run, last)
    assert not [phase for phase in phases_after(world, run, last) if phase.value.startswith("rb_")]
    assert open_run(world) is None


def imports_looked_for(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The configurations in which an object is looked for that no state knows."""
    looked, plan = [], FakeTerraform.plan

    def noting(terraform: FakeTerraform, **how: Any) -> Any:
        configuration = json.loads(terraform.shard.configuration)
        looked.extend([configuration] if "import" in configuration else [])
        return plan(terraform, **how)

    monkeypatch.setattr(FakeTerraform, "plan", noting)
    return looked


def test_what_an_abandoned_rollback_may_have_made_again_is_looked_for_before_going_forward(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = imports_looked_for(monkeypatch)
    Deployment(world, (NETWORK,)).carry_out()
    topics = json.dumps({"resource": {"aws_sns_topic": {"old": {}}}}).encode()
    emptied = (AUDIT, replace(NETWORK, configuration=topics))
    run = died(world, emptied)
    # The new version had deleted the queue, and the rollback died while it made it again.
    world.write_state("network", resources=0)
    made = {"actions": ["create"], "before": None, "after": {"name": "network"}}
    queue = {"address": "aws_sqs_queue.q", "mode": "managed", "type": "aws_sqs_queue", "name": "q"}
    plan = keep_plan(
        world.store, run, {"format_version": "1.2", "resource_changes": [{**queue, "change": made}]}
    )
    noted(world, run, Phase.DELETING, Phase.PARTIAL_SNAPSHOT)
    noted(world, run, Phase.RB_PLANNED, edge="after", plan=plan)
    noted(world, run, Phase.RB_APPLYING)

    resumed(world, run, deployment=Deployment(world, emptied), decision=OperatorDecision(accept_forward=True))

    sought = {(one["import"][0]["to"], "q" in one["resource"].get("aws_sqs_queue", {})) for one in looked}
    assert sought == {("aws_sqs_queue.q", True)}


def test_a_state_an_abandoned_rollback_could_not_save_is_saved_before_going_forward(world: World) -> None:
    Deployment(world, BOTH).carry_out()
    run = died(world)
    noted(world, run, Phase.PARTIAL_SNAPSHOT, Phase.RB_APPLYING)
    before, rescued = world.serial("network"), world.folder / "network" / "errored.tfstate"
    rescued.write_bytes(world.state("network"))

    resumed(world, run, decision=OperatorDecision(accept_forward=True))

    assert not rescued.exists()
    assert world.serial("network") > before
    assert Phase.STATE_RECOVERY in phases_after(world, run, Phase.RB_APPLYING)
