"""`holdfast state` from the command line to the bucket and back; the bucket is moto's."""

import json
import stat
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from tests.support.command_line import Ran, run_cli
from tests.support.written_app import WrittenApp

from holdfast_orchestrator import Project, ShardState, States, cli
from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError, StateBucketError, UsageError
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.record.audit.entry import Action
from holdfast_orchestrator.record.audit.trail import AuditFilter, AuditTrail, read_audit
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.lease import Claim, Leases
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import Boto3Aws, SystemClock
from holdfast_orchestrator.testing import captured_terminal, refusing_runtime

FOLDER = "orders/123456789012/eu-west-1/prod"
KEY = f"{FOLDER}/terraform.tfstate"
NAME = "orders-prod-eu-west-1"
LINEAGE = "11111111-aaaa"
SECRET = "hunter2-of-the-database"


def state(serial: int, *queues: str, lineage: str = LINEAGE) -> bytes:
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": lineage,
        "outputs": {"password": {"value": SECRET, "type": "string", "sensitive": True}},
        "resources": [
            {
                "mode": "managed",
                "type": "aws_sqs_queue",
                "name": queue,
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [{"schema_version": 0, "attributes": {"id": f"https://sqs/{queue}"}}],
            }
            for queue in queues
        ],
    }
    return json.dumps(document).encode()


