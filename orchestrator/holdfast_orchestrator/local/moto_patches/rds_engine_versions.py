"""The engine versions of RDS.

moto 5.2.1 has no DescribeDBEngineVersions: `data.aws_rds_engine_version` cannot be read.
AWS lists every version it offers. We list PostgreSQL's, from the AWS documentation "Release calendar for
Amazon RDS for PostgreSQL" of November 2025; a major version alone means the newest of its minor ones.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, operation

# major -> minor versions, oldest first.
_POSTGRES = {
    13: (20, 21, 22, 23),
    14: (17, 18, 19, 20),
    15: (12, 13, 14, 15),
    16: (3, 4, 6, 8, 9, 10, 11),
    17: (2, 4, 5, 6, 7),
}


def close() -> None:
    """Add DescribeDBEngineVersions."""

    @operation(moto("rds.responses").RDSResponse, "DescribeDBEngineVersions")
    def describe(self: Any, params: Mapping[str, Any]) -> object:  # noqa: ARG001 - an operation's signature
        wanted = params.get("EngineVersion") or ""
        if params.get("Engine") not in {None, "postgres"}:
            return {"DBEngineVersions": []}
        found = [
            version
            for version in _versions()
            if f"{version['EngineVersion']}.".startswith(f"{wanted}." if wanted else "")
            and params.get("DBParameterGroupFamily") in {None, version["DBParameterGroupFamily"]}
        ]
        return {"DBEngineVersions": _newest_majors(found) if params.get("DefaultOnly") else found}


def _versions() -> list[dict[str, Any]]:
    return [
        {
            "Engine": "postgres",
            "EngineVersion": f"{major}.{minor}",
            "MajorEngineVersion": str(major),
            "DBParameterGroupFamily": f"postgres{major}",
            "DBEngineDescription": "PostgreSQL",
            "DBEngineVersionDescription": f"PostgreSQL {major}.{minor}-R1",
            "ExportableLogTypes": ["postgresql", "upgrade", "iam-db-auth-error"],
            "Status": "available",
            "SupportsLogExportsToCloudwatchLogs": True,
            "SupportsReadReplica": True,
            "ValidUpgradeTarget": [],
        }
        for major, minors in _POSTGRES.items()
        for minor in minors
    ]


def _newest_majors(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return versions[-1:]
