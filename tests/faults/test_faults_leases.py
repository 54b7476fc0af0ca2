"""Rows 25 and 26: several deployers of one shard."""

import json
import signal
import time
from collections.abc import Sequence

import pytest
from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import asks, lock, puts
from tests.faults.lab.proxy import Delay, Exchange, Rule
from tests.faults.lab.scenarios import FIRST, PLAIN, PLAIN_SECOND, SECOND
from tests.faults.lab.world import DEPLOY, Ended, World


def at_once(world: World, deployers: int) -> list[Ended]:
    """Start so many deployers, each as from a machine of its own: nothing shared but the bucket."""
    started = [
        world.start(
            *DEPLOY, "--output", f"out-{number}", HOLDFAST_CACHE_DIR=str(world.folder / f"cache-{number}")
        )
        for number in range(deployers)
    ]
    return [one.wait(300) for one in started]


def never_two_locks(log: Sequence[Exchange]) -> bool:
    """Whether Terraform's lock was never found taken: the lease alone kept the deployers apart."""
    return all(exchange.status != 412 for exchange in log)


@pytest.mark.parametrize("deployers", [2, pytest.param(16, marks=pytest.mark.long)])
def test_row_25_of_several_deployers_of_one_shard_one_at_a_time_applies(world: World, deployers: int) -> None:
    world.begin(PLAIN)
    world.write(PLAIN_SECOND)

    ended = at_once(world, deployers)

    assert {one.code for one in ended} <= {0, 7}, "\n".join(map(str, ended))
    assert any(one.code == 0 for one in ended)
    assert never_two_locks(world.proxy.seen(lock("PUT")))
    for loser in ended:
        if loser.code == 7:
            assert "held by" in loser.text
            assert "since" in loser.text
    assert_safe(world, ended[0], code={0, 7})
    assert_safe(world, world.deploy(), code=0)


@pytest.mark.long
def test_row_25_in_a_hundred_tries_two_deployers_never_apply_at_once(world: World) -> None:
    """Fifty races of two, each for a new version."""
    world.begin(PLAIN)

    for number in range(50):
        version = json.loads(json.dumps(PLAIN))
        version["shop"]["resource"]["terraform_data"]["changed"]["input"] = f"race {number}"
        world.write(version)
        ended = at_once(world, 2)
        assert {one.code for one in ended} <= {0, 7}, "\n".join(map(str, ended))

    assert never_two_locks(world.proxy.seen(lock("PUT")))


@pytest.mark.long
def test_row_26_a_paused_deployer_is_not_robbed_and_goes_on(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    world.proxy.add(Rule(what=puts("fresh"), fault=Delay(80.0), times=1))
    paused = world.start(*DEPLOY)
    world.wait_for_event("apply_start", "fresh")

    paused.send(signal.SIGSTOP)
    time.sleep(70)
    thief = world.holdfast(*DEPLOY, "--output", "out-2", HOLDFAST_CACHE_DIR=str(world.folder / "cache-2"))
    paused.send(signal.SIGCONT)
    ended = paused.wait()

    assert thief.code == 7, str(thief)
    assert "its process is running" in thief.text
    assert_safe(world, ended, code=0)


def test_row_26_a_deployer_whose_lease_was_taken_stops_before_its_next_command(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    world.proxy.add(Rule(what=asks("GetParameter", "kept"), fault=Delay(3.0), times=1))
    robbed = world.start(*DEPLOY)
    world.wait_until(lambda: world.proxy.seen(lock("PUT")), "the plan to begin")
    (key,) = world.cloud.listing("_holdfast/leases/")
    lease = json.loads(world.cloud.get(key))
    lease.update(
        epoch=lease["epoch"] + 1, token="another", run="01M7YHZZZZZZZZZZZZZZZZZZZZ", owner="the thief"
    )
    world.cloud.put(key, json.dumps(lease).encode())

    ended = robbed.wait()

    assert ended.code in {6, 7}, str(ended)
    assert "the thief" in ended.text
    assert not world.proxy.seen(asks("PutParameter"))
