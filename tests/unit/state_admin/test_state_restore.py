"""Restoring a state by hand: what it would do, what it refuses, what it leaves; the bucket is in memory."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.state_bucket import ACTOR, FOLDER, KEY, NOON, OURS, THEIRS, Bucket, state

from holdfast_orchestrator.errors import GateError, HoldfastError, LeasedError, NeedsPersonError, UsageError
from holdfast_orchestrator.record.state_record import StateRecord, read_state_record, write_state_record
from holdfast_orchestrator.report.state_text import proposal_lines, restored_lines
from holdfast_orchestrator.state.copies import StateCopy
from holdfast_orchestrator.state.lease import Claim, Leases
from holdfast_orchestrator.state.terraform_lock import lock_key, read_lock
from holdfast_orchestrator.state_admin.operator import Operator
from holdfast_orchestrator.state_admin.restore import (
    Restored,
    RestoreProposal,
    carry_out,
    propose,
)
from holdfast_orchestrator.state_admin.unlock import look
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.terraform.state_file import Recorded


def restore(bucket: Bucket, runtime: Runtime, copy: StateCopy) -> tuple[RestoreProposal, Restored]:
    proposal = propose(bucket.place, copy)
    return proposal, carry_out(proposal, Operator(runtime=runtime, actor=ACTOR, run="R9"))


def leftovers(bucket: Bucket) -> list[str]:
    """Locks and leases that are still held."""
    held = look(bucket.place)
    return [] if held.is_free else list(held.lines())


def test_an_old_state_comes_back_above_every_serial_seen_and_in_its_own_lineage(
    bucket: Bucket, runtime: Runtime
) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(9, "a", "b"))

    _, ended = restore(bucket, runtime, bucket.copies.named(backup))

    document = bucket.document()
    assert (document["serial"], document["lineage"]) == (10, OURS)
    assert [resource["name"] for resource in document["resources"]] == ["a"]
    assert (ended.serial, ended.lineage) == (10, OURS)
    assert leftovers(bucket) == []


def test_what_would_be_orphaned_and_brought_back_is_named_first(bucket: Bucket) -> None:
    bucket.write(state(3, "a", "table-old", outputs={"url": "1"}))
    backup = bucket.back_up()
    bucket.write(state(4, "a", "table-new", outputs={"url": "2"}))

    proposal = propose(bucket.place, bucket.copies.named(backup))

    text = "\n".join(proposal_lines(proposal))
    assert [known.address for known in proposal.diff.orphaned] == ["aws_dynamodb_table.table-new"]
    assert [known.address for known in proposal.diff.resurrected] == ["aws_dynamodb_table.table-old"]
    assert "Orphaned: these exist, and no state will know them (1):" in text
    assert "aws_dynamodb_table.table-new  id-table-new  (holds data" in text
    assert "Outputs that differ, which other shards may read (1):\n  url" in text
    assert "serial 3 of 2026-11-21T11:01:00.000Z, a backup made before apply by jane (run R1)" in text
    assert bucket.document()["serial"] == 4


def test_what_is_there_is_backed_up_before_anything_is_written(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    old = bucket.back_up()
    newest = state(4, "b")
    bucket.write(newest)

    _, ended = restore(bucket, runtime, bucket.copies.named(old))

    assert ended.backup is not None
    assert bucket.store.objects[ended.backup] == newest
    (backup,) = [copy for copy in bucket.copies.backups() if copy.name == ended.backup]
    assert backup.meta is not None
    assert (backup.meta.reason, backup.meta.run, backup.meta.actor) == ("before restore", "R9", "jane@laptop")


@pytest.mark.parametrize(
    "damage", [b"", b"   ", b"{not json", b'{"version":4}', state(5, "a")[:-20], b'{"version": 5}']
)
def test_a_damaged_state_is_replaced_and_kept_aside(bucket: Bucket, runtime: Runtime, damage: bytes) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(damage)

    _, ended = restore(bucket, runtime, bucket.copies.named(backup))

    assert bucket.document()["serial"] == 4
    assert (None if ended.backup is None else bucket.store.objects[ended.backup]) == (damage or None)


def test_a_state_that_was_deleted_comes_back(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.remove()

    proposal, ended = restore(bucket, runtime, bucket.copies.named(backup))

    assert bucket.document()["serial"] == 4
    assert ended.backup is None
    assert "nothing can be compared" in "\n".join(proposal_lines(proposal))


def test_a_serial_only_an_old_version_has_is_not_given_out_again(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(17, "a", "b"))
    bucket.remove()

    _, ended = restore(bucket, runtime, bucket.copies.named(backup))

    assert ended.serial == 18


def test_a_serial_only_the_record_has_is_not_given_out_again(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    recorded = StateRecord(run="R2", is_open=False, state=Recorded(OURS, 40, "ab"), at=NOON)
    write_state_record(bucket.store, FOLDER, recorded, after=None)

    proposal = propose(bucket.place, bucket.copies.named(backup))

    assert proposal.serial == 41


@pytest.mark.parametrize("now", [state(4, "a", lineage=OURS), b""])
def test_a_state_of_another_lineage_is_refused(bucket: Bucket, now: bytes) -> None:
    bucket.write(state(1, "x", lineage=THEIRS))
    foreign = bucket.back_up()
    bucket.write(state(3, "a"))
    bucket.back_up()
    bucket.write(now)

    with pytest.raises(GateError, match=f"has lineage {THEIRS}, the shard's state has {OURS}"):
        propose(bucket.place, bucket.copies.named(foreign))


def test_a_backup_that_was_changed_is_refused(bucket: Bucket) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    copy = bucket.copies.named(backup)
    bucket.store.objects[backup] = state(3, "a", "planted")

    with pytest.raises(HoldfastError, match="is damaged: its SHA-256"):
        propose(bucket.place, copy)


def test_a_state_that_changes_after_it_was_compared_is_left_alone(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(4, "b"))
    proposal = propose(bucket.place, bucket.copies.named(backup))
    bucket.write(state(5, "c"))

    with pytest.raises(NeedsPersonError, match="changed by somebody else"):
        carry_out(proposal, Operator(runtime=runtime, actor=ACTOR, run="R9"))

    assert bucket.document()["serial"] == 5
    assert leftovers(bucket) == []


def test_a_state_that_changes_in_the_very_last_moment_is_left_alone(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(4, "b"))
    proposal = propose(bucket.place, bucket.copies.named(backup))

    def interfere(step: str) -> None:
        if step.startswith("writing"):
            bucket.write(state(5, "c"))

    with pytest.raises(NeedsPersonError, match="changed by somebody else"):
        carry_out(proposal, Operator(runtime=runtime, actor=ACTOR, run="R9"), on_step=interfere)

    assert bucket.document()["serial"] == 5


def test_while_a_deploy_holds_the_shard_nothing_is_restored(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(4, "b"))
    proposal = propose(bucket.place, bucket.copies.named(backup))
    claim = Claim(folder=FOLDER, run="R2", owner="joe", doing="deploying")

    with Leases(bucket.store, runtime).take(claim), pytest.raises(LeasedError, match="joe"):
        carry_out(proposal, Operator(runtime=runtime, actor=ACTOR, run="R9"))

    assert bucket.document()["serial"] == 4


def test_while_a_terraform_holds_its_lock_nothing_is_restored(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(4, "b"))
    proposal = propose(bucket.place, bucket.copies.named(backup))
    lock = {"ID": "lock-1", "Who": "joe@desk", "Operation": "OperationTypeApply", "Created": "today"}
    bucket.store.create(lock_key(KEY), json.dumps(lock).encode())

    with pytest.raises(
        LeasedError, match=r"joe@desk since today, OperationTypeApply \(lock lock-1\)"
    ) as raised:
        carry_out(proposal, Operator(runtime=runtime, actor=ACTOR, run="R9"))

    assert "holdfast state unlock" in str(raised.value)
    assert bucket.document()["serial"] == 4
    assert read_lock(bucket.store, KEY) is not None


def test_while_it_restores_no_terraform_can_lock_the_state(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(4, "b"))
    seen: list[str] = []

    carry_out(
        propose(bucket.place, bucket.copies.named(backup)),
        Operator(runtime=runtime, actor=ACTOR, run="R9"),
        on_step=lambda _: seen.append(json.loads(bucket.store.objects[lock_key(KEY)])["Operation"]),
    )

    assert set(seen) == {"holdfast state restore"}


def test_the_next_deploy_knows_the_restored_state_and_what_is_unsettled_stays_so(
    bucket: Bucket, runtime: Runtime
) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(4, "b"))
    dead = StateRecord(run="R2", is_open=True, state=Recorded(OURS, 3, "ab"), at=NOON)
    write_state_record(bucket.store, FOLDER, dead, after=None)

    proposal, ended = restore(bucket, runtime, bucket.copies.named(backup))

    kept = read_state_record(bucket.store, FOLDER)
    assert kept is not None
    assert not kept.record.is_open
    assert kept.record.state is not None
    assert (kept.record.state.serial, kept.record.run) == (ended.serial, "R9")
    assert proposal.warnings == ("run R2 of this shard did not end; it cannot be resumed afterwards",)


def test_a_record_that_cannot_be_read_does_not_stop_a_restore(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(b"")
    bucket.store.create(f"_holdfast/states/{FOLDER}.json", b"rubbish")

    proposal, ended = restore(bucket, runtime, bucket.copies.named(backup))

    assert ended.serial == 4
    assert "--rebaseline" in proposal.warnings[0]


def test_the_state_there_is_needs_no_restore(bucket: Bucket) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()

    assert propose(bucket.place, bucket.copies.named(backup)).needless


def test_afterwards_the_plan_is_to_be_looked_at(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()
    bucket.write(state(4, "b"))

    lines = "\n".join(restored_lines(*restore(bucket, runtime, bucket.copies.named(backup))))

    assert "holdfast plan --stack orders-prod" in lines
    assert "1 orphaned object: import" in lines


def test_versions_of_the_object_are_copies_too_and_the_same_state_is_listed_once(bucket: Bucket) -> None:
    bucket.write(state(3, "a"))
    bucket.back_up()
    bucket.write(b"rubbish")
    bucket.write(state(4, "b"))

    listed = [(copy.serial, copy.is_version) for copy in bucket.copies.all()]

    assert listed == [(4, True), (3, False)]


def test_a_version_can_be_restored_by_its_name(bucket: Bucket, runtime: Runtime) -> None:
    bucket.write(state(3, "a"))
    bucket.write(state(4, "b"))
    (version,) = [copy for copy in bucket.copies.all() if copy.serial == 3]
    bucket.write(b"")

    _, ended = restore(bucket, runtime, bucket.copies.named(version.name))

    assert version.name == f"{KEY}?versionId=1"
    assert ended.serial == 5


@pytest.mark.parametrize(
    ("minutes", "serial"), [(1, 3), (1.5, 3), (2, 4), (3.5, 4), (4.5, 4), (5, 6), (900, 6)]
)
def test_at_a_moment_the_newest_whole_state_of_then_is_meant(
    bucket: Bucket, minutes: float, serial: int
) -> None:
    bucket.write(state(3, "a"))
    bucket.back_up()
    bucket.write(state(4, "b"))
    bucket.write(b"rubbish")
    bucket.remove()
    bucket.write(state(6, "c"))

    copy = bucket.copies.at(NOON - timedelta(hours=1) + timedelta(minutes=minutes))

    assert copy.serial == serial


def test_before_the_first_copy_there_is_none(bucket: Bucket) -> None:
    bucket.write(state(3, "a"))

    with pytest.raises(HoldfastError, match="no copy of the state at 2026-11-21T11:00:30"):
        bucket.copies.at(NOON - timedelta(minutes=59.5))


def test_the_end_of_a_backups_name_is_enough_where_it_is_the_only_one(bucket: Bucket) -> None:
    bucket.write(state(3, "a"))
    backup = bucket.back_up()

    assert bucket.copies.named(backup.rpartition("/")[2]).name == backup
    with pytest.raises(UsageError, match=r"no backup or version called '\.json'"):
        bucket.copies.named(".json")


@given(
    then=st.integers(0, 50), now=st.integers(0, 50), version=st.integers(0, 50), recorded=st.integers(0, 50)
)
def test_whatever_serials_were_seen_the_restored_one_is_above_them_all(
    then: int, now: int, version: int, recorded: int
) -> None:
    bucket = Bucket()
    bucket.write(state(then, "a"))
    backup = bucket.back_up()
    bucket.write(state(version, "v"))
    bucket.write(state(now, "b"))
    record = StateRecord(run="R2", is_open=False, state=Recorded(OURS, recorded, "ab"), at=NOON)
    write_state_record(bucket.store, FOLDER, record, after=None)

    proposal = propose(bucket.place, bucket.copies.named(backup))

    assert proposal.serial == max(then, now, version, recorded) + 1
