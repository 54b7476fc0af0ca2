"""What a database refuses: each rule one function that says what, got, allowed, next."""

import re
from dataclasses import dataclass

from holdfast_constructs.app.target import Target
from holdfast_constructs.errors import ConstructError

# Amazon RDS User Guide: gp3 storage for PostgreSQL, in GiB; storage autoscaling needs a tenth of room.
SMALLEST_GIB, LARGEST_GIB = 20, 65_536
_ROOM_PERCENT = 10
# "Backup retention period"; 0 would switch backups off.
SHORTEST_BACKUP_DAYS, LONGEST_BACKUP_DAYS = 1, 35

_CLASS = re.compile(r"db\.[a-z0-9-]+\.[a-z0-9]+")
_VERSION = re.compile(r"1[3-9](?:\.[0-9]{1,2})?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# RDS API, CreateDBInstance: "DBName can't be a word reserved by the database engine". PostgreSQL 16, appendix
# C: the key words that its table calls reserved, those that may be names of functions and types too.
_RESERVED = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "authorization",
        "binary",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "collation",
        "column",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "false",
        "fetch",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "intersect",
        "into",
        "is",
        "isnull",
        "join",
        "lateral",
        "leading",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "natural",
        "not",
        "notnull",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "overlaps",
        "placing",
        "primary",
        "references",
        "returning",
        "right",
        "select",
        "session_user",
        "similar",
        "some",
        "symmetric",
        "system_user",
        "table",
        "tablesample",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
    ]
)
# Databases and roles that every instance has, or that RDS keeps for itself.
_TAKEN_DATABASES = frozenset({"rdsadmin", "template0", "template1"})
_TAKEN_ROLES = frozenset({"postgres", "public", "rdsadmin", "rds_superuser", "rds_replication", "rds_iam"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a database is and how it is kept; raises ConstructError for what RDS does not offer.

    Storage in GiB; `engine_version` with a minor part stays at that minor version.
    """

    instance_class: str
    storage_gib: int
    max_storage_gib: int | None
    multi_az: bool
    backup_days: int
    engine_version: str

    def __post_init__(self) -> None:
        if _CLASS.fullmatch(self.instance_class) is None:
            allowed = "an RDS class such as db.r6g.large"
            raise ConstructError("instance_class", got=self.instance_class, allowed=allowed)
        self._check_storage()
        if not SHORTEST_BACKUP_DAYS <= self.backup_days <= LONGEST_BACKUP_DAYS:
            allowed = f"{SHORTEST_BACKUP_DAYS}-{LONGEST_BACKUP_DAYS}"
            raise ConstructError("backup_days", got=self.backup_days, allowed=allowed)
        if _VERSION.fullmatch(self.engine_version) is None:
            allowed = "13-19: 16, or 16.4 to stay there"
            raise ConstructError("engine_version", got=self.engine_version, allowed=allowed)

    @property
    def major(self) -> str:
        """The major version."""
        return self.engine_version.partition(".")[0]

    @property
    def follows_minors(self) -> bool:
        """Whether AWS installs minor versions by itself."""
        return self.engine_version == self.major

    def _check_storage(self) -> None:
        if not SMALLEST_GIB <= self.storage_gib <= LARGEST_GIB:
            raise ConstructError("storage_gib", got=self.storage_gib, allowed=f"{SMALLEST_GIB}-{LARGEST_GIB}")
        if self.max_storage_gib is None:
            return
        least = -(-self.storage_gib * (100 + _ROOM_PERCENT) // 100)
        if not least <= self.max_storage_gib <= LARGEST_GIB:
            allowed = f"{least}-{LARGEST_GIB} (a tenth above storage_gib), or None"
            raise ConstructError("max_storage_gib", got=self.max_storage_gib, allowed=allowed)


def check_standby(target: Target, *, multi_az: bool) -> None:
    """Raise ConstructError for a database in production that does not survive its zone."""
    if target.production and not multi_az:
        raise ConstructError(
            f"multi_az in {target.environment}", got=multi_az, allowed="True in production: a zone can fail"
        )


def checked_database(name: str) -> str:
    """Return `name` if RDS creates a database of it; raises ConstructError otherwise."""
    return _checked_name("database", name, _RESERVED | _TAKEN_DATABASES)


def checked_user(name: str) -> str:
    """Return `name` if it can be a role that logs in; raises ConstructError otherwise."""
    if name.startswith("pg_"):
        raise ConstructError(
            "user", got=name, allowed="a name without pg_ at its beginning, which PostgreSQL keeps"
        )
    return _checked_name("user", name, _RESERVED | _TAKEN_ROLES)


def _checked_name(what: str, name: str, taken: frozenset[str]) -> str:
    """Return `name` if PostgreSQL takes it without quotes."""
    if _NAME.fullmatch(name) is None:
        raise ConstructError(what, got=name, allowed="1-63 of a-z, 0-9 and '_', beginning with a letter")
    if name in taken:
        raise ConstructError(
            what,
            got=name,
            allowed="a name that PostgreSQL and RDS do not keep for themselves",
            next_step=f"{what}={f'{name}_app'!r}, for example",
        )
    return name