class Machine:
    """A machine with credentials and nothing else: no app, no working folders."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.bucket = f"states-{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self.runtime = refusing_runtime(
            clock=SystemClock(),
            processes=SystemProcesses(),
            aws=Boto3Aws(),
            environ=dict(local_environ(endpoint)),
            cwd=folder,
            cache=folder / "cache",
        )
        s3 = self.runtime.aws.client("s3", region="eu-west-1", environ=self.runtime.environ)
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.store = S3Store(s3, StateLocation(bucket=self.bucket, key=KEY, region="eu-west-1"), cloud="aws")

    def run(self, *argv: str, answers: str | None = None, app: bool = False) -> Ran:
        terminal = captured_terminal(answers=answers or "", is_tty=answers is not None)
        where = () if app else ("--state-bucket", self.bucket, "--region", "eu-west-1")
        return run_cli(["state", *argv, *where], replace(self.runtime, terminal=terminal))

    def write(self, body: bytes, key: str = KEY) -> None:
        head = self.store.head(key)
        if head is None:
            self.store.create(key, body)
        else:
            self.store.replace(key, body, etag=head.etag)

    def back_up(self) -> str:
        snapshot, now = read_snapshot(self.store, KEY), self.runtime.clock.now()
        assert snapshot is not None
        meta = BackupMeta(run="R1", reason="before apply", at=now, written=now, actor="joe", git="abc123")
        return keep_backup(self.store, snapshot, meta)

    def body(self, key: str = KEY) -> bytes:
        stored = self.store.get(key)
        assert stored is not None
        return stored.body

    def write_app(self) -> None:
        """An app whose synthesized files are there already."""
        WrittenApp(self.folder, self.bucket).add(NAME, protected=["aws_sqs_queue.b"])
        (self.folder / "cdktf.json").write_text('{"app": "false"}')


@pytest.fixture
def machine(tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setitem(cast("dict[str, tuple[str, str]]", cli.COMMANDS), "state", ("state", ""))
    return Machine(tmp_path, endpoint)


def test_backups_lists_what_there_is_newest_first(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "b"))

    ran = machine.run("backups", NAME)

    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].split() == ["WRITTEN", "SERIAL", "SIZE", "WHAT", "BY", "NAME"]
    assert "version (now)" in "".join(line for line in lines if " 4 " in line)
    assert any(line.endswith(backup) and "before apply" in line and "joe" in line for line in lines)


def test_backups_as_a_document(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()

    document = machine.run("backups", NAME, "--json").document

    (copy,) = document["copies"]
    assert (document["schema"], document["shard"]) == ("holdfast/state-backups/v1", NAME)
    assert (copy["name"], copy["kind"], copy["serial"], copy["git"]) == (backup, "backup", 3, "abc123")


@pytest.mark.parametrize("shard", [NAME, "orders", FOLDER, KEY])
def test_a_shard_is_found_in_a_bucket_by_name_service_or_folder(machine: Machine, shard: str) -> None:
    machine.write(state(3, "a"))

    assert machine.run("backups", shard, "--json").document["key"] == KEY


def test_a_shard_whose_state_is_gone_is_found_by_its_backups(machine: Machine) -> None:
    machine.write(state(3, "a"))
    machine.back_up()
    head = machine.store.head(KEY)
    assert head is not None
    machine.store.delete(KEY, etag=head.etag)

    ran = machine.run("backups", "orders")

    assert ran.code == 0
    assert "the state object is absent" in ran.out


def test_a_shard_that_is_not_there_is_an_error_that_says_which_are(machine: Machine) -> None:
    machine.write(state(3, "a"))

    ran = machine.run("backups", "storefront")

    assert ran.code == 64
    assert f"there is no shard 'storefront'; there are: {NAME}" in ran.err


def test_a_name_that_fits_two_shards_is_not_guessed(machine: Machine) -> None:
    machine.write(state(3, "a"))
    machine.write(state(3, "a"), key=KEY.replace("/prod/", "/dev/"))

    ran = machine.run("backups", "orders")

    assert ran.code == 64
    assert "may be any of several shards" in ran.err


def test_with_an_app_the_shard_is_known_by_the_app(machine: Machine) -> None:
    machine.write_app()
    machine.write(state(3, "a"))

    assert machine.run("backups", "orders", "--json", app=True).document["bucket"] == machine.bucket


def test_pull_gives_the_newest_state_out_and_warns_of_its_secrets(machine: Machine) -> None:
    machine.write(state(3, "a"))

    ran = machine.run("pull", NAME)

    assert ran.out.encode() == state(3, "a")
    assert "secrets" in ran.err
    assert SECRET not in ran.err


def test_pull_writes_a_file_only_its_owner_may_read(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "b"))

    ran = machine.run("pull", NAME, "--backup", backup, "--out", "then.tfstate")

    file = machine.folder / "then.tfstate"
    assert file.read_bytes() == state(3, "a")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ran.out == ""


def test_pull_never_writes_over_a_file(machine: Machine) -> None:
    machine.write(state(3, "a"))
    (machine.folder / "there.tfstate").write_text("mine")

    ran = machine.run("pull", NAME, "--out", "there.tfstate")

    assert ran.code == 64
    assert (machine.folder / "there.tfstate").read_text() == "mine"


def test_pull_at_a_moment_before_all_copies_says_so(machine: Machine) -> None:
    machine.write(state(3, "a"))

    ran = machine.run("pull", NAME, "--at", "2001-01-01T00:00:00Z")

    assert ran.code == 1
    assert "no copy of the state at 2001-01-01T00:00:00.000Z" in ran.err


@pytest.mark.parametrize(
    "options", [(), ("--at", "yesterday"), ("--at", "2026-01-01", "--backup", "x")], ids=" ".join
)
def test_restore_wants_exactly_one_copy(machine: Machine, options: tuple[str, ...]) -> None:
    machine.write(state(3, "a"))

    assert machine.run("restore", NAME, *options, "--yes", "--confirm", NAME).code == 64


def test_restore_shows_what_it_orphans_and_wants_the_name_typed(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "b"))

    ran = machine.run("restore", NAME, "--backup", backup, answers=f"{NAME}\n")

    assert ran.code == 0
    assert (
        "Orphaned: these exist, and no state will know them (1):\n  aws_sqs_queue.b  https://sqs/b" in ran.out
    )
    assert json.loads(machine.body())["serial"] == 5
    assert f"holdfast plan --stack {NAME}" in ran.out
    assert SECRET not in ran.out + ran.err


@pytest.mark.parametrize(
    ("options", "answers", "code"),
    [
        ((), "orders\n", 4),
        ((), "\n", 4),
        ((), None, 64),
        (("--yes",), None, 64),
        (("--yes", "--confirm", "orders"), None, 64),
    ],
)
def test_without_the_full_name_nothing_is_restored(
    machine: Machine, options: tuple[str, ...], answers: str | None, code: int
) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "b"))

    ran = machine.run("restore", NAME, "--backup", backup, *options, answers=answers)

    assert ran.code == code
    assert machine.body() == state(4, "b")


def test_a_damaged_state_is_restored_on_a_machine_that_has_nothing_but_the_bucket(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(b"")

    ran = machine.run("restore", "orders", "--backup", backup, "--yes", "--confirm", NAME, "--json")

    document = ran.document
    assert ran.code == 0
    assert (document["restored"], document["condition"], document["serial"]) == (True, "zero bytes", 4)
    assert document["next_step"] == f"holdfast plan --stack {NAME}"
    assert json.loads(machine.body())["lineage"] == LINEAGE


def test_a_protected_object_counts_as_one_that_holds_data(machine: Machine) -> None:
    machine.write_app()
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "b"))

    ran = machine.run("restore", NAME, "--backup", backup, "--yes", "--confirm", NAME, "--json", app=True)

    (orphan,) = ran.document["orphaned"]
    assert (orphan["address"], orphan["stateful"]) == ("aws_sqs_queue.b", True)


def test_a_state_of_another_lineage_is_refused_with_a_document(machine: Machine) -> None:
    machine.write(state(3, "a", lineage="22222222-bbbb"))
    backup = machine.back_up()
    machine.write(state(4, "b"))

    ran = machine.run("restore", NAME, "--backup", backup, "--yes", "--confirm", NAME, "--json")

    assert ran.code == 4
    assert ran.document["schema"] == "holdfast/error/v1"
    assert "lineage 22222222-bbbb" in ran.document["error"]
    assert machine.body() == state(4, "b")


def test_what_was_done_is_in_the_audit_trail(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "b"))
    machine.run("restore", NAME, "--backup", backup, "--yes", "--confirm", NAME)
    machine.write(b"{}", key=f"{KEY}.tflock")
    id_ = machine.run("unlock", NAME, "--json").document["lock"]["id"]
    machine.run("unlock", NAME, "--confirm", id_)

    unlock, restore = (record.action for record in read_audit(machine.store, AuditFilter()))

    assert (restore.action, restore.outcome, restore.shards) == ("restore", "restored", (NAME,))
    assert "aws_sqs_queue.b" in restore.output
    assert (unlock.action, unlock.outcome) == ("unlock", "removed")


def lock(who: str) -> bytes:
    return json.dumps({"ID": "lock-1", "Who": who, "Operation": "OperationTypeApply"}).encode()


def test_unlock_shows_who_holds_the_lock_and_removes_nothing_by_itself(machine: Machine) -> None:
    machine.write(state(3, "a"))
    machine.write(lock("joe@desk"), key=f"{KEY}.tflock")

    ran = machine.run("unlock", NAME)

    assert ran.code == 0
    assert "joe@desk" in ran.out
    assert machine.body(f"{KEY}.tflock") == lock("joe@desk")


@pytest.mark.parametrize(
    ("typed", "code", "left"), [("lock-1\n", 0, False), ("\n", 0, True), ("no\n", 64, True)]
)
def test_unlock_removes_a_lock_whose_id_is_typed(
    machine: Machine, typed: str, code: int, *, left: bool
) -> None:
    machine.write(state(3, "a"))
    machine.write(lock("joe@desk"), key=f"{KEY}.tflock")

    ran = machine.run("unlock", NAME, answers=typed)

    assert ran.code == code
    assert (machine.store.head(f"{KEY}.tflock") is not None) is left


def test_unlock_leaves_a_lock_alone_while_a_run_is_at_work(machine: Machine) -> None:
    machine.write(state(3, "a"))
    machine.write(lock("joe@desk"), key=f"{KEY}.tflock")
    claim = Claim(folder=FOLDER, run="R2", owner="joe", doing="deploying")

    with Leases(machine.store, machine.runtime).take(claim):
        ran = machine.run("unlock", NAME, "--confirm", "lock-1", "--json")

    assert ran.code == 7
    assert machine.store.head(f"{KEY}.tflock") is not None


def test_unlock_of_what_is_free_says_so(machine: Machine) -> None:
    machine.write(state(3, "a"))

    ran = machine.run("unlock", NAME, "--json")

    assert ran.document == {
        "schema": "holdfast/state-unlock/v1",
        "shard": NAME,
        "lock": None,
        "lease": None,
        "removed": [],
    }
    assert f"nothing holds {NAME}" in ran.err


def test_a_bucket_without_its_region_is_a_usage_error(machine: Machine) -> None:
    runtime = replace(machine.runtime, terminal=captured_terminal())

    ran = run_cli(["state", "backups", NAME, "--state-bucket", "b"], runtime)

    assert ran.code == 64
    assert "--state-bucket needs --region" in ran.err


def test_names_in_a_state_cannot_command_the_terminal(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "\x1b[2Jgone"))

    ran = machine.run("restore", NAME, "--backup", backup, answers="no\n")

    assert "\x1b" not in ran.out
    assert "[2Jgone" in ran.out


def states(machine: Machine) -> States:
    return States.in_bucket(machine.bucket, region="eu-west-1", runtime=machine.runtime)


def test_python_lists_and_reads_the_copies_of_a_state(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "b"))

    found = states(machine).of("orders")

    copies = found.copies()
    assert (found.shard, found.current().serial) == (NAME, 4)
    assert {copy.serial for copy in copies.all()} == {3, 4}
    assert found.content() == machine.body() == state(4, "a", "b")
    assert found.content(copies.named(backup)) == state(3, "a")


@pytest.mark.parametrize("app", [False, True])
def test_python_restores_as_the_command_does(machine: Machine, *, app: bool) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "b"))
    machine.write_app()
    found = (Project.load(runtime=machine.runtime).states() if app else states(machine)).of(NAME)
    steps: list[str] = []

    proposal = found.propose_restore(found.copies().named(backup))
    before = machine.body()
    restored = found.restore(proposal, command="fix.py", on_step=steps.append, on_warning=steps.append)

    assert before == state(4, "a", "b")
    assert [each.address for each in proposal.diff.orphaned] == ["aws_sqs_queue.b"]
    assert json.loads(machine.body())["serial"] == restored.serial == 5
    assert steps == ["backing up what is there", "writing serial 5"]
    (record,) = read_audit(machine.store, AuditFilter())
    assert (record.action.action, record.action.outcome, record.action.command) == (
        "restore",
        "restored",
        "fix.py",
    )


def test_what_was_proposed_is_not_restored_over_a_newer_state(machine: Machine) -> None:
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "b"))
    found = states(machine).of(NAME)
    proposal = found.propose_restore(found.copies().named(backup))
    machine.write(state(5, "c"))

    with pytest.raises(NeedsPersonError, match="changed by somebody else"):
        found.restore(proposal)

    assert machine.body() == state(5, "c")
    assert found.held().is_free
    (record,) = read_audit(machine.store, AuditFilter())
    assert (record.action.outcome, record.action.command) == ("failed", f"state restore {NAME}")


def test_a_restore_that_cannot_be_recorded_stays_done_and_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(trail: AuditTrail, action: Action) -> None:
        raise StateBucketError("the bucket is read-only")

    monkeypatch.setattr(AuditTrail, "add", refuse)
    machine.write(state(3, "a"))
    backup = machine.back_up()
    machine.write(state(4, "a", "b"))
    found = states(machine).of(NAME)
    warnings: list[str] = []

    found.restore(found.propose_restore(found.copies().named(backup)), on_warning=warnings.append)

    assert json.loads(machine.body())["serial"] == 5
    assert warnings == ["not written into the audit trail: the bucket is read-only"]


def test_python_unlocks_what_it_was_shown_and_nothing_else(machine: Machine) -> None:
    machine.write(state(3, "a"))
    found = states(machine).of(NAME)
    machine.write(b"", f"{KEY}.tflock")
    held = found.held()
    (id_,) = held.removable

    with pytest.raises(UsageError, match=f"to be removed: {id_}"):
        found.unlock(held, "another")
    assert not found.held().is_free
    removed = found.unlock(held, id_)

    assert removed == f"Terraform's lock {id_}"
    assert found.held().is_free
    outcomes = [record.action.outcome for record in read_audit(machine.store, AuditFilter())]
    assert outcomes == ["removed", "refused"]


def nothing_there(found: ShardState) -> None:
    found.content()


def too_early(found: ShardState) -> None:
    found.copies().at(datetime(2020, 1, 1, tzinfo=UTC))


def no_such_copy(found: ShardState) -> None:
    found.copies().named("99-nothing.json")


@pytest.mark.parametrize(
    ("ask", "error", "why"),
    [
        (nothing_there, HoldfastError, f"{NAME} has no state"),
        (too_early, HoldfastError, "there is no copy of the state at 2020-01-01"),
        (no_such_copy, UsageError, "there is no backup or version"),
    ],
)
def test_python_is_told_what_is_not_there(
    machine: Machine, ask: Callable[[ShardState], None], error: type[HoldfastError], why: str
) -> None:
    machine.write(state(3, "a"))
    machine.back_up()
    head = machine.store.head(KEY)
    assert head is not None
    machine.store.delete(KEY, etag=head.etag)

    with pytest.raises(error, match=why):
        ask(states(machine).of(NAME))


def test_a_shard_that_python_does_not_name_well_is_a_usage_error(machine: Machine) -> None:
    machine.write(state(3, "a"))
    machine.write(state(3, "a"), KEY.replace("prod", "dev"))

    with pytest.raises(UsageError, match="may be any of several shards"):
        states(machine).of("orders")
    with pytest.raises(UsageError, match=f"there are: orders-dev-eu-west-1, {NAME}"):
        states(machine).of("payments")


def test_states_in_a_bucket_that_is_not_there_are_an_error(machine: Machine) -> None:
    with pytest.raises(StateBucketError, match="no-such-bucket"):
        States.in_bucket("no-such-bucket", region="eu-west-1", runtime=machine.runtime)
