"""A lock or a lease that was left is shown, and removed by its id."""

import json

import pytest
from tests.support.state_bucket import FOLDER, KEY, NOON, Bucket, put_lock

from holdfast_orchestrator.errors import LeasedError, UsageError
from holdfast_orchestrator.state.lease import Claim, Leases
from holdfast_orchestrator.state.lease_record import lease_key
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.terraform_lock import holding_lock, lock_key, read_lock
from holdfast_orchestrator.state_admin.unlock import let_go, look
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.testing import FrozenClock

LOCK = json.dumps({"ID": "lock-1", "Who": "joe@desk", "Operation": "OperationTypePlan", "Created": "t"})


def test_a_lock_is_shown_with_who_when_and_what_and_removed_by_its_id(
    bucket: Bucket, runtime: Runtime
) -> None:
    put_lock(bucket, LOCK.encode())
    held = look(bucket.place)

    removed = let_go(held, "lock-1", runtime, why="by jane")

    assert list(held.lines()) == ["Terraform's lock: joe@desk since t, OperationTypePlan", "  id  lock-1"]
    assert removed == "Terraform's lock lock-1"
    assert look(bucket.place).is_free


@pytest.mark.parametrize("body", [b"", b"{half", b"[]", b"{}", b'{"ID": ""}', b'{"ID": 7}'])
def test_a_damaged_lock_is_removed_by_the_id_of_its_object(
    bucket: Bucket, runtime: Runtime, body: bytes
) -> None:
    put_lock(bucket, body)
    held = look(bucket.place)
    (id_,) = held.removable

    let_go(held, id_, runtime, why="by jane")

    assert id_.startswith("etag-")
    assert look(bucket.place).is_free


def test_a_lock_that_was_taken_anew_meanwhile_stays(bucket: Bucket, runtime: Runtime) -> None:
    put_lock(bucket, LOCK.encode())
    held = look(bucket.place)
    bucket.store.objects[lock_key(KEY)] = LOCK.replace("joe", "jim").encode()

    with pytest.raises(LeasedError, match="nothing was removed"):
        let_go(held, "lock-1", runtime, why="by jane")

    assert not look(bucket.place).is_free


def test_an_id_that_was_not_shown_removes_nothing(bucket: Bucket, runtime: Runtime) -> None:
    put_lock(bucket, LOCK.encode())

    with pytest.raises(UsageError, match="to be removed: lock-1"):
        let_go(look(bucket.place), "lock-2", runtime, why="by jane")

    assert not look(bucket.place).is_free


def test_the_lock_of_a_run_that_is_at_work_stays(bucket: Bucket, runtime: Runtime) -> None:
    claim = Claim(folder=FOLDER, run="R2", owner="joe", doing="deploying")
    put_lock(bucket, LOCK.encode())

    with (
        Leases(bucket.store, runtime).take(claim),
        pytest.raises(LeasedError, match="its process runs; the lock may be that run's"),
    ):
        let_go(look(bucket.place), "lock-1", runtime, why="by jane")

    assert read_lock(bucket.store, KEY) is not None


def test_the_lease_of_a_run_is_left_to_resume(bucket: Bucket, runtime: Runtime) -> None:
    claim = Claim(folder=FOLDER, run="R2", owner="joe", doing="deploying")

    with Leases(bucket.store, runtime).take(claim):
        held = look(bucket.place)
        with pytest.raises(LeasedError, match="holdfast resume R2"):
            let_go(held, "R2", runtime, why="by jane")

    assert held.removable == ()


def test_what_a_person_holds_is_given_back_by_the_name_of_its_run(bucket: Bucket, runtime: Runtime) -> None:
    claim = Claim(folder=FOLDER, run="R2", owner="joe", doing="mending by hand", kind="human")
    Leases(bucket.store, runtime).take(claim)
    held = look(bucket.place)

    removed = let_go(held, "R2", runtime, why="by jane")

    assert removed == "the lease of joe"
    assert look(bucket.place).is_free
    assert b"broken: by jane" in bucket.store.objects[lease_key(FOLDER)]


def test_a_lease_nobody_can_read_is_removed_by_the_id_of_its_object(bucket: Bucket, runtime: Runtime) -> None:
    bucket.store.create(lease_key(FOLDER), b"rubbish")
    held = look(bucket.place)
    (id_,) = held.removable

    let_go(held, id_, runtime, why="by jane")

    assert look(bucket.place).is_free


def test_a_lock_of_ours_says_who_and_goes_away_again() -> None:
    store = MemoryStore(FrozenClock())

    with holding_lock(store, KEY, bucket="states", operation="testing", now=NOON):
        lock = read_lock(store, KEY)

    assert lock is not None
    assert "@" in lock.who
    assert (lock.operation, lock.created) == ("testing", "2026-11-21T12:00:00.000Z")
    assert read_lock(store, KEY) is None
