"""What other constructs need of a network, and a network somebody else manages.

Everything in a network takes a VpcNetwork: one that Holdfast created, or one that is named by its ids.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from constructs import Construct

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
    """A network somebody else manages, with the same reading side as Network."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        vpc_id: str,
        vpc_cidr: str,
        subnet_ids: Mapping[Tier, Sequence[str]],
    ) -> None:
        super().__init__(scope, id_)
        self.vpc_id = vpc_id
        self.vpc_cidr = vpc_cidr
        self.zones: tuple[str, ...] = ServiceStack.of(self).target.zones
        self.public_subnet_ids = self._checked("public", subnet_ids["public"])
        self.private_subnet_ids = self._checked("private", subnet_ids["private"])
        self.isolated_subnet_ids = self._checked("isolated", subnet_ids["isolated"])
        if not vpc_id.startswith(("vpc-", "${")):
            raise ConstructError("vpc_id", got=vpc_id, allowed="the id of a VPC, such as vpc-0a1b2c3d")

    def _checked(self, tier: Tier, ids: Sequence[str]) -> list[str]:
        if len(ids) != len(self.zones) or not all(each.startswith(("subnet-", "${")) for each in ids):
            raise ConstructError(
                f"{tier}_subnet_ids",
                got=list(ids),
                allowed=f"one subnet id for each of {', '.join(self.zones)}",
            )
        return list(ids)
