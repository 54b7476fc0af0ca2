"""A shard that calls modules: skipped where nothing in them may be another thing, and never else."""

import json
from pathlib import Path

import pytest
from tests.support.changing_world import World

from holdfast_orchestrator.change_detection.decide import Why
from holdfast_orchestrator.record.state_record import read_state_record

RANDOM = "registry.terraform.io/hashicorp/random"
VPC = {"source": "acme/vpc/aws", "version": "1.2.3"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def lay_out(world: World, text: str, *, key: str = "vpc", folder: str = ".terraform/modules/vpc") -> None:
    """What `init` leaves in the shard's folder."""
    workdir = world.folder / "down"
    (workdir / folder).mkdir(parents=True, exist_ok=True)
    (workdir / folder / "main.tf").write_text(text)
    listed = [{"Key": "", "Dir": "."}, {"Key": key, "Source": "x", "Dir": folder}]
    (workdir / ".terraform" / "modules").mkdir(parents=True, exist_ok=True)
    (workdir / ".terraform" / "modules" / "modules.json").write_text(json.dumps({"Modules": listed}))


def proven(world: World, text: str, **module: str) -> World:
    world.configuration["module"] = {"vpc": {**VPC, **module}}
    lay_out(world, text)
    world.prove()
    return world


def test_a_shard_with_a_pinned_module_that_reads_only_itself_is_unchanged(world: World) -> None:
    decision = proven(world, 'resource "aws_vpc" "v" {}\n').decide()

    assert decision.unchanged, decision


def test_another_version_is_another_configuration(world: World) -> None:
    proven(world, "")
    world.configuration["module"]["vpc"]["version"] = "1.2.4"

    assert not world.decide().unchanged


def test_a_module_that_reads_what_may_change_is_planned_on_every_machine(world: World) -> None:
    proven(world, 'data "aws_ami" "a" {}\n')
    # Another machine has no such folder.
    (world.folder / "down" / ".terraform" / "modules" / "modules.json").unlink()

    (reason,) = world.decide().reasons

    assert reason.why is Why.DOUBT
    assert str(reason) == "its module vpc reads aws_ami, which may say something else by now"


def test_modules_that_nobody_could_read_prove_nothing(world: World) -> None:
    world.configuration["module"] = {"vpc": VPC}
    world.prove()

    (reason,) = world.decide().reasons

    assert reason.why is Why.UNPROVEN


def test_a_provider_that_only_a_module_needs_counts_with_its_build(world: World) -> None:
    world.locks[RANDOM] = ("3.6.0", frozenset({"h1:r"}))
    proven(world, 'resource "random_pet" "p" {}\n')
    assert world.decide().unchanged
    world.locks[RANDOM] = ("3.7.0", frozenset({"h1:s"}))

    (reason,) = world.decide().reasons

    assert reason.why is Why.PROVIDER
    assert RANDOM in str(reason)


def test_a_record_of_an_earlier_version_says_nothing_of_modules_and_is_proven_anew(world: World) -> None:
    proven(world, "")
    kept = read_state_record(world.store, world.shard.state.folder)
    assert kept is not None
    document = json.loads(kept.record.body())
    del document["footing"]["modules"]
    key = next(name for name in world.store.objects if name.startswith("_holdfast/states/"))
    world.store.objects[key] = json.dumps(document).encode()

    (reason,) = world.decide().reasons

    assert str(reason) == "nobody wrote down what is in its modules"


def test_a_shard_without_modules_writes_down_nothing_of_them(world: World) -> None:
    world.prove()
    kept = read_state_record(world.store, world.shard.state.folder)

    assert kept is not None
    assert "modules" not in json.loads(kept.record.body())["footing"]
    assert world.decide().unchanged
