"""Folders made ready while their shards wait; Terraform and bucket are doubles."""

import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.deploy_world import CHAIN, TERRAFORM, Deployment, World

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.record.fingerprint import Build
from holdfast_orchestrator.record.state_record import Leftovers, StateRecord, write_state_record
from holdfast_orchestrator.testing import FrozenClock

AWS = f"{TERRAFORM.registry}/hashicorp/aws"


def requiring_aws(one: Shard) -> Shard:
    required = {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}}
    document = {**json.loads(one.configuration), "terraform": required}
    return replace(one, configuration=json.dumps(document).encode())


def wait_for(found: Callable[[], bool]) -> bool:
    for _ in range(200):
        if found():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def waiting(world: World) -> Deployment:
    world.locks = {AWS: Build("5.100.0", frozenset({"h1:locked"}))}
    return Deployment(world, tuple(map(requiring_aws, CHAIN)))


def test_a_folder_is_made_ready_while_its_shard_waits_for_another(world: World, waiting: Deployment) -> None:
    ready: list[bool] = []

    def look(call: str) -> None:
        if call == "plan network":
            ready.append(wait_for(lambda: "init orders" in world.calls))

    world.on_call = look
    assert waiting.carry_out(max_parallel=2).is_good
    assert ready == [True]
    assert world.calls[:3] == ["init network", "plan network", "init data"]


def test_no_folder_is_made_ready_where_every_core_is_at_work(world: World, waiting: Deployment) -> None:
    assert waiting.carry_out(max_parallel=1).is_good
    assert [call for call in world.calls if call.startswith(("init", "apply"))][:2] == [
        "init network",
        "apply plan.tfplan of network",
    ]


def test_the_first_init_of_a_project_is_waited_for(world: World, waiting: Deployment) -> None:
    locks, world.locks = world.locks, {}

    def lock(call: str) -> None:
        if call == "plan network":
            assert not wait_for(lambda: "init data" in world.calls)
            world.locks = locks
            assert wait_for(lambda: "init data" in world.calls)

    world.on_call = lock
    assert waiting.carry_out(max_parallel=2).is_good


def test_what_goes_wrong_ahead_is_told_in_its_turn(world: World, waiting: Deployment) -> None:
    world.busy = {"data"}

    def free(call: str) -> None:
        if call == "verify network":
            assert wait_for(lambda: "init orders" in world.calls)
            world.busy = set()

    world.on_call = free
    assert waiting.carry_out(max_parallel=2).is_good
    assert "init data" in world.calls


def test_a_shard_whose_last_run_has_not_ended_is_left_alone(world: World, waiting: Deployment) -> None:
    record = StateRecord(
        run="01DEAD", is_open=True, state=None, leftovers=Leftovers(), at=FrozenClock().now()
    )
    write_state_record(world.store, waiting.shards[1].state.folder, record, after=None)

    def look(call: str) -> None:
        if call == "verify network":
            assert wait_for(lambda: "init orders" in world.calls)
            assert "init data" not in world.calls

    world.on_call = look
    waiting.carry_out(max_parallel=2)
    assert "verify network" in world.calls
