"""Rows 15 to 24: the state or its lock cannot be written, or somebody else writes them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import asks, lock, puts, s3, state
from tests.faults.lab.proxy import Answer, Delay, Drop, Meanwhile, Rule, Strip, Trip
from tests.faults.lab.scenarios import FIRST, PLAIN, PLAIN_SECOND, SECOND, app, parameter
from tests.faults.lab.world import DEPLOY, World

FOREIGN_LOCK = {
    "ID": "0b1c7a52-8a4e-6f3e-2d55-2b6b9d7a9c11",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "mallory@another-host",
    "Version": "1.11.4",
    "Created": "2026-11-20T08:00:00Z",
    "Path": "fault-states/shop",
}


def names_in_state(world: World) -> set[str]:
    return {resource["name"] for resource in world.state()["resources"]}


def test_row_15_a_state_that_could_not_be_saved_is_found_and_saved(world: World) -> None:
    world.begin(PLAIN)
    refused = world.proxy.add(Rule(what=state("PUT"), fault=Answer(403, "AccessDenied"), times=1))

    ended = world.deploy(PLAIN_SECOND)

    assert refused.hits == 1
    assert_safe(world, ended, code={0, 5})
    again = world.deploy()
    assert_safe(world, again, code=0)
    assert names_in_state(world) == {"kept", "changed", "fresh"}
    assert not list(world.cache.rglob("errored.tfstate"))


def test_row_15_nobody_else_deploys_while_a_state_is_unsaved(world: World) -> None:
    world.begin(FIRST)
    refused = Rule(what=s3("PUT", r"[^_].*/terraform\.tfstate"), fault=Answer(403, "AccessDenied"))
    world.proxy.add(refused)
    ended = world.deploy(SECOND)
    run = world.newest_run()
    world.proxy.heal()
    world.proxy.log.clear()

    elsewhere = world.deploy(SECOND, HOLDFAST_CACHE_DIR=str(world.folder / "another-machine"))
    changed = world.proxy.seen(asks("PutParameter|DeleteParameter"))
    resumed = world.holdfast("resume", run, "--json")

    assert ended.code == 6, str(ended)
    assert elsewhere.code in {4, 6, 7}, str(elsewhere)
    assert not changed
    assert_safe(world, resumed, code={0, 5})
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_15_a_fork_of_what_somebody_else_saved_meanwhile_is_brought_together(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(Rule(what=s3("PUT", r"[^_].*/terraform\.tfstate"), fault=Answer(403, "AccessDenied")))
    ended = world.deploy(SECOND)
    theirs = world.state()
    world.put_state({**theirs, "serial": theirs["serial"] + 1})

    resumed = world.resume()

    assert ended.code == 6, str(ended)
    assert_safe(world, resumed, code={0, 5})
    assert not list(world.cache.rglob("errored.tfstate"))
    assert_safe(world, world.deploy(SECOND), code=0)


@pytest.mark.long
def test_row_15_a_store_that_fails_five_times_is_outlived(world: World) -> None:
    world.begin(PLAIN)
    world.proxy.add(Rule(what=state("PUT"), fault=Answer(500), times=5))

    ended = world.deploy(PLAIN_SECOND)

    assert_safe(world, ended, code={0, 5})
    assert_safe(world, world.deploy(), code=0)


@pytest.mark.long
def test_row_16_a_state_that_was_saved_though_the_answer_was_lost_is_recognised(world: World) -> None:
    world.begin(PLAIN)
    world.proxy.add(Rule(what=state("PUT"), fault=Drop(after=True), times=5))

    ended = world.deploy(PLAIN_SECOND)

    assert_safe(world, ended, code=0)
    assert names_in_state(world) == {"kept", "changed", "fresh"}


def test_row_17_a_store_that_is_slow_for_a_moment_is_ridden_out(world: World) -> None:
    world.begin(PLAIN)
    slowed = world.proxy.add(Rule(what=state("PUT"), fault=Answer(503, "SlowDown"), times=3))

    ended = world.deploy(PLAIN_SECOND)

    assert slowed.hits == 3
    assert_safe(world, ended, code=0)


@pytest.mark.long
def test_row_18_a_halted_apply_is_not_taken_for_success(world: World) -> None:
    world.begin(FIRST)
    version = app(
        parameter("kept"),
        parameter("changed", "2"),
        parameter("x", after="changed"),
        parameter("y", after="x"),
    )
    world.proxy.add(Rule(what=puts("x"), fault=Delay(24.0), times=1))
    world.proxy.add(Rule(what=state("PUT"), fault=Answer(403, "AccessDenied"), times=1))

    ended = world.deploy(version)

    assert_safe(world, ended, code={0, 5})
    there = {name for _, name in world.cloud.objects()}
    assert ("/shop/y" in there) == (ended.code == 0)


def test_row_19_an_unlock_that_fails_is_no_reason_to_roll_back(world: World) -> None:
    world.begin(FIRST)

    def applied() -> bool:
        return bool(world.proxy.seen(state("PUT")))

    world.proxy.add(
        Rule(
            what=lambda request: applied() and lock("DELETE")(request),
            fault=Answer(403, "AccessDenied"),
            times=1,
        )
    )

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code=0)
    assert ended.outcome() == "committed"


def test_row_20_a_lock_whose_answer_was_lost_does_not_lock_us_out(world: World) -> None:
    world.begin(FIRST)
    lost = world.proxy.add(Rule(what=lock("PUT"), fault=Drop(after=True), times=1))

    ended = world.deploy(SECOND)

    assert lost.hits == 1
    assert_safe(world, ended, code={0, 1})
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_20_nor_does_one_of_the_apply_itself(world: World) -> None:
    world.begin(FIRST)
    lost = world.proxy.add(Rule(what=lock("PUT"), fault=Drop(after=True), skip=1, times=1))

    ended = world.deploy(SECOND)

    assert lost.hits == 1
    assert_safe(world, ended, code={0, 1, 5})
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_21_a_lock_of_somebody_else_is_named_and_never_stolen(world: World) -> None:
    world.begin(FIRST)
    key = f"{world.state_key()}.tflock"
    world.cloud.put(key, json.dumps(FOREIGN_LOCK).encode())

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code={1, 4, 6, 7}, locked=True)
    assert json.loads(world.cloud.get(key)) == FOREIGN_LOCK
    assert "mallory@another-host" in ended.text
    assert not world.proxy.seen(puts("changed"))


@pytest.mark.parametrize("content", [b"", b"{torn", b"[]"], ids=["empty", "torn", "another thing"])
def test_row_22_a_damaged_lock_is_named_and_removed_by_an_operator_only(world: World, content: bytes) -> None:
    world.begin(PLAIN)
    key = f"{world.state_key()}.tflock"
    world.cloud.put(key, content)

    ended = world.deploy(PLAIN_SECOND)
    after_deploy = world.cloud.get(key)
    shown = json.loads(world.holdfast("state", "unlock", "shop", "--json").out)
    unlocked = world.holdfast("state", "unlock", "shop", "--confirm", shown["lock"]["id"])

    assert_safe(world, ended, code={1, 4, 6, 7}, locked=True, held=True)
    assert "tflock" in ended.text
    assert after_deploy == content
    assert_safe(world, unlocked, code=0)
    assert_safe(world, world.deploy(), code=0)


@pytest.mark.parametrize(
    "fault", [Answer(409, "ConditionalRequestConflict"), Answer(503, "SlowDown")], ids=["409", "503"]
)
def test_row_23_a_lock_that_cannot_be_had_for_a_moment_is_asked_for_again(
    world: World, fault: Answer
) -> None:
    world.begin(PLAIN)
    world.proxy.add(Rule(what=lock("PUT"), fault=fault, times=2))

    ended = world.deploy(PLAIN_SECOND)

    assert_safe(world, ended, code=0)


def test_row_23_a_lock_that_can_never_be_had_ends_the_deploy_with_nothing_changed(world: World) -> None:
    world.begin(PLAIN)
    before = world.state()
    world.proxy.add(Rule(what=lock("PUT"), fault=Answer(409, "ConditionalRequestConflict")))

    ended = world.deploy(PLAIN_SECOND)

    assert_safe(world, ended, code=1)
    assert world.state() == before


def stolen(world: World) -> dict[str, Any]:
    """Another run took the lock by force, made an object, and wrote its state over ours."""
    world.cloud.ssm.put_parameter(Name="/shop/theirs", Value="theirs", Type="String")
    theirs: dict[str, Any] = world.state()
    (resource,) = [one for one in theirs["resources"] if one["name"] == "kept"]
    copy = json.loads(json.dumps(resource))
    copy["name"] = "theirs"
    copy["instances"][0]["attributes"].update(id="/shop/theirs", name="/shop/theirs", value="theirs")
    theirs["resources"].append(copy)
    theirs["serial"] += 1
    world.cloud.delete(f"{world.state_key()}.tflock")
    world.put_state(theirs)
    return theirs


def test_row_24_a_lock_stolen_during_the_apply_is_found_out(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(Rule(what=puts("fresh"), fault=Meanwhile(lambda: stolen(world)), times=1))

    ended = world.deploy(SECOND)

    assert ended.code == 6, str(ended)
    lost = {one for one in world.cloud.objects() if one[1] not in str(world.state())}
    assert all(name in ended.text for _, name in lost), f"{lost} was not told\n{ended}"


def test_row_24_a_first_apply_whose_lock_was_stolen_loses_nothing(world: World) -> None:
    def theirs() -> None:
        world.cloud.delete(f"{world.state_key()}.tflock")
        state = {
            "version": 4,
            "terraform_version": "1.11.4",
            "serial": 1,
            "lineage": "aaaaaaaa-1111-2222-3333-444444444444",
            "outputs": {},
            "resources": [],
            "check_results": None,
        }
        world.put_state(state)

    world.write(FIRST)
    world.proxy.add(Rule(what=puts("gone"), fault=Meanwhile(theirs), times=1))

    ended = world.holdfast(*DEPLOY)

    assert ended.code in (1, 6), str(ended)
    lost = {one for one in world.cloud.objects() if one[1] not in str(world.state())}
    assert all(name in ended.text for _, name in lost), f"{lost} was not told\n{ended}"


def test_row_27_a_store_that_ignores_conditions_is_refused(world: World) -> None:
    world.write(PLAIN)
    world.proxy.add(Rule(what=s3("PUT", ".*"), fault=Strip("If-None-Match")))

    ended = world.deploy()

    assert_safe(world, ended, code=1, held=True)
    assert "condition" in ended.text.lower()
    assert world.state_key() not in world.cloud.listing()


@dataclass(frozen=True, slots=True)
class RefusedAfter:
    """The cloud writes, the first answer is lost on the way, and the client's own repetition is refused."""

    def befall(self, trip: Trip) -> int:
        trip.forward()
        return trip.answer_error(Answer(412, "PreconditionFailed", "at least one of the conditions failed"))


def test_row_104_a_write_of_our_own_that_is_refused_when_it_is_repeated_is_known_as_ours(
    world: World,
) -> None:
    world.begin(PLAIN)
    folders = ("leases", "runs", "states", "last-good", "artifacts", "audit")
    rules = [
        world.proxy.add(Rule(what=s3("PUT", rf"_holdfast/{folder}/.*"), fault=RefusedAfter(), times=1))
        for folder in folders
    ]

    ended = world.deploy(PLAIN_SECOND)
    hits = [rule.hits for rule in rules]
    world.proxy.heal()
    again = world.deploy()

    assert hits == [1] * len(folders)
    assert "defect" not in ended.text
    assert_safe(world, ended, code=0)
    assert_safe(world, again, code=0)
    assert names_in_state(world) == {"kept", "changed", "fresh"}
