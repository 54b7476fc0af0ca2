"""Which availability zones a region has.

From "AWS Availability Zones" (global-infrastructure/latest/regions/aws-availability-zones), November 2026. An
account sees most of its region's zones, and in older regions some that others do not see. A region that is
not here is newer: its zones are not looked at.
"""

from collections.abc import Mapping
from types import MappingProxyType

_THREE = (
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-3", "ap-south-1", "ap-south-2"),
    *(f"ap-southeast-{number}" for number in range(1, 8)),
    *(
        "ca-west-1",
        "cn-northwest-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
    ),
    *("eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    *("sa-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1"),
)

LETTERS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(_THREE, "abc"),
        "ap-northeast-1": "abcd",
        "ap-northeast-2": "abcd",
        "ca-central-1": "abd",
        "cn-north-1": "abd",
        "us-east-1": "abcdef",
        "us-west-2": "abcd",
    }
)


def zones_of(region: str) -> tuple[str, ...]:
    """Return the names of a region's zones, none for a region that is not known."""
    return tuple(f"{region}{letter}" for letter in LETTERS.get(region, ""))
