"""The properties of `Cache`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
client ── TLS, token from IAM ──▶ primary ── copies ──▶ replicas in other zones
"""

PROPERTIES = {
    "network": Property(why="it is in the isolated subnets", theme=Theme.BOUNDARY),
    "key": Property(
        why="encrypts what it holds", controls=("CKV_AWS_29", "CKV_AWS_191"), theme=Theme.ENCRYPTED
    ),
    "logs_key": Property(
        why="encrypts its slow and engine logs", controls=("CKV_AWS_158",), theme=Theme.ENCRYPTED
    ),
    "node_type": Property(why="the memory and processor of each node"),
    "replicas": Property(
        why="one takes over when a zone fails",
        controls=("CKV2_AWS_50", "FSBP ElastiCache.3"),
        theme=Theme.RECOVERABLE,
    ),
    "users": Property(
        why="each logs in with a token from IAM; a password would be in the state",
        controls=("FSBP ElastiCache.6",),
        theme=Theme.ACCESS,
    ),
    "engine_version": Property(
        why="patches of it are installed by AWS", controls=("FSBP ElastiCache.2",), theme=Theme.PATCHED
    ),
    "parameters": Property(why="settings of Valkey itself"),
    "snapshot_days": Property(
        why="a cache can be filled again; what is not a cache is kept",
        controls=("FSBP ElastiCache.1",),
        theme=Theme.RECOVERABLE,
    ),
}

ALWAYS = (
    Always(
        resource="aws_elasticache_replication_group",
        argument="at_rest_encryption_enabled",
        value="true",
        why="what it holds is unreadable without the key",
        controls=("CKV_AWS_29", "FSBP ElastiCache.4"),
        theme=Theme.ENCRYPTED,
    ),
    Always(
        resource="aws_elasticache_replication_group",
        argument="transit_encryption_enabled",
        value=True,
        why="clients and replicas speak TLS",
        controls=("CKV_AWS_30", "FSBP ElastiCache.5"),
        theme=Theme.IN_TRANSIT,
    ),
    Always(
        resource="aws_elasticache_replication_group",
        argument="transit_encryption_mode",
        value="required",
        why="nobody connects without TLS",
        controls=("FSBP ElastiCache.5",),
        theme=Theme.IN_TRANSIT,
    ),
    Always(
        resource="aws_elasticache_replication_group",
        argument="auto_minor_version_upgrade",
        value="true",
        why="AWS installs corrections",
        controls=("FSBP ElastiCache.2",),
        theme=Theme.PATCHED,
    ),
    Always(
        resource="aws_elasticache_replication_group",
        argument="automatic_failover_enabled",
        value=True,
        follows="replicas",
        why="a replica takes over by itself",
        controls=("FSBP ElastiCache.3",),
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource="aws_elasticache_replication_group",
        argument="multi_az_enabled",
        value=True,
        follows="replicas",
        why="replicas are in other zones",
        controls=("CKV2_AWS_50",),
        theme=Theme.RECOVERABLE,
    ),
    Always(
        resource="aws_elasticache_user",
        argument="authentication_mode.type",
        value="iam",
        why="a token that is valid for 15 minutes, and no password",
        controls=("FSBP ElastiCache.6",),
        theme=Theme.ACCESS,
    ),
)
