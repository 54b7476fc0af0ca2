"""`holdfast state` from the command line to the bucket and back; the bucket is moto's."""

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from tests.support.command_line import run_cli
from tests.support.state_commands import FOLDER, KEY, LINEAGE, NAME, SECRET, Machine, state

from holdfast_orchestrator import cli
from holdfast_orchestrator.record.audit.trail import AuditFilter, read_audit
from holdfast_orchestrator.state.lease import Claim, Leases
from holdfast_orchestrator.testing import captured_terminal


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
    short = backup.rpartition("/")[2][: len("3-") + 12]
    assert any(line.endswith(short) and "before apply" in line and "joe" in line for line in lines)


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


def test_the_short_name_of_a_copy_is_enough(machine: Machine) -> None:
    machine.write(state(3, "a"))
    machine.back_up()
    machine.write(state(4, "b"))
    names = [line.split()[-1] for line in machine.run("backups", NAME).out.splitlines()[1:]]

    pulled = [machine.run("pull", NAME, "--backup", name).out.encode() for name in names]

    assert sorted(pulled) == [state(3, "a"), state(4, "b")]
    assert machine.run("pull", NAME, "--backup", "3-000000000000").code == 64


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
