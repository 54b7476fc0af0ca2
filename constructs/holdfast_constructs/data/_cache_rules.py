"""What ElastiCache allows of a Valkey cache, and what production asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast_constructs._tokens import is_number_token
from holdfast_constructs.app.target import Target
from holdfast_constructs.errors import ConstructError

# Amazon ElastiCache, CreateReplicationGroup: NumCacheClusters is 1 to 6, with the primary.
MOST_REPLICAS = 5
# Amazon ElastiCache User Guide, "Scheduling automatic backups": at most 35 days.
LONGEST_SNAPSHOT_DAYS = 35
# CreateCacheParameterGroup: the families of Valkey.
FAMILIES: Mapping[str, str] = {"7.2": "valkey7", "8.0": "valkey8", "8.1": "valkey8"}

_NODE_TYPE = re.compile(r"cache\.(?P<family>[a-z][a-z0-9]*)\.[a-z0-9]+")
# Nodes with data tiering answer only where it is on, and snapshots of theirs fit nowhere else.
_TIERED = frozenset({"r6gd"})
_USER = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|-(?!-))*(?<!-)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The size of a cache, checked when made."""

    node_type: str
    replicas: int
    engine_version: str
    snapshot_days: int

    def __post_init__(self) -> None:
        match = _NODE_TYPE.fullmatch(self.node_type)
        if match is None or match["family"] in _TIERED:
            raise ConstructError(
                "node_type",
                got=self.node_type,
                allowed="a node type without data tiering, such as cache.t4g.small or cache.r7g.large",
            )
        if self.engine_version not in FAMILIES:
            raise ConstructError(
                "engine_version",
                got=self.engine_version,
                allowed=f"a version of Valkey: {', '.join(FAMILIES)}",
            )
        _check_number("replicas", self.replicas, MOST_REPLICAS)
        _check_number("snapshot_days", self.snapshot_days, LONGEST_SNAPSHOT_DAYS)

    @property
    def family(self) -> str:
        """The family of its parameter group."""
        return FAMILIES[self.engine_version]


def replicas(wanted: int | None, target: Target) -> int:
    """Return the number of replicas; raises ConstructError in production without one."""
    number = int(target.production) if wanted is None else wanted
    if target.production and number < 1:
        raise ConstructError(
            f"replicas in {target.environment}",
            got=number,
            allowed=f"1-{MOST_REPLICAS}",
            next_step="without one the cache is gone with its zone",
        )
    return number


def check_users(users: Mapping[str, str]) -> None:
    """Raise ConstructError for a cache that nobody can log in to, and for what is no user of one."""
    if not users:
        raise ConstructError("users", got={}, allowed="at least one user: nobody logs in without")
    if len({name.lower() for name in users}) < len(users):
        raise ConstructError(
            "users", got=list(users), allowed="names that differ in more than capital letters"
        )
    for name, permissions in users.items():
        if _USER.fullmatch(name) is None or name.lower() == "default":
            raise ConstructError(
                "a user of a cache",
                got=name,
                allowed="a letter, then letters, digits and single hyphens, and not 'default'",
            )
        if not permissions.strip():
            raise ConstructError(
                f"permissions of user {name}",
                got=permissions,
                allowed="an access string such as 'on ~* +@read'",
            )


def _check_number(name: str, value: int, most: int) -> None:
    if not is_number_token(value) and not 0 <= value <= most:
        raise ConstructError(name, got=value, allowed=f"0-{most}")
