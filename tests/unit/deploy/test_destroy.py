"""Taking shards down whose Terraform and bucket are doubles."""

import pytest
from tests.support.deploy_world import Deployment, World

from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.errors import UsageError


def test_taking_down_goes_against_the_graph(world: World) -> None:
    Deployment(world).carry_out()
    world.calls.clear()

    result = Deployment(world).carry_out(destroy=True)

    assert set(result.outcome.values()) == {Outcome.COMMITTED}
    applies = [call.split()[-1] for call in world.calls if call.startswith("apply")]
    assert applies == ["orders", "data", "network"]


def test_taking_down_what_is_not_there_changes_nothing(world: World) -> None:
    result = Deployment(world).carry_out(destroy=True)

    assert set(result.outcome.values()) == {Outcome.UNCHANGED}
    assert world.calls == []


def test_a_shard_others_still_stand_on_is_not_taken_down(world: World) -> None:
    Deployment(world).carry_out()

    with pytest.raises(UsageError, match="data, orders would lose what they depend on"):
        Deployment(world).carry_out("network", destroy=True)


def test_dependents_that_are_gone_already_are_in_nobodys_way(world: World) -> None:
    Deployment(world).carry_out()
    Deployment(world).carry_out("data", "orders", destroy=True)

    result = Deployment(world).carry_out("network", destroy=True)

    assert result.outcome["network"] is Outcome.COMMITTED
