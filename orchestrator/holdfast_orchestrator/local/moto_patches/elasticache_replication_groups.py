"""ElastiCache replication groups: their members, changes, and their end.

moto 5.2.1 makes no member clusters, of which clients read version, encryption and groups; it forgets
`NumCacheClusters`; it has no reader endpoint; nothing can be changed; and a deleted group stays "deleting"
for ever, so that a destroy hangs.
AWS has a reader endpoint for each group without cluster mode, and a cluster for each member. It changes what
is named at once or in the maintenance window, and deletes both. So do we, all at once.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._elasticache import chosen
from holdfast_orchestrator.local.moto_patches._moto import moto, operation, wrap

_MISSING = "ReplicationGroupNotFoundFault"
_FLAGS = (
    "automatic_failover_enabled",
    "multi_az_enabled",
    "transit_encryption_enabled",
    "at_rest_encryption_enabled",
    "auto_minor_version_upgrade",
)
# What a change names -> where moto keeps it.
_OF_GROUP = {
    "ReplicationGroupDescription": "description",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "CacheNodeType": "cache_node_type",
    "TransitEncryptionMode": "transit_encryption_mode",
}
_OF_MEMBER = {
    "CacheNodeType": "cache_node_type",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "TransitEncryptionMode": "transit_encryption_mode",
}
_SWITCHES = {"AutomaticFailoverEnabled": "automatic_failover", "MultiAZEnabled": "multi_az"}
_MAINTENANCE = "sun:03:30-sun:04:30"


def close() -> None:
    """Give replication groups their members, and let both change and end."""
    models = moto("elasticache.models")
    _members(models)
    _life(models.ElastiCacheBackend)
    _changes(moto("elasticache.responses").ElastiCacheResponse)


def _members(models: Any) -> None:
    @wrap(models.ReplicationGroup, "_set_node_members_clusters_disabled")
    def members(original: Any, self: Any, **given: Any) -> None:
        others = given["replicas_per_node_group"] or (given["num_cache_clusters"] or 1) - 1
        original(self, **{**given, "replicas_per_node_group": others})
        nodes = given["node_group"]
        nodes["reader_endpoint"] = {"address": nodes["reader_endpoint_address"], "port": self.port}


def _life(backend: Any) -> None:
    @wrap(backend, "create_replication_group")
    def create(original: Any, self: Any, **given: Any) -> Any:
        flags = {name: given[name] in (True, "true", "True") for name in _FLAGS}
        group = original(self, **{**given, **flags})
        for name in group.member_clusters:
            _make_member(self, group, name)
        return group

    @wrap(backend, "delete_replication_group")
    def delete(original: Any, self: Any, **given: Any) -> Any:
        group = original(self, **given)
        self.replication_groups.pop(group.replication_group_id, None)
        for name in group.member_clusters:
            self.cache_clusters.pop(name, None)
        return group


def _make_member(backend: Any, group: Any, name: str) -> None:
    taken = dict.fromkeys(inspect.signature(backend.create_cache_cluster).parameters)
    member = backend.create_cache_cluster(
        **taken
        | {
            "cache_cluster_id": name,
            "cache_node_type": group.cache_node_type,
            "engine": group.engine,
            "engine_version": _whole_version(group),
            "cache_subnet_group_name": group.cache_subnet_group_name,
            "preferred_maintenance_window": group.preferred_maintenance_window or _MAINTENANCE,
            "auto_minor_version_upgrade": group.auto_minor_version_upgrade,
            "notification_topic_arn": group.notification_topic_arn,
            "port": group.port,
        }
    )
    member.replication_group_id = group.replication_group_id
    for attribute in ("transit_encryption_enabled", "at_rest_encryption_enabled", "transit_encryption_mode"):
        setattr(member, attribute, getattr(group, attribute))
    member.security_groups = _active(group.security_group_ids)
    member.cache_parameter_group = _in_use(group.cache_parameter_group_name or "default.valkey8")


def _whole_version(group: Any) -> str:
    """AWS answers with the patch that it installed: 8.0.1 for 8.0."""
    version = str(group.engine_version or "8.0")
    return f"{version}.1" if version.count(".") == 1 else version


def _active(security_group_ids: Any) -> list[dict[str, str]]:
    return [{"SecurityGroupId": each, "Status": "active"} for each in security_group_ids or ()]


def _in_use(name: str) -> dict[str, str]:
    return {"CacheParameterGroupName": name, "ParameterApplyStatus": "in-sync"}


def _changes(responses: Any) -> None:
    @operation(responses, "ModifyReplicationGroup")
    def modify(self: Any, params: Mapping[str, Any]) -> object:
        backend = self.elasticache_backend
        [group] = chosen(backend.replication_groups, params["ReplicationGroupId"], _MISSING)
        _set(group, _OF_GROUP, params)
        for given, attribute in _SWITCHES.items():
            if given in params:
                setattr(group, attribute, "enabled" if params[given] in (True, "true") else "disabled")
        group.user_group_ids = _after(group.user_group_ids, params)
        for name in group.member_clusters:
            _change_member(backend.cache_clusters[name], group, params)
        return {"ReplicationGroup": group}

    for name in ("IncreaseReplicaCount", "DecreaseReplicaCount"):
        operation(responses, name)(_resize)


def _set(thing: Any, places: Mapping[str, str], params: Mapping[str, Any]) -> None:
    for given, attribute in places.items():
        if params.get(given) is not None:
            setattr(thing, attribute, params[given])


def _after(user_groups: list[str], params: Mapping[str, Any]) -> list[str]:
    stay = [each for each in user_groups if each not in (params.get("UserGroupIdsToRemove") or ())]
    return [*stay, *(params.get("UserGroupIdsToAdd") or ())]


def _change_member(member: Any, group: Any, params: Mapping[str, Any]) -> None:
    _set(member, _OF_MEMBER, params)
    if params.get("EngineVersion"):
        group.engine_version = params["EngineVersion"]
        member.engine_version = _whole_version(group)
    if params.get("CacheParameterGroupName"):
        member.cache_parameter_group = _in_use(params["CacheParameterGroupName"])
    if params.get("SecurityGroupIds"):
        member.security_groups = _active(params["SecurityGroupIds"])


def _resize(self: Any, params: Mapping[str, Any]) -> object:
    backend = self.elasticache_backend
    [group] = chosen(backend.replication_groups, params["ReplicationGroupId"], _MISSING)
    names = [
        f"{group.replication_group_id}-{number:0>3}"
        for number in range(1, int(params["NewReplicaCount"]) + 2)
    ]
    for name in set(group.member_clusters) - set(names):
        backend.cache_clusters.pop(name, None)
    for name in names:
        if name not in backend.cache_clusters:
            _make_member(backend, group, name)
    [nodes] = group.node_groups
    first = nodes["node_group_members"][0]
    nodes["node_group_members"] = [
        {**first, "cache_cluster_id": name, "current_role": "replica" if number else "primary"}
        for number, name in enumerate(names)
    ]
    group.member_clusters[:] = names
    return {"ReplicationGroup": group}
