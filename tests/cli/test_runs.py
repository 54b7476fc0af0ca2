"""What was deployed, asked for where there are credentials and the app; the bucket is moto's."""

import json
from pathlib import Path

import jsonschema
import pytest
from tests.support.bucket_machine import BucketMachine
from tests.support.written_app import REGION

from holdfast_orchestrator import AuditFilter, History, Project
from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError, StateBucketError, UsageError
from holdfast_orchestrator.events import Event, Notice
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.audit.entry import Action
from holdfast_orchestrator.record.audit.trail import AuditTrail
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.record.runs import RunRecord, begin_run
from holdfast_orchestrator.report.schemas import SCHEMAS

RUN = "01JD3K4T7Q9ZV5M2X8R6W1B0CE"
UNKNOWN = "01JD3K4T7Q9ZV5M2X8R6W1B0CF"


class Machine(BucketMachine):
    """One in whose bucket a run is recorded."""

    def begin(self) -> None:
        """Write that a run began, a step in a shard's journal, and a record in the audit trail."""
        name = JournalName(RUN, "orders-prod")
        with Journal.begin(name, runtime=self.runtime, store=self.store) as journal:
            journal.append(Phase.VERIFY, "before", epoch=1, data={})
        trail = AuditTrail(self.store, clock=self.runtime.clock, redactor=self.runtime.redactor)
        now = self.runtime.clock.now()
        trail.add(
            Action(
                run=RUN,
                action="deploy",
                at=now,
                actor="joe",
                actor_kind="user",
                host="laptop",
                environments=("prod",),
            )
        )
        begin_run(
            self.store,
            RunRecord(
                run=RUN,
                command="holdfast deploy --env prod --yes",
                actor=Actor(kind="user", name="joe", host="laptop"),
                git=None,
                environments=("prod",),
                shards=("orders-prod",),
                started=now,
            ),
        )


@pytest.fixture
def machine(tmp_path: Path, endpoint: str) -> Machine:
    machine = Machine(tmp_path, endpoint)
    machine.begin()
    return machine


@pytest.mark.parametrize("argv", [("runs",), ("show", RUN), ("audit", "verify")])
def test_a_local_cloud_that_does_not_run_is_left_out_with_a_notice(
    machine: Machine, argv: tuple[str, ...]
) -> None:
    ran = machine.run(*argv)

    assert ran.code == 0, ran.err
    assert "the local cloud does not run: its records are left out" in ran.err
    assert ran.out


@pytest.mark.parametrize(
    ("argv", "schema"),
    [
        (("runs",), "runs.v1.json"),
        (("show", RUN), "show.v1.json"),
        (("audit",), "audit-records.v1.json"),
        (("audit", "verify"), "audit-verification.v1.json"),
    ],
)
def test_each_document_about_the_past_fits_its_schema(
    machine: Machine, argv: tuple[str, ...], schema: str
) -> None:
    ran = machine.run(*argv, "--env", "prod", "--json")

    document = json.loads(ran.out)
    jsonschema.validate(document, SCHEMAS[schema]())
    assert any(document[name] for name in ("runs", "journals", "records", "buckets") if name in document)


def test_a_local_cloud_that_was_asked_for_must_run(machine: Machine) -> None:
    ran = machine.run("runs", "--env", "local")

    assert ran.code == 1
    assert "next: holdfast local up" in ran.err


@pytest.mark.parametrize("where", [(), ("--env", "prod")])
def test_resume_looks_for_a_run_without_the_local_cloud(machine: Machine, where: tuple[str, ...]) -> None:
    ran = machine.run("resume", UNKNOWN, *where)

    assert ran.code == 64, ran.err
    assert f"there is no run {UNKNOWN} to take up" in ran.err


def history(machine: Machine) -> History:
    return History.in_bucket(machine.bucket, region=REGION, runtime=machine.runtime)


