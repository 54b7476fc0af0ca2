"""What runs leave in the cache is deleted one day; what a resume or a person needs is not."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from holdfast_orchestrator.deploy.cleanup import tidy_cache
from holdfast_orchestrator.engine.old_folders import is_due
from holdfast_orchestrator.engine.workdir import ERRORED_STATE, prepare, workdir_of
from holdfast_orchestrator.errors import StateBucketError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record import local_runs
from holdfast_orchestrator.record.journal.entry import JournalName
from holdfast_orchestrator.record.journal.journal import Journal
from holdfast_orchestrator.run_id import encoded, new_run_id
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.testing import refusing_runtime

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=31)
LATELY = NOW - timedelta(days=29)


class Unreachable(MemoryStore):
    """A bucket that takes nothing."""

    def create(self, *_: object, **__: object) -> str:  # type: ignore[override]
        raise StateBucketError("the bucket cannot be reached")


def left_by(cache: Path, at: datetime, phase: Phase = Phase.PROMOTED, *, shard: str = "shop") -> Path:
    """The folder of a run whose journal of a shard came to `phase`, with the real journal."""
    return left_in(cast("DurableStore", MemoryStore()), cache, at, phase, shard)


def left_in(store: DurableStore, cache: Path, at: datetime, phase: Phase, shard: str) -> Path:
    name = JournalName(new_run_id(at), shard)
    with Journal.begin(name, runtime=runtime(cache), store=store) as journal:
        journal.append(Phase.PREPARED, "after", epoch=1)
        journal.append(phase, "after", epoch=1)
    return cache / "runs" / name.run


def runtime(cache: Path) -> Runtime:
    class Clock:
        def now(self) -> datetime:
            return NOW

    return refusing_runtime(environ={}, cache=cache, clock=Clock())


@pytest.mark.parametrize("phase", [Phase.PROMOTED, Phase.ROLLED_BACK, Phase.KEPT, Phase.HELD])
def test_a_run_that_ended_a_month_ago_is_deleted(tmp_path: Path, phase: Phase) -> None:
    old, new = left_by(tmp_path, LONG_AGO, phase), left_by(tmp_path, LATELY, phase)

    tidy_cache(tmp_path, NOW)

    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize("phase", [Phase.APPLYING, Phase.VERIFY, Phase.NEEDS_OPERATOR, Phase.RB_APPLYING])
def test_an_open_run_stays_however_old_it_is(tmp_path: Path, phase: Phase) -> None:
    old = left_by(tmp_path, NOW - timedelta(days=1000), phase)

    tidy_cache(tmp_path, NOW)

    assert [path.name for path in old.iterdir()] == ["shop.jsonl"]


def test_a_run_with_one_open_shard_stays_whole(tmp_path: Path) -> None:
    old = left_by(tmp_path, LONG_AGO)
    name = JournalName(old.name, "network")
    with Journal.begin(name, runtime=runtime(tmp_path), store=cast("DurableStore", MemoryStore())) as journal:
        journal.append(Phase.NEEDS_OPERATOR, "after", epoch=1)

    tidy_cache(tmp_path, NOW)

    assert {path.name for path in old.glob("*.jsonl")} == {"shop.jsonl", "network.jsonl"}


def test_a_journal_that_the_bucket_does_not_have_stays(tmp_path: Path) -> None:
    with pytest.raises(StateBucketError):
        left_in(cast("DurableStore", Unreachable()), tmp_path, LONG_AGO, Phase.PROMOTED, "shop")

    tidy_cache(tmp_path, NOW)

    assert len(list((tmp_path / "runs").glob("*/shop.jsonl"))) == 1


def test_one_that_was_taken_up_again_and_is_open_now_stays(tmp_path: Path) -> None:
    store = cast("DurableStore", MemoryStore())
    old = left_in(store, tmp_path, LONG_AGO, Phase.KEPT, "shop")
    with Journal.resume(JournalName(old.name, "shop"), runtime=runtime(tmp_path), store=store) as journal:
        journal.append(Phase.RB_BUILD, "before", epoch=2)

    tidy_cache(tmp_path, NOW)

    assert (old / "shop.jsonl").exists()


def test_one_that_another_process_has_open_stays(tmp_path: Path) -> None:
    old = left_by(tmp_path, LONG_AGO)
    code = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); time.sleep(60)"
    )
    argv = (sys.executable, "-c", code, str(old / "shop.jsonl"))
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        tidy_cache(tmp_path, NOW)
        stayed = (old / "shop.jsonl").exists()
        other.kill()

    assert stayed
    tidy_cache(tmp_path, NOW)
    assert not old.exists()


def test_only_the_newest_stay_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_runs, "RUNS_KEPT", 3)
    runs = [left_by(tmp_path, NOW - timedelta(minutes=minutes)) for minutes in range(5)]

    tidy_cache(tmp_path, NOW)

    assert [run.exists() for run in runs] == [True, True, True, False, False]


def test_a_folder_that_is_no_runs_or_a_link_is_left_alone(tmp_path: Path) -> None:
    elsewhere = left_by(tmp_path / "other", LONG_AGO)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / encoded(0, 1)).symlink_to(elsewhere)
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / encoded(0, 2)).mkdir()

    tidy_cache(tmp_path, NOW)

    assert (elsewhere / "shop.jsonl").exists()
    assert len(list((tmp_path / "runs").iterdir())) == 3


def worked_in(cache: Path, at: datetime, shard: str = "shop") -> Path:
    """A shard's folder as a deploy leaves it, last used then."""
    root = cache / "work" / "0123456789abcdef"
    folder = prepare(root, shard, {"cdk.tf.json": b"{}"})
    (root / f"{shard}.lock").touch()
    for place in (folder, root / shard):
        os.utime(place, (at.timestamp(), at.timestamp()))
    return root / shard


