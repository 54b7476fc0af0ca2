"""`runs`, `show` and `audit`, read with nothing but the bucket's name, as on any other machine."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.command_line import run_cli

from holdfast_orchestrator import cli
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.audit.entry import AUDIT, Action
from holdfast_orchestrator.record.audit.trail import AuditTrail
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.record.runs import RunRecord, begin_run
from holdfast_orchestrator.run_id import new_run_id
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Boto3Aws, Runtime, SystemClock
from holdfast_orchestrator.testing import captured_terminal

Clients = Callable[[str], Any]
Say = Callable[..., tuple[int, str]]

STARTED = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
ACTION = Action(
    run="R",
    action="deploy",
    at=STARTED,
    actor="jane",
    actor_kind="user",
    host="laptop",
    environments=("prod",),
    services=("orders",),
    outcome="committed",
    output="Apply complete!\n\x1b[2Jcleared",
)


@pytest.fixture
def say(s3_store: S3Store, runtime: Runtime, local_clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Say:
    for name in ("runs", "show", "audit"):
        monkeypatch.setitem(cast("dict[str, tuple[str, str]]", cli.COMMANDS), name, (name, ""))
    endpoint = local_clients("s3").meta.endpoint_url

    def run(*argv: str) -> tuple[int, str]:
        outside = replace(
            runtime, terminal=captured_terminal(), aws=Boto3Aws(), environ=local_environ(endpoint)
        )
        where = ("--state-bucket", s3_store._location.bucket, "--region", "eu-west-1")
        ran = run_cli([*argv, *where], outside)
        return ran.code, ran.out + ran.err

    return run


def begun(store: S3Store, **fields: Any) -> RunRecord:
    record = RunRecord(
        run=new_run_id(SystemClock().now()),
        command="holdfast deploy --env prod",
        actor=Actor(kind="user", name="jane", host="laptop"),
        environments=("prod",),
        shards=("orders-prod-eu-west-1",),
        started=STARTED,
    )
    record = replace(record, **fields)
    begin_run(store, record)
    return record


def test_runs_json_has_the_fields_others_rely_on(s3_store: S3Store, say: Say) -> None:
    record = begun(s3_store)

    code, out = say("runs", "--json")

    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "holdfast/runs/v1"
    (run,) = document["runs"]
    assert (run["run"], run["status"], run["environment"], run["started"]) == (
        record.run,
        "running",
        "prod",
        "2026-11-21T07:00:00.000Z",
    )


def test_runs_are_told_in_a_table_and_by_environment(s3_store: S3Store, say: Say) -> None:
    prod, dev = begun(s3_store), begun(s3_store, environments=("dev",))

    _, everything = say("runs")
    _, only_dev = say("runs", "--env", "dev")

    assert prod.run in everything
    assert "jane@laptop" in everything
    assert dev.run in only_dev
    assert prod.run not in only_dev


def test_no_runs_yet_is_no_error(say: Say) -> None:
    assert say("runs") == (0, "no runs yet\n")


def test_show_tells_each_shards_last_step(s3_store: S3Store, say: Say, runtime: Runtime) -> None:
    record = begun(s3_store)
    name = JournalName(record.run, record.shards[0])
    with Journal.begin(name, runtime=runtime, store=s3_store) as journal:
        journal.append(Phase.APPLYING, "before", epoch=1, data={"pid": 7})

    code, text = say("show", record.run.lower())
    _, document = say("show", record.run, "--json")

    assert code == 0
    assert "applying (before)" in text
    assert json.loads(document)["journals"][name.shard][0]["data"] == {"pid": 7}


@pytest.mark.parametrize(
    ("run", "said"), [("nonsense", "26 letters"), ("01JD6ZT3V9M2B8Q4K7X5N1C0RG", "there is no run")]
)
def test_a_run_that_is_not_there_is_a_wrong_usage(say: Say, run: str, said: str) -> None:
    code, text = say("show", run)

    assert code == 64
    assert said in text


def test_audit_filters_and_shows_output_without_obeying_it(s3_store: S3Store, say: Say) -> None:
    trail = AuditTrail(s3_store, clock=SystemClock(), redactor=Redactor())
    trail.add(ACTION)
    trail.add(replace(ACTION, actor="joe", action="destroy"))

    _, text = say("audit", "--actor", "jane", "--output")
    _, document = say("audit", "--json")

    assert "Apply complete!" in text
    assert "\x1b" not in text
    assert "joe" not in text
    assert [record["action"] for record in json.loads(document)["records"]] == ["destroy", "deploy"]


def test_audit_verify_ends_with_one_where_a_record_is_gone(s3_store: S3Store, say: Say) -> None:
    trail = AuditTrail(s3_store, clock=SystemClock(), redactor=Redactor())
    first = trail.add(ACTION)
    trail.add(ACTION)
    whole = say("audit", "verify")
    head = s3_store.head(first.key)
    assert head is not None
    s3_store.delete(first.key, etag=head.etag)

    code, text = say("audit", "verify")
    _, document = say("audit", "verify", "--json")

    assert whole[0] == 0
    assert "whole (2 records, 1 to 2)" in whole[1]
    assert code == 1
    assert "deleted: record 1" in text
    assert json.loads(document)["buckets"][0]["findings"][0]["kind"] == "deleted"


def test_audit_prints_the_table_for_this_bucket(s3_store: S3Store, say: Say) -> None:
    _, text = say("audit", "athena")

    assert f"LOCATION 's3://{s3_store._location.bucket}/{AUDIT}'" in text


def test_a_bucket_without_its_region_is_a_wrong_usage(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast("dict[str, tuple[str, str]]", cli.COMMANDS), "runs", ("runs", ""))
    ran = run_cli(["runs", "--state-bucket", "acme"], replace(runtime, terminal=captured_terminal()))

    assert ran.code == 64
    assert "--region" in ran.err


def test_a_bucket_that_is_not_there_is_one_clear_error(
    runtime: Runtime, local_clients: Clients, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(cast("dict[str, tuple[str, str]]", cli.COMMANDS), "runs", ("runs", ""))
    environ = local_environ(local_clients("s3").meta.endpoint_url)
    outside = replace(runtime, terminal=captured_terminal(), aws=Boto3Aws(), environ=environ)

    ran = run_cli(["runs", "--state-bucket", "nowhere", "--region", "eu-west-1", "--json"], outside)

    assert ran.code == 1
    assert "does not exist" in ran.document["error"]
