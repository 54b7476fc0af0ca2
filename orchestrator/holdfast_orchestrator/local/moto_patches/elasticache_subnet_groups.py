"""Changes to ElastiCache subnet groups, and their end.

moto 5.2.1 creates and describes them, and can neither change nor delete one: a destroy fails.
AWS replaces what is named, and deletes. So do we.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._elasticache import chosen
from holdfast_orchestrator.local.moto_patches._moto import moto, operation

_MISSING = "CacheSubnetGroupNotFoundFault"


def close() -> None:
    """Add ModifyCacheSubnetGroup and DeleteCacheSubnetGroup."""
    responses = moto("elasticache.responses").ElastiCacheResponse
    group_class = moto("elasticache.models").CacheSubnetGroup

    @operation(responses, "ModifyCacheSubnetGroup")
    def modify(self: Any, params: Mapping[str, Any]) -> object:
        backend, name = self.elasticache_backend, params["CacheSubnetGroupName"]
        [group] = chosen(backend.cache_subnet_groups, name, _MISSING)
        backend.cache_subnet_groups[name] = group_class(
            account_id=backend.account_id,
            region_name=backend.region_name,
            cache_subnet_group_name=name,
            cache_subnet_group_description=params.get("CacheSubnetGroupDescription")
            or group.cache_subnet_group_description,
            subnet_ids=params.get("SubnetIds") or group.subnet_ids,
            tags=group.tags,
        )
        return {"CacheSubnetGroup": backend.cache_subnet_groups[name]}

    @operation(responses, "DeleteCacheSubnetGroup")
    def delete(self: Any, params: Mapping[str, Any]) -> None:
        groups, name = self.elasticache_backend.cache_subnet_groups, params["CacheSubnetGroupName"]
        chosen(groups, name, _MISSING)
        del groups[name]
