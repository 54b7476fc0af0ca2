"""The Athena table over the audit trail, and the bucket lifecycle that deletes old records."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from holdfast_orchestrator.record.audit.entry import AUDIT
from holdfast_orchestrator.record.audit.trail import RAW


def table_ddl(bucket: str) -> str:
    """Return the statement that makes the table `holdfast_audit` over this bucket.

    Its partitions are computed from the date (projection), so that none has to be added.
    """
    return _packaged("audit_table.sql").format(bucket=bucket)


def example_query() -> str:
    """Return a query over the table: who changed production in the last seven days."""
    return _packaged("audit_query.sql")


def lifecycle(retention_days: int) -> dict[str, Any]:
    """Return the S3 lifecycle configuration that ends records after so many days.

    It is to be added to the bucket's own rules (`put-bucket-lifecycle-configuration` replaces them all).
    Noncurrent versions, which only a deletion or a forgery makes, are kept as long again.
    """
    return {"Rules": [_rule("audit", AUDIT, retention_days), _rule("audit-raw", RAW, retention_days)]}


def with_ours(rules: Sequence[Mapping[str, Any]], retention_days: int) -> list[Mapping[str, Any]] | None:
    """Return a bucket's rules with ours added; None if ours are there already."""
    ours = lifecycle(retention_days)["Rules"]
    if all(any(_same(rule, existing) for existing in rules) for rule in ours):
        return None
    names = {rule["ID"] for rule in ours}
    return [*(rule for rule in rules if rule.get("ID") not in names), *ours]


def _same(ours: Mapping[str, Any], existing: Mapping[str, Any]) -> bool:
    return all(existing.get(field) == value for field, value in ours.items())


def _rule(name: str, prefix: str, days: int) -> dict[str, Any]:
    return {
        "ID": f"holdfast-{name}",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": days},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
    }


def _packaged(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
