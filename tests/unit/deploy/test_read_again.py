"""When a verify reads every object again, and when what the plan read is enough."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_world import CHAIN, Deployment, World, deployed

from holdfast_orchestrator.deploy.decisions.read_again import Course, because_of_changes, because_of_course
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.events import Notice, ShardVerified
from holdfast_orchestrator.terraform.reads import ReadCount, Reading

AWS = "registry.terraform.io/hashicorp/aws"
BUILTIN = "terraform.io/builtin/terraform"
NETWORK = CHAIN[:1]


def plan(kind: str, *, provider: str = AWS, actions: tuple[str, ...] = ("update",), **more: Any) -> Any:
    change = {
        "address": f"{kind}.x",
        "mode": "managed",
        "type": kind,
        "provider_name": provider,
        "change": {"actions": [*actions], "before": {"id": "x"}, "after": {"id": "x"}, **more},
    }
    return {"format_version": "1.2", "resource_changes": [change]}


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        (Course(verb="deploy", code=0), None),
        (Course(verb="deploy", code=0, goes_back=True), "rollback"),
        (Course(verb="rollback", code=0), "rollback"),
        (Course(verb="deploy", code=None), "taken up"),
        (Course(verb="deploy", code=1), "failed"),
        (Course(verb="deploy", code=0, retries=1), "tried again"),
    ],
)
def test_only_a_deploy_that_went_straight_on_uses_what_was_read(course: Course, reason: str | None) -> None:
    assert (because_of_course(course) or "").find(reason or "") >= 0
    assert (because_of_course(course) is None) is (reason is None)


@pytest.mark.parametrize(
    ("planned", "reason"),
    [
        (plan("aws_sqs_queue"), None),
        (plan("aws_sqs_queue", actions=("delete", "create")), None),
        (plan("aws_sqs_queue", actions=("no-op",), importing={"id": "x"}), None),
        (plan("aws_sqs_queue", actions=("forget",)), None),
        (plan("aws_ecs_account_setting_default"), "may change objects that it does not name"),
        (plan("aws_ecs_account_setting_default", actions=("no-op",)), None),
        (plan("terraform_data", provider=BUILTIN), "no object of the AWS provider"),
        (plan("terraform_data", provider=BUILTIN, actions=("no-op",)), None),
        (plan("random_id", provider="registry.terraform.io/hashicorp/random"), "no object of the AWS"),
        (plan("aws_sqs_queue", provider="registry.example.com/other/aws-like"), "no object of the AWS"),
        (plan("aws_sqs_queue", actions=("create", "forget")), "does not know the planned action"),
    ],
)
def test_a_change_that_may_reach_further_than_its_identifiers_has_all_read(
    planned: Any, reason: str | None
) -> None:
    told = because_of_changes([plan("aws_sns_topic"), planned], {})

    assert (told is None) is (reason is None)
    assert (reason or "") in (told or "")


@pytest.mark.parametrize("kind", ["external", "aws_lambda_invocation"])
def test_a_data_source_that_runs_a_program_has_all_read(kind: str) -> None:
    assert "runs a program" in (because_of_changes([], {"data": {kind: {"x": {}}}}) or "")
    assert because_of_changes([], {"data": {"aws_ami": {"x": {}}}}) is None


def verifies(world: World) -> list[Reading | None]:
    return [reading for out, reading in world.readings if out.startswith("verify")]


def test_the_plan_of_a_deploy_remembers_and_its_verify_recalls_under_the_same_key(tmp_path: Path) -> None:
    world = World(tmp_path)

    Deployment(world, NETWORK).carry_out()

    (_, planned), (_, verified) = world.readings
    assert planned is not None
    assert verified == Reading(planned.key, recalls=True)
    assert world.traceable == [True]


def test_two_shards_and_two_runs_have_keys_of_their_own(tmp_path: Path) -> None:
    world = World(tmp_path)

    Deployment(world).carry_out()
    Deployment(world).carry_out()

    keys = [reading.key for out, reading in world.readings if reading and not reading.recalls]
    assert len(keys) == len(set(keys)) == 2 * len(CHAIN)


def test_a_preview_and_a_destroy_remember_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    Deployment(world, NETWORK).plan()
    deployed(world, *NETWORK)
    world.readings.clear()

    Deployment(world, NETWORK).carry_out(destroy=True)
    Deployment(world, NETWORK).plan()

    assert {reading for _, reading in world.readings} == {None}


def test_how_much_was_remembered_is_told_everywhere(tmp_path: Path) -> None:
    world = World(tmp_path, reads=ReadCount(read=13, remembered=387))
    deployment = Deployment(world, NETWORK)

    result = deployment.carry_out()

    assert result.shards[0].verify == ReadCount(read=13, remembered=387)
    (event,) = [event for event in deployment.events if isinstance(event, ShardVerified)]
    assert (event.shard, event.read, event.remembered) == ("network", 13, 387)
    said = [event.message for event in deployment.events if isinstance(event, Notice)]
    assert [one for one in said if "13 objects were read again; 387 share no identifier" in one]


def test_where_nothing_was_remembered_no_line_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, reads=ReadCount(read=13, remembered=0))
    deployment = Deployment(world, NETWORK)

    deployment.carry_out()

    assert [event.read for event in deployment.events if isinstance(event, ShardVerified)] == [13]
    assert not [one for one in deployment.events if isinstance(one, Notice) and "read again" in one.message]


def test_a_verify_that_proves_nothing_is_made_once_more_with_every_read(tmp_path: Path) -> None:
    world = World(tmp_path, reads=ReadCount(read=1, remembered=200))
    deployed(world, *NETWORK)
    world.readings.clear()
    world.on_call = lambda call: (
        world.losses.__setitem__("network", "aws_sqs_queue.q") if call == "verify network" else None  # type: ignore[index]
    )
    world.losses = {"network": "aws_sqs_queue.q"}

    Deployment(world, NETWORK).carry_out(
        policy=DeployPolicy(rollback=False, allowed=frozenset({"aws_sqs_queue.q"}))
    )

    assert [reading is not None for reading in verifies(world)][:2] == [True, False]


def test_after_a_failed_apply_and_on_the_way_back_every_object_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    deployed(world, *NETWORK)
    world.readings.clear()
    world.failing = {"network"}
    world.losses = {"network": "aws_sqs_queue.other"}

    Deployment(world, NETWORK).carry_out(allowed=frozenset({"aws_sqs_queue.other"}))

    assert set(verifies(world)) <= {None}
