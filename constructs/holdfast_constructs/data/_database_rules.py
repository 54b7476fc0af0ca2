"""What a database refuses: each rule one function that says what, got, allowed, next."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast_constructs._tokens import is_text_token
from holdfast_constructs.app import production
from holdfast_constructs.app.target import Target
from holdfast_constructs.data._instance_classes import check_instance_class
from holdfast_constructs.data._postgres_versions import PAID, UNPAID, check_version
from holdfast_constructs.errors import ConstructError

# Amazon RDS User Guide: gp3 storage for PostgreSQL, in GiB; storage autoscaling needs a tenth of room.
SMALLEST_GIB, LARGEST_GIB = 20, 65_536
_ROOM_PERCENT = 10
# "Backup retention period"; 0 would switch backups off.
SHORTEST_BACKUP_DAYS, LONGEST_BACKUP_DAYS = 1, 35

_SECRET_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+")
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


# The guide, "gp3 storage": for PostgreSQL below 400 GiB it has 3,000 IOPS and 125 MiB/s, and neither can be
# chosen. From there on it has at least 12,000 and 500, and at most 500 IOPS a GiB; a MiB/s needs four IOPS.
_CHOICE_GIB = 400
_IOPS = (12_000, 64_000)
_THROUGHPUT = (500, 4_000)
_IOPS_OF_A_GIB, _IOPS_OF_A_MIB = 500, 4
# A database that is given no limit may grow to this many times its storage.
GROWTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a database is and how it is kept; raises ConstructError for what RDS does not offer.

    Storage in GiB; without `max_storage_gib` it may grow to four times as much, with 0 it does not grow.
    `engine_version` with a minor part stays at that minor version.
    """

    instance_class: str
    storage_gib: int
    max_storage_gib: int | None
    multi_az: bool
    backup_days: int
    engine_version: str
    extended_support: bool = False
    iops: int | None = None
    throughput_mib: int | None = None

    def __post_init__(self) -> None:
        check_instance_class(self.instance_class)
        self._check_storage()
        self._check_speed()
        if not SHORTEST_BACKUP_DAYS <= self.backup_days <= LONGEST_BACKUP_DAYS:
            allowed = f"{SHORTEST_BACKUP_DAYS}-{LONGEST_BACKUP_DAYS}"
            raise ConstructError("backup_days", got=self.backup_days, allowed=allowed)
        check_version(self.engine_version, extended_support=self.extended_support)

    @property
    def major(self) -> str:
        """The major version."""
        return self.engine_version.partition(".")[0]

    @property
    def follows_minors(self) -> bool:
        """Whether AWS installs minor versions by itself."""
        return self.engine_version == self.major

    @property
    def limit_gib(self) -> int:
        """What it may grow to, 0 where it does not grow."""
        if self.max_storage_gib is not None:
            return self.max_storage_gib
        limit = min(GROWTH * self.storage_gib, LARGEST_GIB)
        return limit if limit >= self._least_limit else 0

    @property
    def written_iops(self) -> int | None:
        """What is written of it: the provider sends the IOPS of before when a storage grows past 400 GiB."""
        return self.iops if self.storage_gib < _CHOICE_GIB else self.iops or _IOPS[0]

    @property
    def written_throughput(self) -> int | None:
        """The same in MiB/s."""
        return (
            self.throughput_mib if self.storage_gib < _CHOICE_GIB else self.throughput_mib or _THROUGHPUT[0]
        )

    @property
    def lifecycle_support(self) -> str:
        """Whether AWS may charge for a version that is out of its standard support."""
        return PAID if self.extended_support else UNPAID

    @property
    def _least_limit(self) -> int:
        return -(-self.storage_gib * (100 + _ROOM_PERCENT) // 100)

    def _check_storage(self) -> None:
        if not SMALLEST_GIB <= self.storage_gib <= LARGEST_GIB:
            raise ConstructError("storage_gib", got=self.storage_gib, allowed=f"{SMALLEST_GIB}-{LARGEST_GIB}")
        if not self.max_storage_gib:
            return
        if not self._least_limit <= self.max_storage_gib <= LARGEST_GIB:
            allowed = (
                f"{self._least_limit}-{LARGEST_GIB} (a tenth above storage_gib), or 0 for none that grows"
            )
            raise ConstructError("max_storage_gib", got=self.max_storage_gib, allowed=allowed)

    def _check_speed(self) -> None:
        chosen = {"iops": (self.iops, _IOPS), "throughput_mib": (self.throughput_mib, _THROUGHPUT)}
        for name, (value, (least, most)) in chosen.items():
            if value is None:
                continue
            if self.storage_gib < _CHOICE_GIB:
                raise ConstructError(
                    name,
                    got=value,
                    allowed=f"left out below {_CHOICE_GIB} GiB, where gp3 has what it has",
                    next_step=f"remove it, or begin with storage_gib={_CHOICE_GIB}",
                )
            if not least <= value <= most:
                raise ConstructError(name, got=value, allowed=f"{least}-{most}")
        self._check_ratios()

    def _check_ratios(self) -> None:
        iops = self.iops or _IOPS[0]
        if self.iops is not None and iops > _IOPS_OF_A_GIB * self.storage_gib:
            allowed = f"at most {_IOPS_OF_A_GIB} for each GiB: {_IOPS_OF_A_GIB * self.storage_gib}"
            raise ConstructError("iops", got=iops, allowed=allowed)
        if self.throughput_mib is not None and self.throughput_mib * _IOPS_OF_A_MIB > iops:
            raise ConstructError(
                "throughput_mib",
                got=self.throughput_mib,
                allowed=f"at most {iops // _IOPS_OF_A_MIB}, a quarter of iops",
                next_step=f"raise iops to {self.throughput_mib * _IOPS_OF_A_MIB}",
            )


def check_production(target: Target, *, multi_az: bool, backup_days: int) -> None:
    """Raise ConstructError for a database in production that does not survive its zone, or a mistake."""
    if target.production:
        production.check_standby(target.environment, multi_az=multi_az)
        production.check_backup_days(backup_days)


def check_pooled_users(users: Mapping[str, str], *, pooler: bool) -> None:
    """Raise ConstructError for users of a pooler that is not there, and for what is no ARN of a secret."""
    if users and not pooler:
        raise ConstructError("pooled_users", got=sorted(users), allowed="left out without pooler=True")
    for user, arn in users.items():
        checked_user(user)
        if not is_text_token(arn) and _SECRET_ARN.fullmatch(arn) is None:
            raise ConstructError(
                f"pooled_users[{user!r}] must be the ARN of a secret in Secrets Manager",
                next_step="store `username` and `password` there, and give its ARN",
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
