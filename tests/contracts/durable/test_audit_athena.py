"""The trail as Athena reads it: the table has the records' fields; the local cloud takes the statements."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from holdfast_orchestrator.record.audit import AuditTrail
from holdfast_orchestrator.record.audit_record import Action
from holdfast_orchestrator.record.audit_table import example_query, lifecycle, table_ddl
from holdfast_orchestrator.redaction import Redactor
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.testing import FrozenClock

Clients = Callable[[str], Any]

TYPES = {
    "string": str,
    "bigint": int,
    "int": int,
    "array<string>": list,
    "map<string,string>": dict,
    "map<string,double>": dict,
}
ACTION = Action(
    run="R",
    action="deploy",
    at=datetime(2026, 11, 21, tzinfo=UTC),
    actor="jane",
    actor_kind="user",
    host="laptop",
    link="https://example.org",
    aws="arn",
    git="0f1e",
    outcomes={"orders": "committed"},
    seconds={"orders": 1.5},
)


def columns() -> dict[str, str]:
    inside = table_ddl("acme").partition("(\n")[2].partition("\n)\n")[0]
    pairs = (line.strip().rstrip(",").split(" ", 1) for line in inside.splitlines())
    return {name.strip("`"): kind for name, kind in pairs}


def line() -> dict[str, Any]:
    record = AuditTrail(MemoryStore(), clock=FrozenClock(), redactor=Redactor()).add(ACTION)
    document: dict[str, Any] = json.loads(record.line)
    return document


def test_the_tables_columns_are_the_records_fields_with_their_types() -> None:
    written = line()

    assert list(columns()) == list(written)
    for name, kind in columns().items():
        assert isinstance(written[name], TYPES[kind]), name


def test_the_example_asks_only_for_columns_that_are_there() -> None:
    words = set(re.findall(r'"?\b([a-z_]+)\b"?', re.sub(r"'[^']*'|--.*", "", example_query())))
    functions = {"array_join", "date_format", "current_date", "contains", "holdfast_audit"}

    assert words - functions <= {*columns(), "date"}


def test_the_table_lies_over_this_buckets_partitions() -> None:
    ddl = table_ddl("acme-state")

    assert "LOCATION 's3://acme-state/_holdfast/audit/'" in ddl
    assert "'s3://acme-state/_holdfast/audit/date=${date}/'" in ddl


def test_athena_takes_the_statements(local_clients: Clients) -> None:
    athena = local_clients("athena")

    for statement in (table_ddl("acme-state"), example_query()):
        query = athena.start_query_execution(
            QueryString=statement, ResultConfiguration={"OutputLocation": "s3://acme-results/"}
        )["QueryExecutionId"]
        kept = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]

        assert kept["Query"] == statement
        assert kept["Status"]["State"] == "SUCCEEDED"


def test_the_bucket_takes_the_lifecycle_rules(local_clients: Clients, s3_store: S3Store) -> None:
    s3, bucket = local_clients("s3"), s3_store._location.bucket

    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=lifecycle(90))

    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules} == {
        ("_holdfast/audit/", 90),
        ("_holdfast/audit-raw/", 90),
    }


def test_everything_is_written_encrypted(local_clients: Clients, s3_store: S3Store) -> None:
    s3, bucket = local_clients("s3"), s3_store._location.bucket

    AuditTrail(s3_store, clock=FrozenClock(), redactor=Redactor()).add(ACTION, raw="secret")

    keys = [head.key for head in s3_store.list("_holdfast/")]
    assert len(keys) == 3
    for key in keys:
        assert s3.head_object(Bucket=bucket, Key=key)["ServerSideEncryption"] == "AES256"
