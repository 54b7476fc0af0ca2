"""States handled from Python: what the commands of `holdfast state` do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.state_commands import KEY, NAME, Machine, state

from holdfast_orchestrator import Project, ShardState, States
from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError, StateBucketError, UsageError
from holdfast_orchestrator.record.audit.entry import Action
from holdfast_orchestrator.record.audit.trail import AuditFilter, AuditTrail, read_audit


@pytest.fixture
def machine(tmp_path: Path, endpoint: str) -> Machine:
    return Machine(tmp_path, endpoint)


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
