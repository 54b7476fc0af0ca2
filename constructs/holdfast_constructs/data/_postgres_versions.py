"""The major versions of PostgreSQL on RDS, and until when AWS supports each.

From "Release calendars for Amazon RDS for PostgreSQL" (AmazonRDS/latest/PostgreSQLReleaseNotes), November
2026. After the end of standard support AWS charges for each vCPU and hour (RDS Extended Support). No clock is
read: the same app is synthesized to the same bytes on every day, and a new version of Holdfast brings a newer
calendar.
"""

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from holdfast_constructs.errors import ConstructError

# The end of standard support; None where AWS has not announced it.
STANDARD: Mapping[str, date | None] = MappingProxyType(
    {
        "14": date(2027, 2, 28),
        "15": date(2028, 2, 29),
        "16": date(2029, 2, 28),
        "17": date(2030, 2, 28),
        "18": None,
    }
)
# The end of standard support, and that of extended support.
EXTENDED: Mapping[str, tuple[date, date]] = MappingProxyType(
    {
        "11": (date(2024, 2, 29), date(2027, 3, 31)),
        "12": (date(2025, 2, 28), date(2028, 2, 29)),
        "13": (date(2026, 2, 28), date(2029, 2, 28)),
    }
)
# DBInstance.EngineLifecycleSupport of the RDS API.
PAID, UNPAID = "open-source-rds-extended-support", "open-source-rds-extended-support-disabled"

_VERSION = re.compile(r"(?P<major>[0-9]{2})(?:\.(?P<minor>[0-9]{1,2}))?")
_ALLOWED = f"{min(STANDARD)}-{max(STANDARD)}: 16, or 16.4 to stay there"


def check_version(version: str, *, extended_support: bool) -> None:
    """Raise ConstructError for a version that RDS does not offer, or only for a charge nobody agreed to."""
    match = _VERSION.fullmatch(version)
    # RDS offers a major version from its first minor one on.
    major = "" if match is None or match["minor"] in ("0", "00") else match["major"]
    if major in STANDARD or (major in EXTENDED and extended_support):
        return
    if major not in EXTENDED:
        raise ConstructError("engine_version", got=version, allowed=_ALLOWED)
    ended, end = EXTENDED[major]
    raise ConstructError(
        "engine_version",
        got=version,
        allowed=f"{_ALLOWED}; AWS's standard support of {major} ended on {ended}",
        next_step=f"upgrade, or pay for extended support until {end} with extended_support=True",
    )
