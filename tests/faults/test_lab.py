"""The lab itself: what the tests of the faults rely upon."""

from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.scenarios import FIRST, SECOND
from tests.faults.lab.world import World


def test_without_a_fault_the_next_version_is_deployed_and_nothing_is_left(world: World) -> None:
    world.begin(FIRST)

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code=0)
    assert {name for _, name in world.cloud.objects()} == {"/shop/kept", "/shop/changed", "/shop/fresh"}
