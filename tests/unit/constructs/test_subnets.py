from ipaddress import IPv4Network
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_constructs.errors import ConstructError
from holdfast_constructs.network._subnets import TIERS, SubnetPlan, plan_subnets

prefixes = st.integers(min_value=16, max_value=21)
addresses = st.integers(min_value=0, max_value=2**32 - 1)
zone_sets = st.sets(st.sampled_from("abcdefgh"), min_size=1).map(
    lambda letters: sorted(f"eu-west-1{letter}" for letter in letters)
)
blocks = st.builds(
    lambda address, prefix: str(IPv4Network((address, prefix), strict=False)), addresses, prefixes
).filter(lambda block: not _kept_by_ec2(IPv4Network(block)))


def _kept_by_ec2(block: IPv4Network) -> bool:
    return (
        block.is_loopback or block.is_link_local or block.is_multicast or block.network_address.packed[0] == 0
    )


def _subnets(plan: SubnetPlan) -> list[IPv4Network]:
    return [IPv4Network(block) for tier in TIERS for block in plan.blocks[tier].values()]


@given(cidr=blocks, zones=zone_sets)
def test_no_two_subnets_share_an_address(cidr: str, zones: list[str]) -> None:
    plan = plan_subnets(cidr, zones)

    found = [*_subnets(plan), IPv4Network(plan.reserved)]

    assert len(found) == len(TIERS) * len(zones) + 1
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))


@given(cidr=blocks, zones=zone_sets)
def test_every_subnet_and_the_reserve_lie_inside_the_vpc(cidr: str, zones: list[str]) -> None:
    plan = plan_subnets(cidr, zones)

    found = [*_subnets(plan), IPv4Network(plan.reserved)]

    assert all(subnet.subnet_of(IPv4Network(cidr)) for subnet in found)


@given(cidr=blocks, zones=zone_sets, more=zone_sets)
def test_a_zone_added_later_moves_no_subnet(cidr: str, zones: list[str], more: list[str]) -> None:
    before = plan_subnets(cidr, zones)

    after = plan_subnets(cidr, sorted({*zones, *more}))

    assert all(after.block(tier, zone) == before.block(tier, zone) for tier in TIERS for zone in zones)
    assert after.reserved == before.reserved


def test_the_order_of_the_zones_moves_no_subnet() -> None:
    orders = permutations(["eu-west-1a", "eu-west-1b", "eu-west-1c"])

    plans = [plan_subnets("10.40.0.0/16", order) for order in orders]

    assert all(plan == plans[0] for plan in plans)


@given(cidr=blocks)
def test_every_tier_is_large_enough_for_a_load_balancer(cidr: str) -> None:
    plan = plan_subnets(cidr, ["eu-west-1a"])

    assert all(subnet.prefixlen <= 27 for subnet in _subnets(plan))


def test_the_layout_of_a_slash_16_is_the_one_written_down() -> None:
    plan = plan_subnets("10.40.0.0/16", ["eu-west-1a", "eu-west-1c"])

    assert plan.blocks == {
        "private": {"eu-west-1a": "10.40.0.0/20", "eu-west-1c": "10.40.32.0/20"},
        "public": {"eu-west-1a": "10.40.128.0/22", "eu-west-1c": "10.40.136.0/22"},
        "isolated": {"eu-west-1a": "10.40.160.0/22", "eu-west-1c": "10.40.168.0/22"},
    }
    assert plan.reserved == "10.40.192.0/18"


@pytest.mark.parametrize(
    "cidr", ["10.0.0.0/15", "10.0.0.0/22", "10.0.0.1/16", "10.0.0.0/33", "::/64", "", "ten"]
)
def test_a_block_that_cannot_hold_the_tiers_is_refused_with_what_would_do(cidr: str) -> None:
    with pytest.raises(ConstructError) as refused:
        plan_subnets(cidr, ["eu-west-1a"])

    assert str(refused.value).startswith("cidr must be an IPv4 block of /16 to /21")
    assert f"got {cidr!r}" in str(refused.value)


@pytest.mark.parametrize("zones", [[], ["eu-west-1a", "eu-west-1a"], ["eu-west-1a", "eu-central-1a"]])
def test_zones_that_share_a_slot_or_are_missing_are_refused(zones: list[str]) -> None:
    with pytest.raises(ConstructError, match="zones must be different zones of one region"):
        plan_subnets("10.0.0.0/16", zones)


@pytest.mark.parametrize("zone", ["eu-west-1", "eu-west-1i", "eu-west-1A", ""])
def test_a_zone_without_a_slot_is_refused(zone: str) -> None:
    with pytest.raises(ConstructError, match="ends in a letter from a to h"):
        plan_subnets("10.0.0.0/16", [zone])
