"""ElastiCache parameter groups.

moto 5.2.1 has none of their operations.
AWS keeps a group's own values; what was reset has the family's again. So do we; the family's values are not
listed.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._elasticache import chosen, kept, tagged
from holdfast_orchestrator.local.moto_patches._moto import moto, operation

_KIND, _MISSING = "parameter_groups", "CacheParameterGroupNotFound"


def close() -> None:
    """Add the operations of parameter groups."""
    responses = moto("elasticache.responses").ElastiCacheResponse
    _groups(responses)
    _parameters(responses)


def _groups(responses: Any) -> None:
    @operation(responses, "CreateCacheParameterGroup")
    def create(self: Any, params: Mapping[str, Any]) -> object:
        backend, name = self.elasticache_backend, params["CacheParameterGroupName"]
        group = {
            "CacheParameterGroupName": name,
            "CacheParameterGroupFamily": params["CacheParameterGroupFamily"],
            "Description": params["Description"],
            "IsGlobal": False,
            "ARN": tagged(backend, "parametergroup", name, params.get("Tags")),
        }
        kept(backend, _KIND)[name] = {"group": group, "values": {}}
        return {"CacheParameterGroup": group}

    @operation(responses, "DescribeCacheParameterGroups")
    def describe(self: Any, params: Mapping[str, Any]) -> object:
        groups = kept(self.elasticache_backend, _KIND)
        found = chosen(groups, params.get("CacheParameterGroupName"), _MISSING)
        return {"CacheParameterGroups": [each["group"] for each in found]}

    @operation(responses, "DeleteCacheParameterGroup")
    def delete(self: Any, params: Mapping[str, Any]) -> None:
        _one(self, params)
        del kept(self.elasticache_backend, _KIND)[params["CacheParameterGroupName"]]


def _parameters(responses: Any) -> None:
    @operation(responses, "ModifyCacheParameterGroup")
    def modify(self: Any, params: Mapping[str, Any]) -> object:
        given = {each["ParameterName"]: each["ParameterValue"] for each in params["ParameterNameValues"]}
        _one(self, params)["values"].update(given)
        return {"CacheParameterGroupName": params["CacheParameterGroupName"]}

    @operation(responses, "ResetCacheParameterGroup")
    def reset(self: Any, params: Mapping[str, Any]) -> object:
        values = _one(self, params)["values"]
        named = [each["ParameterName"] for each in params.get("ParameterNameValues") or ()]
        for name in named or list(values):
            values.pop(name, None)
        return {"CacheParameterGroupName": params["CacheParameterGroupName"]}

    @operation(responses, "DescribeCacheParameters")
    def describe(self: Any, params: Mapping[str, Any]) -> object:
        values = _one(self, params)["values"].items()
        own = {"Source": "user", "DataType": "string", "IsModifiable": True}
        return {
            "Parameters": [{"ParameterName": name, "ParameterValue": value, **own} for name, value in values]
        }


def _one(self: Any, params: Mapping[str, Any]) -> Any:
    groups = kept(self.elasticache_backend, _KIND)
    return chosen(groups, params["CacheParameterGroupName"], _MISSING)[0]
