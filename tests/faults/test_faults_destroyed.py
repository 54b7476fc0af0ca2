"""Row 81: a destroy that is cut off or fails half way is carried on, and what is left is told as it is."""

import json
import shlex
import shutil
import signal

import pytest
from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import asks
from tests.faults.lab.proxy import Answer, Meanwhile, Rule
from tests.faults.lab.scenarios import SHARD, app, parameter, topic
from tests.faults.lab.world import Started, World

DESTROY = ("destroy", "--env", "dev", "--yes", "--json")
# Deleted in the order e, d, c, b, a.
CHAIN = app(
    parameter("a"),
    parameter("b", after="a"),
    parameter("c", after="b"),
    parameter("d", after="c"),
    parameter("e", after="d"),
)


def deletes(name: str) -> Rule:
    return Rule(what=asks("DeleteParameter", f'/{SHARD}/{name}"'), fault=Answer(400, "ValidationException"))


def names(world: World) -> set[str]:
    return {name.removeprefix(f"/{SHARD}/") for _, name in world.cloud.objects()}


def in_state(world: World) -> list[str]:
    return sorted(one["name"] for one in world.state()["resources"] if one["mode"] == "managed")


def kill_while_destroying(world: World, *who: str) -> Started:
    """Begin to destroy CHAIN, and kill while the cloud is asked to delete `c`."""
    world.begin(CHAIN)
    running: list[Started] = []

    def kill() -> None:
        if "runner" in who:
            running[0].process.kill()
        if "terraform" in who:
            world.kill_terraform()

    at = asks("DeleteParameter", f'/{SHARD}/c"')
    world.proxy.add(Rule(what=at, fault=Meanwhile(kill), times=1))
    running.append(world.start(*DESTROY))
    return running[0]


def test_row_81_a_destroy_killed_with_its_terraform_goes_on_when_it_is_resumed(world: World) -> None:
    killed = kill_while_destroying(world, "runner", "terraform").wait()
    listed = in_state(world)

    resumed = world.resume()

    assert killed.code == -signal.SIGKILL
    assert listed == ["a", "b", "c", "d", "e"], "the state has been saved meanwhile: this shows nothing"
    assert_safe(world, resumed, code=0)
    assert resumed.outcome() == "committed"
    assert (names(world), in_state(world)) == (set(), [])


def test_row_81_a_destroy_whose_terraform_was_killed_goes_on_by_itself(world: World) -> None:
    ended = kill_while_destroying(world, "terraform").wait()

    assert_safe(world, ended, code=0)
    assert (names(world), in_state(world)) == (set(), [])


def test_row_81_a_killed_destroy_is_carried_on_from_another_machine(world: World) -> None:
    kill_while_destroying(world, "runner", "terraform").wait()
    shutil.rmtree(world.cache)
    shown = json.loads(world.holdfast("state", "unlock", SHARD, "--json").out)
    world.holdfast("state", "unlock", SHARD, "--confirm", shown["lock"]["id"])

    resumed = world.resume()

    assert_safe(world, resumed, code=0)
    assert (names(world), in_state(world)) == (set(), [])


def test_row_81_a_deploy_after_a_killed_destroy_keeps_what_is_left(world: World) -> None:
    kill_while_destroying(world, "runner", "terraform").wait()
    world.proxy.heal()
    written = {one["Name"]: one["Version"] for one in parameters(world)}
    run = world.newest_run()

    again = world.holdfast("deploy", "--yes", "--json")

    # The lease of the dead run is its own until it is resumed.
    assert again.code == 7, str(again)
    assert f"holdfast resume {run}" in again.text
    assert {one["Name"]: one["Version"] for one in parameters(world)} == written


def parameters(world: World) -> list[dict[str, object]]:
    found = world.cloud.client("ssm").describe_parameters()["Parameters"]
    return [dict(one) for one in found]


def test_row_81_a_destroy_that_fails_half_way_says_what_is_left_and_how_to_go_on(world: World) -> None:
    world.begin(CHAIN)
    world.proxy.add(deletes("b"))

    failed = world.holdfast(*DESTROY)

    shard = failed.shard()
    assert_safe(world, failed, code=1)
    assert (names(world), in_state(world)) == ({"a", "b"}, ["a", "b"])
    assert "2 objects still exist" in shard["reason"]
    command = shard["next_step"].rpartition("then: ")[2]
    assert command == f"holdfast destroy --env dev --stack {SHARD}"
    world.proxy.heal()
    again = world.holdfast(*shlex.split(command)[1:], "--yes", "--json")
    assert_safe(world, again, code=0)
    assert (names(world), in_state(world)) == (set(), [])


@pytest.mark.parametrize("gone", ["all", "some"])
def test_row_81_a_destroy_leaves_nothing_in_the_state_that_does_not_exist(world: World, gone: str) -> None:
    world.begin(CHAIN)
    for name in "abcde" if gone == "all" else "bd":
        world.cloud.client("ssm").delete_parameter(Name=f"/{SHARD}/{name}")

    destroyed = world.holdfast(*DESTROY)

    assert_safe(world, destroyed, code=0)
    assert (names(world), in_state(world)) == (set(), [])


def test_row_81_a_failed_destroy_keeps_no_ghosts_beside_what_it_could_not_delete(world: World) -> None:
    world.begin(app(parameter("a"), topic("news")))
    world.proxy.add(Rule(what=asks("DeleteTopic"), fault=Answer(403, "AuthorizationError")))
    world.cloud.client("ssm").delete_parameter(Name=f"/{SHARD}/a")

    failed = world.holdfast(*DESTROY)

    assert_safe(world, failed, code=1)
    assert in_state(world) == ["news"]
    assert "1 object still exists" in failed.shard()["reason"]
