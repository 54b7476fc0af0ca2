"""Cuts one CIDR into subnets: three tiers, up to eight zones, and room left over.

    first half      private    eight slots   where services run: most addresses
    next eighth     public     eight slots   load balancers and NAT
    next eighth     isolated   eight slots   databases
    last quarter    reserved                 for what nobody has thought of yet

A zone's slot is the letter at its end (`a` is the first), not its place in a list. So a zone added,
removed or listed in another order later moves no subnet of another zone: moving one would replace it
and everything in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from types import MappingProxyType
from typing import Literal, get_args

from holdfast_constructs.app.target import Target
from holdfast_constructs.errors import ConstructError

Tier = Literal["public", "private", "isolated"]
TIERS: tuple[Tier, ...] = get_args(Tier)

# Amazon VPC takes a /16 at most. An Application Load Balancer needs a /27 with eight addresses free
# in each of its subnets (Elastic Load Balancing, "Subnets for your load balancer"): a public slot.
LARGEST_PREFIX, SMALLEST_PREFIX = 16, 21
SLOTS = 8
# Amazon VPC User Guide, "Subnet sizing": the first four addresses of a subnet, and the last one.
RESERVED_ADDRESSES = 5
# The same page, and Amazon RDS, "Working with DB subnet groups": subnets in at least two zones.
FEWEST_ZONES = 2
_SLOT_BITS = 3
# Addresses of the host itself, of its link, and of groups: EC2, CreateVpc, answers InvalidVpc.Range.
_KEPT = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")))


@dataclass(frozen=True, slots=True)
class SubnetPlan:
    """The blocks of a VPC: `cidr` itself, one per tier and zone, and the reserved rest."""

    cidr: str
    blocks: Mapping[Tier, Mapping[str, str]]
    reserved: str

    def block(self, tier: Tier, zone: str) -> str:
        """Return the CIDR block of `tier` in `zone`."""
        return self.blocks[tier][zone]

    def addresses(self, tier: Tier) -> int:
        """Return how many addresses all subnets of a tier have for others than AWS."""
        return sum(
            IPv4Network(block).num_addresses - RESERVED_ADDRESSES for block in self.blocks[tier].values()
        )


def plan_subnets(cidr: str, zones: Sequence[str]) -> SubnetPlan:
    """Cut `cidr`, an IPv4 block of /16 to /21, for `zones` such as `eu-west-1a`.

    Raises ConstructError when the block is malformed or cannot hold the tiers, or when a zone has no slot.
    """
    network = _network(cidr)
    slots = {zone: _slot(zone) for zone in zones}
    if not slots or len(set(slots.values())) != len(zones):
        raise ConstructError("zones", got=tuple(zones), allowed="different zones of one region, at least one")
    halves = list(network.subnets(prefixlen_diff=1))
    eighths = list(halves[1].subnets(prefixlen_diff=2))
    tiers: dict[Tier, IPv4Network] = {"public": eighths[0], "private": halves[0], "isolated": eighths[1]}
    return SubnetPlan(
        cidr=str(network),
        blocks=MappingProxyType({tier: _cut(block, slots) for tier, block in tiers.items()}),
        reserved=str(eighths[2].supernet()),
    )


def check_zones(zones: Sequence[str], target: Target, *, wanted_by: str) -> None:
    """Raise ConstructError for fewer than two zones, except on the local cloud."""
    if not target.local and len(zones) < FEWEST_ZONES:
        raise ConstructError(
            f"the zones of {wanted_by}",
            got=", ".join(zones),
            allowed=f"at least {FEWEST_ZONES}: AWS makes none in fewer",
            next_step="give the target another zone",
        )


def _network(cidr: str) -> IPv4Network:
    allowed = f"an IPv4 block of /{LARGEST_PREFIX} to /{SMALLEST_PREFIX} such as 10.40.0.0/16"
    next_step = "it has to hold three tiers of eight zones, and a reserve"
    try:
        network = IPv4Network(cidr)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise ConstructError("cidr", got=cidr, allowed=allowed, next_step=next_step) from error
    if any(network.overlaps(kept) for kept in _KEPT):
        kept = ", ".join(map(str, _KEPT))
        raise ConstructError("cidr", got=cidr, allowed=f"a block outside of {kept}, which EC2 refuses")
    if not LARGEST_PREFIX <= network.prefixlen <= SMALLEST_PREFIX:
        raise ConstructError("cidr", got=cidr, allowed=allowed, next_step=next_step)
    return network


def _slot(zone: str) -> int:
    slot = ord(zone[-1:] or " ") - ord("a")
    if not 0 <= slot < SLOTS:
        raise ConstructError("a zone", got=zone, allowed="a name that ends in a letter from a to h")
    return slot


def _cut(block: IPv4Network, slots: Mapping[str, int]) -> Mapping[str, str]:
    pieces = list(block.subnets(prefixlen_diff=_SLOT_BITS))
    return MappingProxyType({zone: str(pieces[slot]) for zone, slot in slots.items()})
