"""A journal survives its writer: on the same machine, on another one, torn, ahead or behind."""

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.support.journals import NAME, Flaky, elsewhere, file_of, known_here_alone, told, write_some

from holdfast_orchestrator.errors import HoldfastError, LeasedError, NeedsPersonError, StateBucketError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import (
    Edge,
    EntryDraft,
    chained,
    next_entry,
)
from holdfast_orchestrator.record.journal.journal import Journal, journalled_shards, read_journal
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore, ObjectHead, StoredObject
from holdfast_orchestrator.system.runtime import Runtime


def test_a_run_can_be_read_back_from_the_bucket_alone(store: DurableStore, runtime: Runtime) -> None:
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)

    entries = read_journal(store, NAME)

    assert told(entries) == [("prepared", "before"), ("prepared", "after"), ("applying", "before")]
    assert entries == journal.entries
    assert entries[2].data == {"pid": 4711}
    assert {entry.epoch for entry in entries} == {3}
    assert journalled_shards(store, NAME.run) == (NAME.shard,)


def test_before_something_changes_the_entry_lies_in_the_bucket(store: DurableStore, runtime: Runtime) -> None:
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)

        assert len(read_journal(store, NAME)) == 3


def test_another_machine_carries_the_run_on(store: DurableStore, runtime: Runtime) -> None:
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)

    with Journal.resume(NAME, runtime=elsewhere(runtime), store=store) as carried:
        assert carried.last == journal.last
        carried.append(Phase.SETTLE, "before", epoch=4)

    assert told(read_journal(store, NAME))[-1] == ("settle", "before")
    with Journal.resume(NAME, runtime=runtime, store=store) as back:
        assert told(back.entries)[-1] == ("settle", "before")
    assert len(file_of(runtime).read_bytes().splitlines()) == 4


def test_what_only_this_machine_has_goes_to_the_bucket_on_resume(runtime: Runtime) -> None:
    store = known_here_alone(runtime, Phase.PREPARED, "before")

    with Journal.resume(NAME, runtime=runtime, store=store):
        pass

    assert told(read_journal(store, NAME)) == [("prepared", "before")]


def test_nothing_is_begun_that_changes_something_while_the_bucket_is_away(runtime: Runtime) -> None:
    store = Flaky()
    journal = Journal.begin(NAME, runtime=runtime, store=store)
    store.away = True
    journal.append(Phase.PREPARED, "after", epoch=1)

    with pytest.raises(StateBucketError):
        journal.append(Phase.APPLYING, "before", epoch=1)
    store.away = False
    journal.flush()

    assert told(read_journal(store, NAME)) == [("prepared", "after"), ("applying", "before")]
    journal.close()


@pytest.mark.parametrize("tail", [b'{"seq":4,"prev"', b"\0\0\0\0", b'{"seq":4,"half":\n'])
def test_a_torn_last_entry_is_dropped(store: DurableStore, runtime: Runtime, tail: bytes) -> None:
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)
    with file_of(runtime).open("ab") as file:
        file.write(tail)

    with Journal.resume(NAME, runtime=runtime, store=store) as resumed:
        resumed.append(Phase.SETTLE, "before", epoch=1)

    assert told(read_journal(store, NAME))[-1] == ("settle", "before")
    assert len(file_of(runtime).read_bytes().splitlines()) == 4


def test_a_changed_entry_on_this_machine_stops_the_resume(store: DurableStore, runtime: Runtime) -> None:
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)
    file = file_of(runtime)
    file.write_bytes(file.read_bytes().replace(b'"edge":"after"', b'"edge":"before"'))

    with pytest.raises(NeedsPersonError, match="was changed"):
        Journal.resume(NAME, runtime=runtime, store=store)


def test_a_missing_entry_in_the_bucket_stops_the_resume(store: DurableStore, runtime: Runtime) -> None:
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        journal.append(Phase.PREPARED, "before", epoch=3)
        journal.flush()
        journal.append(Phase.PREPARED, "after", epoch=3)
        journal.flush()
        journal.append(Phase.SETTLE, "before", epoch=3)
    head = store.head(NAME.key(2))
    assert head is not None
    store.delete(head.key, etag=head.etag)

    with pytest.raises(NeedsPersonError, match="entry 2"):
        Journal.resume(NAME, runtime=elsewhere(runtime), store=store)


