"""Backups are described, found by the moment, copied elsewhere, and only the needless ones go."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.errors import HoldfastError, SettingsError
from holdfast_orchestrator.state.backups import (
    Backup,
    BackupMeta,
    back_up,
    keep_backup,
    list_backups,
)
from holdfast_orchestrator.state.copies import StateCopies
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore, ObjectHead, StoredObject
from holdfast_orchestrator.state.retention import Retention, may_go, prune
from holdfast_orchestrator.state.snapshot import StateSnapshot, snapshot_of
from holdfast_orchestrator.terraform.state_file import Recorded

FOLDER = "orders/123456789012/eu-west-1/prod"
START = datetime(2026, 11, 1, tzinfo=UTC)
META = BackupMeta(
    run="R1",
    reason="before apply",
    at=START,
    written=START,
    actor="jane",
    git="0f1e",
    artifact="a" * 64,
    plan_sha256="p" * 64,
    engine="terraform 1.11.4",
)


def state(serial: int, *, lineage: str = "l1") -> StateSnapshot:
    body = json.dumps({"version": 4, "lineage": lineage, "serial": serial, "resources": []}).encode()
    head = ObjectHead(key=f"{FOLDER}/terraform.tfstate", etag="e", size=len(body))
    return snapshot_of(StoredObject(head=head, body=body))


def written(day: int) -> BackupMeta:
    return replace(META, written=START + timedelta(days=day), at=START + timedelta(days=day + 1))


def keep(store: DurableStore, *serials: int) -> None:
    for serial in serials:
        keep_backup(store, state(serial), written(serial))


def test_a_backup_is_listed_with_what_is_known_of_it_newest_first(store: DurableStore) -> None:
    keep(store, 2, 1, 10)

    found = list_backups(store, FOLDER)

    assert [backup.serial for backup in found] == [10, 2, 1]
    assert found[-1].meta == written(1)
    kept = store.get(found[0].key)
    assert kept is not None
    assert kept.body == state(10).body


def test_another_shards_backups_are_not_listed(store: DurableStore) -> None:
    keep(store, 1)

    assert list_backups(store, "orders/123456789012/eu-west-1/pro") == ()


def test_the_state_at_a_moment_is_the_one_written_last_before_it(store: DurableStore) -> None:
    keep(store, 1, 2, 5)
    copies = StateCopies(store, f"{FOLDER}/terraform.tfstate")

    assert copies.at(START + timedelta(days=2)).serial == 2
    assert copies.at(START + timedelta(days=4, hours=23)).serial == 2
    assert copies.at(START + timedelta(days=50)).serial == 5
    with pytest.raises(HoldfastError, match="there is no copy of the state at 2026-11-01"):
        copies.at(START)


def test_a_backup_without_its_description_is_still_one(store: DurableStore) -> None:
    back_up(store, state(3))

    (found,) = list_backups(store, FOLDER)

    assert (found.serial, found.meta) == (3, None)
    assert abs(found.written - store.now()) < timedelta(minutes=1)


def test_a_backup_is_copied_to_every_place_that_is_set(store: DurableStore) -> None:
    second = MemoryStore()

    key = keep_backup(store, state(3), META, copies=[second])

    assert second.objects[key] == state(3).body
    assert list_backups(second, FOLDER)[0].meta == META


def test_a_copy_that_is_not_what_was_written_stops_everything(store: DurableStore) -> None:
    class Rotten(MemoryStore):
        def get(self, key: str) -> StoredObject | None:
            found = super().get(key)
            return None if found is None else replace(found, body=found.body[:-1])

    with pytest.raises(HoldfastError, match="is not what was written"):
        keep_backup(store, state(3), META, copies=[Rotten()])


def test_the_first_description_of_a_state_stays(store: DurableStore) -> None:
    keep_backup(store, state(3), META)
    keep_backup(store, state(3), replace(META, run="R2"))

    (found,) = list_backups(store, FOLDER)

    assert found.meta == META


def test_pruning_takes_a_backup_and_its_description_and_nothing_else(store: DurableStore) -> None:
    keep(store, 1, 2, 3)
    backups = list_backups(store, FOLDER)
    surplus = may_go(
        backups, Retention(count=1, days=0), now=START + timedelta(days=365), last_good=recorded(backups[1])
    )

    prune(store, surplus)
    prune(store, surplus)

    assert [backup.serial for backup in list_backups(store, FOLDER)] == [3, 2]
    assert len(list(store.list("_holdfast/backups/"))) == 4


def recorded(backup: Backup) -> Recorded:
    return Recorded(backup.lineage, backup.serial, backup.sha256)


BACKUPS = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["l1", "l2"])), min_size=1, max_size=30, unique=True
)


@given(BACKUPS, st.integers(1, 10), st.integers(0, 200), st.data())
def test_nothing_that_may_be_needed_ever_goes(
    ages: list[tuple[int, str]], count: int, days: int, data: st.DataObject
) -> None:
    now = START
    backups = [of_age(now, age, lineage) for age, lineage in sorted(ages)]
    good = data.draw(st.sampled_from(backups))

    gone = may_go(backups, Retention(count=count, days=days), now=now, last_good=recorded(good))

    assert backups[0] not in gone
    assert good not in gone
    assert not set(gone) & set(backups[:count])
    assert all(now - backup.written > timedelta(days=days) for backup in gone)
    newest = {backup.lineage: backup for backup in reversed(backups)}
    assert not set(gone) & set(newest.values())
    rest = [backup for backup in backups[count:] if backup not in gone]
    assert all(needed_or_young(backup, good, newest, now - timedelta(days=days)) for backup in rest)


def needed_or_young(backup: Backup, good: Backup, newest: dict[str, Backup], oldest: datetime) -> bool:
    return backup == good or backup in newest.values() or backup.written >= oldest


def of_age(now: datetime, age: int, lineage: str) -> Backup:
    return Backup(
        key=f"{lineage}-{age}",
        etag="e",
        lineage=lineage,
        serial=1000 - age,
        sha256=f"{lineage}-{age}",
        size=1,
        written=now - timedelta(days=age),
        meta=None,
    )


@pytest.mark.parametrize("make", [lambda: Retention(count=0), lambda: Retention(days=-1)])
def test_a_retention_that_keeps_nothing_is_refused(make: Callable[[], Retention]) -> None:
    with pytest.raises(SettingsError):
        make()