def unsaved(cache: Path, tree: Path) -> None:
    del cache
    folder = workdir_of(tree.parent, tree.name)
    (folder / ERRORED_STATE).write_text("{}")
    for place in (folder, tree):
        os.utime(place, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))


def held(cache: Path, tree: Path) -> None:
    del cache
    lock = os.open(tree.with_name(f"{tree.name}.lock"), os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)


def open_run(cache: Path, tree: Path) -> None:
    left_by(cache, LONG_AGO, Phase.APPLYING, shard=tree.name)


def test_a_shards_folder_that_nothing_has_used_for_long_is_deleted(tmp_path: Path) -> None:
    old, new = worked_in(tmp_path, LONG_AGO), worked_in(tmp_path, LATELY, "network")
    left_by(tmp_path, LONG_AGO, shard="shop")

    tidy_cache(tmp_path, NOW)

    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize("need", [unsaved, held, open_run])
def test_a_shards_folder_that_is_needed_stays(tmp_path: Path, need: Callable[[Path, Path], None]) -> None:
    old = worked_in(tmp_path, LONG_AGO)
    need(tmp_path, old)

    tidy_cache(tmp_path, NOW)

    assert old.exists()


def test_what_was_kept_to_save_time_goes_and_locks_and_providers_stay(tmp_path: Path) -> None:
    names = ("schemas", "hashes", "owners", "reports", "locks", "plugins")
    for name in names:
        (tmp_path / name).mkdir()
        for file, days in (("old", 91), ("new", 89)):
            (tmp_path / name / file).touch()
            at = (NOW - timedelta(days=days)).timestamp()
            os.utime(tmp_path / name / file, (at, at))

    tidy_cache(tmp_path, NOW)

    left = {name for name in names if (tmp_path / name / "old").exists()}
    assert left == {"locks", "plugins"}
    assert all((tmp_path / name / "new").exists() for name in names)


def test_the_longer_look_is_taken_once_a_day(tmp_path: Path) -> None:
    times = [is_due(tmp_path, NOW + timedelta(hours=hours)) for hours in (0, 1, 23, 25, 26)]

    assert times == [True, False, False, True, False]


def test_a_cache_that_cannot_be_read_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")

    tidy_cache(tmp_path / "cache", NOW)
    tidy_cache(tmp_path / "nowhere" / "cache", NOW)