def test_two_machines_that_carry_one_run_on_meet_at_the_next_entry(
    store: DurableStore, runtime: Runtime
) -> None:
    first = Journal.begin(NAME, runtime=runtime, store=store)
    write_some(first)
    second = Journal.resume(NAME, runtime=elsewhere(runtime), store=store)
    second.append(Phase.RB_APPLYING, "before", epoch=2)

    with pytest.raises(NeedsPersonError, match="another process"):
        first.append(Phase.APPLYING, "before", epoch=1)
    with pytest.raises(NeedsPersonError):
        first.close()
    second.close()


def died_without_telling(runtime: Runtime, store: "Flaky", *steps: tuple[Phase, Edge]) -> None:
    """A journal whose applying was begun goes on on this machine only; another one carries the run on."""
    journal = Journal.begin(NAME, runtime=runtime, store=store)
    write_some(journal)
    store.away = True
    for phase, edge in steps[:-1]:
        journal.append(phase, edge, epoch=3)
    with suppress(StateBucketError):
        journal.append(*steps[-1], epoch=3)
    with pytest.raises(StateBucketError):
        journal.close()
    store.away = False
    with Journal.resume(NAME, runtime=elsewhere(runtime), store=store) as carried:
        carried.append(Phase.SETTLE, "before", epoch=4)
        carried.append(Phase.CLASSIFY, "before", epoch=4)


@pytest.mark.parametrize(
    "last",
    [
        [(Phase.APPLYING, "after")],
        [(Phase.APPLYING, "after"), (Phase.SETTLE, "after"), (Phase.VERIFY, "before")],
        [(Phase.APPLYING, "after"), (Phase.DELETING, "before")],
    ],
)
def test_what_a_machine_did_not_tell_before_another_carried_on_is_set_aside(
    runtime: Runtime, last: list[tuple[Phase, Edge]]
) -> None:
    store = Flaky()
    died_without_telling(runtime, store, *last)
    before = file_of(runtime).read_bytes().splitlines()

    with Journal.resume(NAME, runtime=runtime, store=store) as back:
        back.append(Phase.RESOLVE, "before", epoch=5)

    expected = ["prepared", "prepared", "applying", "settle", "classify", "resolve"]
    assert [phase for phase, _ in told(read_journal(store, NAME))] == expected
    assert [entry.line for entry in read_journal(store, NAME)] == file_of(runtime).read_bytes().splitlines()
    aside = file_of(runtime).with_name(f"{file_of(runtime).name}.superseded")
    assert aside.read_bytes().splitlines() == before[3:]
    assert aside.stat().st_mode & 0o777 == 0o600


def test_a_machine_that_began_what_the_bucket_does_not_tell_stops_the_resume(runtime: Runtime) -> None:
    store = Flaky()
    died_without_telling(runtime, store, (Phase.APPLYING, "after"), (Phase.DELETING, "before"))
    before = file_of(runtime).read_bytes()
    chain = chained(NAME, before.splitlines())
    draft = EntryDraft(epoch=3, phase=Phase.DELETING, edge="after", at=runtime.clock.now())
    later = next_entry(NAME, chain[-1], draft)
    file_of(runtime).write_bytes(before + later.line + b"\n")

    with pytest.raises(NeedsPersonError, match="two processes"):
        Journal.resume(NAME, runtime=runtime, store=store)

    assert file_of(runtime).read_bytes() == before + later.line + b"\n"


def test_what_came_together_lies_in_one_object_and_is_read_entry_by_entry(runtime: Runtime) -> None:
    store = Slow()
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        journal.append(Phase.HEALTH, "before", epoch=3)
        assert store.asked.wait(10)
        for phase in (Phase.HEALTH, Phase.CLASSIFY, Phase.KEPT):
            journal.append(phase, "after", epoch=3)
        store.open.set()

    assert len(list(store.list(NAME.prefix))) == 2
    assert [entry.seq for entry in read_journal(store, NAME)] == [1, 2, 3, 4]


def test_entries_of_phases_that_change_nothing_wait_for_company_and_not_for_ever(runtime: Runtime) -> None:
    store = MemoryStore()
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        for phase in (Phase.PREPARED, Phase.SETTLE):
            journal.append(phase, "before", epoch=3)
        assert not list(store.list(NAME.prefix))
        for _ in range(500):
            if list(store.list(NAME.prefix)):
                break
            time.sleep(0.01)

        assert len(list(store.list(NAME.prefix))) == 1
        assert [entry.seq for entry in read_journal(store, NAME)] == [1, 2]


