"""Changes to the subnets of a database.

moto 5.2.1 answers ModifyDBSubnetGroup and forgets the group by it: the provider finds it gone, a delete
is refused. AWS keeps it. So do we.
"""

from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap


def close() -> None:
    """Keep a subnet group that was changed."""

    @wrap(moto("rds.models").RDSBackend, "modify_db_subnet_group")
    def modify(original: Any, self: Any, subnet_name: str, *args: Any, **kwargs: Any) -> Any:
        group = original(self, subnet_name, *args, **kwargs)
        self.subnet_groups[subnet_name] = group
        return group
