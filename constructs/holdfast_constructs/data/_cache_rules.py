"""What ElastiCache allows of a Valkey cache, and what production asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast_constructs._tokens import is_number_token, is_text_token
from holdfast_constructs.app.target import Target
from holdfast_constructs.errors import ConstructError

# Amazon ElastiCache, CreateReplicationGroup: NumCacheClusters is 1 to 6, with the primary.
MOST_REPLICAS = 5
# Amazon ElastiCache User Guide, "Scheduling automatic backups": at most 35 days.
LONGEST_SNAPSHOT_DAYS = 35
# CreateCacheParameterGroup: the families of Valkey.
FAMILIES: Mapping[str, str] = {"7.2": "valkey7", "8.0": "valkey8", "8.1": "valkey8"}

# ElastiCache User Guide, "Quotas": users in a group.
MOST_USERS = 100
# The same guide, "Specifying Permissions Using an Access String": a user of ElastiCache is on or off, and its
# password is no part of the string.
_ACCESS = re.compile(
    r"on|off|allkeys|resetkeys|allchannels|resetchannels|allcommands|nocommands|clearselectors"
    r"|%(?:R|W|RW)~\S+|~\S+|&\S+|[+-]@?[a-z][a-z0-9|_-]*|\(.*|.*\)"
)
# "Supported node types": of the generations that Valkey runs on, with the sizes of each.
_LARGE = ("large", "xlarge", "2xlarge", "4xlarge")
_SIZES: Mapping[str, tuple[str, ...]] = {
    "t2": ("micro", "small", "medium"),
    "t3": ("micro", "small", "medium"),
    "t4g": ("micro", "small", "medium"),
    "m4": (*_LARGE, "10xlarge"),
    "m5": (*_LARGE, "12xlarge", "24xlarge"),
    "m6g": (*_LARGE, "8xlarge", "12xlarge", "16xlarge"),
    "m7g": (*_LARGE, "8xlarge", "12xlarge", "16xlarge"),
    "r4": (*_LARGE, "8xlarge", "16xlarge"),
    "r5": (*_LARGE, "12xlarge", "24xlarge"),
    "r6g": (*_LARGE, "8xlarge", "12xlarge", "16xlarge"),
    "r7g": (*_LARGE, "8xlarge", "12xlarge", "16xlarge"),
    "c7gn": (*_LARGE, "8xlarge", "12xlarge", "16xlarge"),
}
# Earlier generations, on which there is no encryption in transit.
_WITHOUT_TLS = frozenset({"t1", "m1", "m2", "m3", "c1", "r3"})
# Valkey, "Key eviction".
_PASSWORD = re.compile(r"(?:^|\s)[><#!]")
_EVICTION = frozenset(
    {
        "noeviction",
        *(f"allkeys-{how}" for how in ("lru", "lfu", "random")),
        *(f"volatile-{how}" for how in ("lru", "lfu", "random", "ttl")),
    }
)
_PARAMETER = re.compile(r"[a-z][a-z0-9-]*")
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
        self._check_generation(match["family"], self.node_type.rpartition(".")[2])
        if self.engine_version not in FAMILIES:
            raise ConstructError(
                "engine_version",
                got=self.engine_version,
                allowed=f"a version of Valkey: {', '.join(FAMILIES)}",
            )
        _check_number("replicas", self.replicas, MOST_REPLICAS)
        _check_number("snapshot_days", self.snapshot_days, LONGEST_SNAPSHOT_DAYS)

    def _check_generation(self, family: str, size: str) -> None:
        # A generation that is newer than this list is let through.
        if family in _WITHOUT_TLS or size not in _SIZES.get(family, (size,)):
            sizes = _SIZES.get(family)
            allowed = f"a size that {family} has: {', '.join(sizes)}" if sizes else "a generation with TLS"
            raise ConstructError("node_type", got=self.node_type, allowed=allowed)

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
    if len(users) > MOST_USERS:
        raise ConstructError("users", got=f"{len(users)} users", allowed=f"at most {MOST_USERS}")
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
        _check_permissions(name, permissions)


def _check_permissions(name: str, permissions: str) -> None:
    if is_text_token(permissions):
        return
    words = permissions.split()
    is_on_or_off = bool(words) and words[0] in ("on", "off")
    if not is_on_or_off or not all(map(_ACCESS.fullmatch, words)):
        raise ConstructError(
            f"permissions of user {name}",
            got="one with a password" if _PASSWORD.search(permissions) else permissions,
            allowed="an access string such as 'on ~* +@read', without passwords: users log in with IAM",
        )


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Raise ConstructError for parameters that Valkey does not have, or that this cache cannot choose."""
    for name, value in parameters.items():
        if _PARAMETER.fullmatch(name) is None:
            raise ConstructError(
                "the name of a parameter", got=name, allowed="as Valkey writes it, such as maxmemory-policy"
            )
        if name == "cluster-enabled":
            raise ConstructError(
                "the parameter cluster-enabled is not for a cache of one shard",
                next_step="remove it from parameters",
            )
        if name == "maxmemory-policy" and value not in _EVICTION:
            raise ConstructError(
                f"the parameter {name}", got=value, allowed=f"one of {', '.join(sorted(_EVICTION))}"
            )
        if not value:
            raise ConstructError(f"the parameter {name}", got=value, allowed="a value", next_step="remove it")


def _check_number(name: str, value: int, most: int) -> None:
    if not is_number_token(value) and not 0 <= value <= most:
        raise ConstructError(name, got=value, allowed=f"0-{most}")