def test_an_entry_that_changes_something_takes_those_along_that_waited(runtime: Runtime) -> None:
    store = MemoryStore()
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        journal.append(Phase.PREPARED, "before", epoch=3)
        journal.append(Phase.PREPARED, "after", epoch=3)
        journal.append(Phase.APPLYING, "before", epoch=3)

        assert len(list(store.list(NAME.prefix))) == 1
        assert [entry.seq for entry in read_journal(store, NAME)] == [1, 2, 3]


def test_an_answer_that_was_lost_is_found_though_more_entries_came_since(runtime: Runtime) -> None:
    store = Forgetful()
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        journal.append(Phase.PREPARED, "before", epoch=3)
        with pytest.raises(StateBucketError):
            journal.flush()
        store.away = False
        journal.append(Phase.PREPARED, "after", epoch=3)

    assert [entry.seq for entry in read_journal(store, NAME)] == [1, 2]


class Slow(MemoryStore):
    """Answers the first write when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.asked = threading.Event()

    def create(self, key: str, body: bytes) -> ObjectHead:
        self.asked.set()
        self.open.wait(10)
        return super().create(key, body)


class Forgetful(MemoryStore):
    """Writes, and while it is away nobody hears that it did."""

    away = True

    def create(self, key: str, body: bytes) -> ObjectHead:
        head = super().create(key, body)
        self._refuse()
        return head

    def get(self, key: str) -> StoredObject | None:
        self._refuse()
        return super().get(key)

    def _refuse(self) -> None:
        if self.away:
            raise StateBucketError("the answer was lost")


def test_a_run_that_was_begun_is_resumed_and_not_begun_again(store: DurableStore, runtime: Runtime) -> None:
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)

    with pytest.raises(HoldfastError, match="journal of run"):
        Journal.begin(NAME, runtime=runtime, store=store)


def test_two_processes_do_not_write_one_file(runtime: Runtime) -> None:
    store = MemoryStore()
    with (
        Journal.begin(NAME, runtime=runtime, store=store),
        pytest.raises(LeasedError, match="another process"),
    ):
        Journal.resume(NAME, runtime=runtime, store=store)


def test_the_file_is_private_and_no_link_is_followed(runtime: Runtime, tmp_path: Path) -> None:
    store = MemoryStore()
    with Journal.begin(NAME, runtime=runtime, store=store) as journal:
        write_some(journal)
    file = file_of(runtime)

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HoldfastError, match="symbolic link"):
        Journal.resume(NAME, runtime=runtime, store=store)


def test_a_disk_that_is_full_in_the_middle_of_an_entry_leaves_no_half_entry(runtime: Runtime) -> None:
    store = MemoryStore()
    journal = Journal.begin(NAME, runtime=runtime, store=store)
    journal.append(Phase.PREPARED, "before", epoch=1)
    whole = file_of(runtime).read_bytes()

    with room_for(len(whole) + 10), pytest.raises(HoldfastError, match="cannot be written"):
        journal.append(Phase.APPLYING, "before", epoch=1)

    assert file_of(runtime).read_bytes() == whole
    journal.flush()
    assert told(read_journal(store, NAME)) == [("prepared", "before")]
    journal.append(Phase.APPLYING, "before", epoch=1)
    journal.close()
    assert told(read_journal(store, NAME)) == [("prepared", "before"), ("applying", "before")]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a write goes half through, then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_process_dies_at_its_crash_point_with_the_entry_written(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from holdfast_orchestrator.record.journal.journal import Journal\n"
        "from holdfast_orchestrator.record.journal.entry import JournalName\n"
        "from holdfast_orchestrator.lifecycle import Phase\n"
        "from holdfast_orchestrator.system.runtime import SystemClock\n"
        "from holdfast_orchestrator.state.memory import MemoryStore\n"
        "from holdfast_orchestrator.testing import refusing_runtime\n"
        "runtime = refusing_runtime(clock=SystemClock(), cache=Path('cache'),\n"
        "    environ={'HOLDFAST_CRASH_AT': 'applying:before:s'})\n"
        "journal = Journal.begin(JournalName('R', 's'), runtime=runtime, store=MemoryStore())\n"
        "journal.append(Phase.PREPARED, 'after', epoch=1)\n"
        "journal.append(Phase.APPLYING, 'before', epoch=1)\n"
        "print('still here')\n"
    )

    died = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False)

    assert died.returncode == 137
    assert died.stdout == b""
    assert b'"phase":"applying"' in (tmp_path / "cache/runs/R/s.jsonl").read_bytes().splitlines()[-1]