def test_python_reads_what_the_commands_show(machine: Machine) -> None:
    read = Project.load(runtime=machine.runtime).history(env="prod")

    assert [record.run for record in read.runs()] == [RUN]
    assert [entry.phase for entry in read.run(RUN.lower()).journals["orders-prod"]] == [Phase.VERIFY]
    assert [record.action.actor for record in read.audit()] == ["joe"]
    assert {bucket: bool(found) for bucket, found in read.verify_audit().items()} == {machine.bucket: True}
    assert machine.bucket in read.athena_statements()[machine.bucket]


def test_python_reads_a_bucket_without_an_app(machine: Machine) -> None:
    read = history(machine)

    assert read.run(RUN) == Project.load(runtime=machine.runtime).history(env="prod").run(RUN)
    assert [len(read.runs(env=env)) for env in ("prod", ("dev", "prod"), "dev", ())] == [1, 1, 0, 1]
    assert [len(read.runs(limit=limit)) for limit in (0, 1)] == [0, 1]


@pytest.mark.parametrize(
    ("wanted", "env", "number"),
    [
        (None, (), 1),
        (AuditFilter(actor="JO"), ("prod", "dev"), 1),
        (AuditFilter(actor="jane"), (), 0),
        (AuditFilter(run=RUN), "dev", 0),
    ],
)
def test_python_filters_the_audit_trail(
    machine: Machine, wanted: AuditFilter | None, env: str | tuple[str, ...], number: int
) -> None:
    assert len(history(machine).audit(wanted, env=env)) == number


def test_an_app_whose_local_cloud_does_not_run_says_so_to_python_too(machine: Machine) -> None:
    events: list[Event] = []

    read = Project.load(runtime=machine.runtime).history(on_event=events.append)

    assert list(read.buckets) == [machine.bucket]
    assert ["local cloud does not run" in event.message for event in events if isinstance(event, Notice)] == [
        True
    ]
    with pytest.raises(HoldfastError, match="local"):
        Project.load(runtime=machine.runtime).history(env="local")


@pytest.mark.parametrize(
    ("run", "why"),
    [(UNKNOWN, f"there is no run {UNKNOWN} in states-"), ("yesterday", "a run is named by 26 letters")],
)
def test_a_run_that_nobody_knows_is_a_usage_error(machine: Machine, run: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        history(machine).run(run)


def test_a_bucket_that_is_not_there_is_an_error_in_python(machine: Machine) -> None:
    read = History.in_bucket("no-such-bucket", region=REGION, runtime=machine.runtime)

    for ask in (read.runs, read.audit, read.verify_audit, lambda: read.run(RUN)):
        with pytest.raises(StateBucketError, match="no-such-bucket"):
            ask()


def test_a_damaged_record_needs_a_person(machine: Machine) -> None:
    key = f"_holdfast/runs/{RUN}/run.json"
    stored = machine.store.get(key)
    assert stored is not None
    machine.store.replace(key, b"{", etag=stored.head.etag)

    with pytest.raises(NeedsPersonError, match=r"run\.json"):
        history(machine).runs()


def test_a_deleted_audit_record_is_found_from_python(machine: Machine) -> None:
    (head,) = machine.store.list("_holdfast/audit/")
    machine.store.delete(head.key, etag=head.etag)

    (verification,) = history(machine).verify_audit().values()

    assert not verification
    assert [finding.kind for finding in verification.findings] == ["deleted"]


@pytest.mark.parametrize("argv", [("runs",), ("show", RUN), ("audit",), ("audit", "verify")])
def test_an_error_is_a_document_on_standard_output(machine: Machine, argv: tuple[str, ...]) -> None:
    ran = machine.run(*argv, "--state-bucket", "no-such-bucket", "--region", REGION, "--json")

    document = json.loads(ran.out)
    jsonschema.validate(document, SCHEMAS["error.v1.json"]())
    assert document["exit_code"] == ran.code != 0
    assert document["error"] in ran.err
