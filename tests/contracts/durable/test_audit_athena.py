"""The trail as Athena reads it: the table has the records' fields; the local cloud takes the statements."""

import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from holdfast_orchestrator.record.audit.athena import example_query, lifecycle, table_ddl
from holdfast_orchestrator.record.audit.entry import LONGEST_OUTPUT, Action
from holdfast_orchestrator.record.audit.trail import AuditTrail
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.redaction import Redactor
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


def test_the_example_finds_who_changed_production_of_late() -> None:
    """By SQLite, over the very lines Athena would read: moto stores statements and runs none."""
    store, clock = MemoryStore(), FrozenClock()
    trail = AuditTrail(store, clock=clock, redactor=Redactor())
    prod = replace(ACTION, environments=("prod",), shards=("orders", "network"), outcome="committed")
    trail.add(replace(prod, run="IN-TWO-PARTS", output="x" * 2 * LONGEST_OUTPUT))
    trail.add(replace(prod, run="OF-DEV", environments=("dev", "production")))
    trail.add(replace(prod, run="NEWEST", actor="joe"))
    today = store.now().date()

    found = run_in_sqlite(example_query(), store, today=today)
    a_week_on = run_in_sqlite(example_query(), store, today=today + timedelta(days=7))
    later = run_in_sqlite(example_query(), store, today=today + timedelta(days=8))

    assert [(row[1], row[2], row[4], row[5]) for row in found] == [
        ("joe", "NEWEST", "committed", "orders, network"),
        ("jane", "IN-TWO-PARTS", "committed", "orders, network"),
    ]
    assert a_week_on == found
    assert later == []


def run_in_sqlite(query: str, store: MemoryStore, *, today: date) -> list[tuple[Any, ...]]:
    """Run a statement of Athena's over the trail; arrays are JSON, and only dates are put otherwise."""
    names = [*columns(), "date"]
    database = sqlite3.connect(":memory:")
    try:
        database.create_function("contains", 2, lambda array, item: item in json.loads(array))
        database.create_function("array_join", 2, lambda array, sign: sign.join(json.loads(array)))
        database.create_function("date_format", 2, lambda day, form: f"{date.fromisoformat(day):{form}}")
        quoted = ", ".join(json.dumps(name) for name in names)
        database.execute(f"CREATE TABLE holdfast_audit ({quoted})")
        for head in store.list("_holdfast/audit/date="):
            partition = head.key.split("date=")[1].partition("/")[0]
            for text in store.objects[head.key].decode().splitlines():
                record = json.loads(text) | {"date": partition}
                row = [_flat(record[name]) for name in names]
                database.execute(f"INSERT INTO holdfast_audit VALUES ({', '.join('?' * len(row))})", row)
        ours, dates = re.subn(
            r"current_date - INTERVAL '(\d+)' DAY",
            lambda match: f"'{today - timedelta(days=int(match[1]))}'",
            query,
        )
        assert dates == 1
        return database.execute(ours).fetchall()
    finally:
        database.close()


def _flat(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value
