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


def checked_name(what: str, name: str) -> str:
    """Return `name` if PostgreSQL takes it without quotes; raises ConstructError otherwise."""
    if _NAME.fullmatch(name) is None:
        raise ConstructError(what, got=name, allowed="1-63 of a-z, 0-9 and '_', beginning with a letter")
    return name
