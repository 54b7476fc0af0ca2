"""The gaps of ElastiCache."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from tests.support.gaps import Clients, Gaps, Probes


def code(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "fine"


def subnet_group(clients: Clients, name: str) -> Any:
    caches = clients("elasticache")
    subnets = clients("ec2").describe_subnets()["Subnets"]
    caches.create_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription="x", SubnetIds=[subnets[0]["SubnetId"]]
    )
    return caches


def replication_group(clients: Clients, name: str, **more: Any) -> Any:
    caches = clients("elasticache")
    caches.create_replication_group(
        ReplicationGroupId=name,
        ReplicationGroupDescription="x",
        Engine="valkey",
        EngineVersion="8.0",
        CacheNodeType="cache.t4g.small",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        **more,
    )
    return caches


def the_end_of_a_subnet_group(clients: Clients) -> object:
    caches = subnet_group(clients, "gone")
    caches.delete_cache_subnet_group(CacheSubnetGroupName="gone")
    return code(lambda: caches.describe_cache_subnet_groups(CacheSubnetGroupName="gone"))


def a_subnet_group_that_changes(clients: Clients) -> object:
    caches = subnet_group(clients, "moved")
    caches.modify_cache_subnet_group(CacheSubnetGroupName="moved", CacheSubnetGroupDescription="y")
    [group] = caches.describe_cache_subnet_groups(CacheSubnetGroupName="moved")["CacheSubnetGroups"]
    return group["CacheSubnetGroupDescription"], len(group["Subnets"])


def a_parameter_group_with_tags_from_beginning_to_end(clients: Clients) -> object:
    caches, named = clients("elasticache"), {"CacheParameterGroupName": "valkey"}
    group = caches.create_cache_parameter_group(
        **named, CacheParameterGroupFamily="valkey8", Description="x", Tags=[{"Key": "a", "Value": "b"}]
    )["CacheParameterGroup"]
    values = [{"ParameterName": name, "ParameterValue": "1"} for name in ("timeout", "databases")]
    caches.modify_cache_parameter_group(**named, ParameterNameValues=values)
    caches.reset_cache_parameter_group(**named, ParameterNameValues=values[:1])
    shown = caches.describe_cache_parameters(**named)["Parameters"]
    tags = caches.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]
    caches.delete_cache_parameter_group(**named)
    gone = code(lambda: caches.describe_cache_parameter_groups(**named))
    return [each["ParameterName"] for each in shown], tags, gone


def a_user_that_changes(clients: Clients) -> object:
    caches = clients("elasticache")
    iam = {"Type": "iam"}
    caches.create_user(
        UserId="reader",
        UserName="reader",
        Engine="valkey",
        AccessString="on ~* +@read",
        AuthenticationMode=iam,
    )
    caches.modify_user(UserId="reader", AccessString="on ~* +@all")
    [user] = caches.describe_users(UserId="reader")["Users"]
    return user["AccessString"]


def a_group_of_users_from_beginning_to_end(clients: Clients) -> object:
    caches = clients("elasticache")
    caches.create_user_group(UserGroupId="team", Engine="valkey", UserIds=["one", "two"])
    caches.modify_user_group(UserGroupId="team", UserIdsToAdd=["three"], UserIdsToRemove=["one"])
    [group] = caches.describe_user_groups(UserGroupId="team")["UserGroups"]
    caches.delete_user_group(UserGroupId="team")
    return group["UserIds"], code(lambda: caches.describe_user_groups(UserGroupId="team"))


def the_members_of_a_replication_group(clients: Clients) -> object:
    caches = replication_group(clients, "members")
    [group] = caches.describe_replication_groups(ReplicationGroupId="members")["ReplicationGroups"]
    described = [
        caches.describe_cache_clusters(CacheClusterId=name)["CacheClusters"][0]
        for name in group["MemberClusters"]
    ]
    return [
        (each["CacheClusterId"], each["EngineVersion"], each["TransitEncryptionEnabled"])
        for each in described
    ]


def the_reader_endpoint_of_a_replication_group(clients: Clients) -> object:
    caches = replication_group(clients, "read")
    [group] = caches.describe_replication_groups(ReplicationGroupId="read")["ReplicationGroups"]
    [nodes] = group["NodeGroups"]
    return nodes["ReaderEndpoint"]["Address"].split(".")[:2], nodes["ReaderEndpoint"]["Port"]


def a_replication_group_that_changes(clients: Clients) -> object:
    caches = replication_group(clients, "changed", UserGroupIds=["old"])
    caches.modify_replication_group(
        ReplicationGroupId="changed",
        ReplicationGroupDescription="y",
        SnapshotRetentionLimit=3,
        AutomaticFailoverEnabled=False,
        CacheParameterGroupName="own",
        UserGroupIdsToAdd=["new"],
        UserGroupIdsToRemove=["old"],
        SecurityGroupIds=["sg-1"],
        ApplyImmediately=True,
    )
    [group] = caches.describe_replication_groups(ReplicationGroupId="changed")["ReplicationGroups"]
    [member] = caches.describe_cache_clusters(CacheClusterId="changed-002")["CacheClusters"]
    return (
        *(group["Description"], group["SnapshotRetentionLimit"], group["AutomaticFailover"]),
        *(group["UserGroupIds"], member["SecurityGroups"][0]["SecurityGroupId"]),
        member["CacheParameterGroup"]["CacheParameterGroupName"],
    )


def a_replication_group_with_more_and_fewer_replicas(clients: Clients) -> object:
    caches = replication_group(clients, "sized")
    sizes = []
    for resize, number in ((caches.increase_replica_count, 3), (caches.decrease_replica_count, 1)):
        resize(ReplicationGroupId="sized", NewReplicaCount=number, ApplyImmediately=True)
        [group] = caches.describe_replication_groups(ReplicationGroupId="sized")["ReplicationGroups"]
        nodes = group["NodeGroups"][0]["NodeGroupMembers"]
        sizes.append((len(group["MemberClusters"]), len(nodes)))
    return sizes, code(lambda: caches.describe_cache_clusters(CacheClusterId="sized-004"))


def the_end_of_a_replication_group(clients: Clients) -> object:
    caches = replication_group(clients, "ended")
    caches.delete_replication_group(ReplicationGroupId="ended")
    group = code(lambda: caches.describe_replication_groups(ReplicationGroupId="ended"))
    return group, code(lambda: caches.describe_cache_clusters(CacheClusterId="ended-001"))


PROBES: Probes = {
    the_end_of_a_subnet_group: ("CacheSubnetGroupNotFoundFault", "elasticache_subnet_groups"),
    a_subnet_group_that_changes: (("y", 1), "elasticache_subnet_groups"),
    a_parameter_group_with_tags_from_beginning_to_end: (
        (["databases"], [{"Key": "a", "Value": "b"}], "CacheParameterGroupNotFound"),
        "elasticache_parameter_groups",
    ),
    a_user_that_changes: ("on ~* +@all", "elasticache_users"),
    a_group_of_users_from_beginning_to_end: (
        (["two", "three"], "UserGroupNotFound"),
        "elasticache_users",
    ),
    the_members_of_a_replication_group: (
        [("members-001", "8.0.1", True), ("members-002", "8.0.1", True)],
        "elasticache_replication_groups",
    ),
    the_reader_endpoint_of_a_replication_group: (
        (["replica", "read"], 6379),
        "elasticache_replication_groups",
    ),
    a_replication_group_that_changes: (
        ("y", 3, "disabled", ["new"], "sg-1", "own"),
        "elasticache_replication_groups",
    ),
    a_replication_group_with_more_and_fewer_replicas: (
        ([(4, 4), (2, 2)], "CacheClusterNotFound"),
        "elasticache_replication_groups",
    ),
    the_end_of_a_replication_group: (
        ("ReplicationGroupNotFoundFault", "CacheClusterNotFound"),
        "elasticache_replication_groups",
    ),
}


class TestCaches(Gaps):
    probes = PROBES
