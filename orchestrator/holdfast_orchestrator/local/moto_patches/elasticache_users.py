"""ElastiCache users that change, and groups of users.

moto 5.2.1 creates, describes and deletes users; it cannot change one, and knows no groups of them.
AWS changes what is named, and keeps who is in a group. So do we.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._elasticache import chosen, kept, tagged
from holdfast_orchestrator.local.moto_patches._moto import moto, operation

_KIND, _MISSING = "user_groups", "UserGroupNotFound"


def close() -> None:
    """Add ModifyUser and the operations of groups of users."""
    responses = moto("elasticache.responses").ElastiCacheResponse

    @operation(responses, "ModifyUser")
    def modify_user(self: Any, params: Mapping[str, Any]) -> object:
        [user] = chosen(self.elasticache_backend.users, params["UserId"], "UserNotFound")
        user.access_string = params.get("AccessString") or user.access_string
        return user

    @operation(responses, "CreateUserGroup")
    def create(self: Any, params: Mapping[str, Any]) -> object:
        backend, name = self.elasticache_backend, params["UserGroupId"]
        kept(backend, _KIND)[name] = {
            "UserGroupId": name,
            "Status": "active",
            "Engine": params["Engine"],
            "UserIds": list(params.get("UserIds") or ()),
            "MinimumEngineVersion": "7.2",
            "ReplicationGroups": [],
            "ARN": tagged(backend, "usergroup", name, params.get("Tags")),
        }
        return kept(backend, _KIND)[name]

    @operation(responses, "DescribeUserGroups")
    def describe(self: Any, params: Mapping[str, Any]) -> object:
        groups = kept(self.elasticache_backend, _KIND)
        return {"UserGroups": chosen(groups, params.get("UserGroupId"), _MISSING)}

    @operation(responses, "ModifyUserGroup")
    def modify(self: Any, params: Mapping[str, Any]) -> object:
        group = _one(self, params)
        stay = [each for each in group["UserIds"] if each not in (params.get("UserIdsToRemove") or ())]
        group["UserIds"] = [*stay, *(params.get("UserIdsToAdd") or ())]
        return group

    @operation(responses, "DeleteUserGroup")
    def delete(self: Any, params: Mapping[str, Any]) -> object:
        group = _one(self, params)
        del kept(self.elasticache_backend, _KIND)[params["UserGroupId"]]
        return {**group, "Status": "deleting"}


def _one(self: Any, params: Mapping[str, Any]) -> Any:
    return chosen(kept(self.elasticache_backend, _KIND), params["UserGroupId"], _MISSING)[0]
