"""Looking for stacks that were removed never stands in the way of the run it goes along with."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_world import CHAIN, Deployment, FakeTools, World, shard

from holdfast_orchestrator.app.manifest import Shard, StateLocation
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.order import Order
from holdfast_orchestrator.deploy.run import carry_out
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.preview.run import PlanRequest, plan_run
from holdfast_orchestrator.report.transcript import Transcript

LOCAL = replace(
    shard("network"),
    name="network-local",
    environment="local",
    cloud="local",
    state=StateLocation(bucket="local-states", key="network/local", region="eu-west-1"),
)


@dataclass
class LocalCloudAway(FakeTools):
    def store(self, shard: Shard) -> Any:
        if shard.cloud == "local":
            raise HoldfastError("the local cloud of this project does not run")
        return super().store(shard)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    world = World(tmp_path)
    return replace(Deployment(world, shards=(LOCAL, *CHAIN)).run(), tools=LocalCloudAway(world))


def test_a_deploy_has_its_results_though_another_environment_cannot_be_reached(run: Run) -> None:
    order = Order(shards=CHAIN, policy=DeployPolicy(), max_parallel=1, transcribe=Transcript)

    result = carry_out(order, run)

    assert dict(result.counts) == {"committed": 3}


def test_a_plan_has_its_results_though_another_environment_cannot_be_reached(run: Run) -> None:
    plan = plan_run(run, PlanRequest(shards=CHAIN, max_parallel=1))

    assert [one.shard for one in plan.shards] == [one.name for one in CHAIN]
    assert plan.retired == ()
