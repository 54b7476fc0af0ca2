"""When RDS makes backups and installs what it has to: at night where the region is, on Sunday's night.

RDS writes both windows in UTC. From 02:00 UTC on is the night of the regions around Greenwich; in others both
begin at 02:00 of the region's own standard time.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from holdfast_constructs.errors import ConstructError

# Hours by which the standard time where each region is differs from UTC (AWS, "Regions and Availability
# Zones"; tz database).
OFFSETS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("us-west-1", "us-west-2", "us-gov-west-1"), -8),
        "ca-west-1": -7,
        "mx-central-1": -6,
        **dict.fromkeys(("us-east-1", "us-east-2", "us-gov-east-1", "ca-central-1"), -5),
        "sa-east-1": -3,
        **dict.fromkeys(("eu-west-1", "eu-west-2"), 0),
        **dict.fromkeys(
            ("eu-west-3", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2"), 1
        ),
        **dict.fromkeys(("af-south-1", "il-central-1"), 2),
        "me-south-1": 3,
        "me-central-1": 4,
        **dict.fromkeys(("ap-south-1", "ap-south-2"), 5),
        **dict.fromkeys(("ap-southeast-3", "ap-southeast-7"), 7),
        **dict.fromkeys(
            ("ap-east-1", "ap-east-2", "ap-southeast-1", "ap-southeast-5", "cn-north-1", "cn-northwest-1"), 8
        ),
        **dict.fromkeys(("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"), 9),
        **dict.fromkeys(("ap-southeast-2", "ap-southeast-4"), 10),
        "ap-southeast-6": 12,
    }
)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR, _DAY, _WEEK = 60, 24 * 60, 7 * 24 * 60
_START = 2 * _HOUR
# Where 02:00 UTC is between 22:00 and 03:00, the windows are over before anybody works.
_NEAR = range(-4, 2)
# Amazon RDS User Guide, "Backup window" and "Amazon RDS maintenance window": at least half an hour each.
_SHORTEST = 30
_BACKUP = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_MAINTENANCE = re.compile(
    rf"({'|'.join(_DAYS)}):([01]\d|2[0-3]):([0-5]\d)-({'|'.join(_DAYS)}):([01]\d|2[0-3]):([0-5]\d)"
)


def windows(region: str, backup: str | None, maintenance: str | None) -> tuple[str, str]:
    """Return the windows for backups and for maintenance in UTC: what is given, else the region's night.

    Raises ConstructError for a window that RDS does not take, and for two that overlap.
    """
    start = _start(region)
    backup = backup or f"{_clock(start)}-{_clock(start + _HOUR)}"
    maintenance = maintenance or f"{_moment(start + 90)}-{_moment(start + 90 + _HOUR)}"
    _check(backup, maintenance)
    return backup, maintenance


def _start(region: str) -> int:
    """Minutes from the midnight in UTC with which Sunday begins; below zero it is Saturday."""
    offset = OFFSETS.get(region, 0)
    return _START if offset in _NEAR else _START - offset * _HOUR


def _clock(minutes: int) -> str:
    return f"{minutes % _DAY // _HOUR:02}:{minutes % _HOUR:02}"


def _moment(minutes: int) -> str:
    return f"{_DAYS[(6 + minutes // _DAY) % 7]}:{_clock(minutes)}"


def _check(backup: str, maintenance: str) -> None:
    daily, weekly = _BACKUP.fullmatch(backup), _MAINTENANCE.fullmatch(maintenance)
    if daily is None:
        raise ConstructError("backup_window", got=backup, allowed="in UTC, such as 02:00-03:00")
    if weekly is None:
        allowed = "in UTC, such as sun:03:30-sun:04:30"
        raise ConstructError("maintenance_window", got=maintenance, allowed=allowed)
    hour, minute, end_hour, end_minute = map(int, daily.groups())
    begin = hour * _HOUR + minute
    length = (end_hour * _HOUR + end_minute - begin) % _DAY
    day, *from_, end_day, to_hour, to_minute = weekly.groups()
    week = _DAYS.index(day) * _DAY + int(from_[0]) * _HOUR + int(from_[1])
    weekly_length = (_DAYS.index(end_day) * _DAY + int(to_hour) * _HOUR + int(to_minute) - week) % _WEEK
    if length < _SHORTEST:
        raise ConstructError("backup_window", got=backup, allowed="at least half an hour long")
    if not _SHORTEST <= weekly_length <= _DAY:
        allowed = "half an hour to a day long"
        raise ConstructError("maintenance_window", got=maintenance, allowed=allowed)
    if _overlap(begin, length, week % _DAY, weekly_length):
        raise ConstructError(
            "backup_window",
            got=backup,
            allowed=f"at another time than the maintenance window {maintenance}",
            next_step="move one of them: RDS takes none that overlap",
        )


def _overlap(begin: int, length: int, other: int, other_length: int) -> bool:
    """Whether a window of every day and one of a week's day meet, seen on a clock of one day."""
    return (other - begin) % _DAY < length or (begin - other) % _DAY < other_length
