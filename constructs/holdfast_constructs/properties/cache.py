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

ALWAYS: tuple[Always, ...] = ()
