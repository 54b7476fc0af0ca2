"""What other constructs need of a network, and a network somebody else manages.

Everything in a network takes a VpcNetwork: one that Holdfast created, or one that is named by its ids.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from cdktf_cdktf_provider_aws.data_aws_vpc import DataAwsVpc
from constructs import Construct

from holdfast_constructs._tokens import is_list_token
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.network._subnets import Tier


class VpcNetwork(Protocol):
    """What other constructs need of a network, whether Holdfast made it or not."""

    @property
    def vpc_id(self) -> str:
        """The VPC's id."""

    @property
    def vpc_cidr(self) -> str:
        """The VPC's IPv4 block, such as `10.40.0.0/16`."""

    @property
    def zones(self) -> tuple[str, ...]:
        """The names of its availability zones."""

    @property
    def public_subnet_ids(self) -> list[str]:
        """One subnet a zone, reachable from the Internet."""

    @property
    def private_subnet_ids(self) -> list[str]:
        """One subnet a zone, which reach out through NAT."""

    @property
    def isolated_subnet_ids(self) -> list[str]:
        """One subnet a zone, without a way out."""


@checked
class ImportedNetwork(Construct):
    """A network that somebody else manages, with the attributes of Network.

    `subnet_ids` has the tiers that the VPC has; one that it lacks is refused where something needs it.
    Without `vpc_cidr` the block is looked up where it is asked for.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        vpc_id: str,
        vpc_cidr: str | None = None,
        subnet_ids: Mapping[Tier, Sequence[str]],
    ) -> None:
        super().__init__(scope, id_)
        if not _is_id(vpc_id, "vpc-"):
            raise ConstructError("vpc_id", got=vpc_id, allowed="the id of a VPC, such as vpc-0a1b2c3d")
        self.name = id_
        self.vpc_id = vpc_id
        self.zones: tuple[str, ...] = ServiceStack.of(self).target.zones
        self._cidr = vpc_cidr
        self._subnet_ids = {tier: self._checked(tier, ids) for tier, ids in subnet_ids.items() if ids}
        if not self._subnet_ids:
            raise ConstructError(
                f"network {id_} has no subnets",
                next_step="pass private_subnet_ids, public_subnet_ids or isolated_subnet_ids",
            )

    @property
    def vpc_cidr(self) -> str:
        """The VPC's IPv4 block."""
        if self._cidr is None:
            vpc: str = DataAwsVpc(self, "vpc", id=self.vpc_id).cidr_block
            self._cidr = vpc
        return self._cidr

    @property
    def public_subnet_ids(self) -> list[str]:
        """Subnets reachable from the Internet; raises ConstructError where it has none."""
        return self._tier("public")

    @property
    def private_subnet_ids(self) -> list[str]:
        """Subnets that reach out through NAT; raises ConstructError where it has none."""
        return self._tier("private")

    @property
    def isolated_subnet_ids(self) -> list[str]:
        """Subnets without a way out. Where the VPC has none, the private ones."""
        return self._tier("isolated" if "isolated" in self._subnet_ids else "private")

    def _tier(self, tier: Tier) -> list[str]:
        if tier not in self._subnet_ids:
            raise ConstructError(
                f"network {self.name} has no {tier} subnets, which are needed here",
                next_step=f"pass {tier}_subnet_ids where it is imported",
            )
        return list(self._subnet_ids[tier])

    def _checked(self, tier: Tier, ids: Sequence[str]) -> list[str]:
        # A list that only a deploy knows has one element.
        is_known = not any(is_list_token(each) for each in ids)
        few = is_known and len(ids) < len(self.zones)
        literal = [each for each in ids if each.startswith("subnet-")]
        if few or len(set(literal)) < len(literal) or not all(_is_id(each, "subnet-") for each in ids):
            raise ConstructError(
                f"{tier}_subnet_ids",
                got=list(ids),
                allowed=f"one subnet id for each of {', '.join(self.zones)}",
                next_step="name the zones of these subnets in the target",
            )
        return list(ids)


def _is_id(value: str, prefix: str) -> bool:
    return value.startswith((prefix, "${")) or is_list_token(value)
