"""Runs are recorded once, ended by whoever ends them, and found newest first without reading them all."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast_orchestrator.errors import HoldfastError, NeedsPersonError, UsageError
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.runs import (
    RunEnd,
    RunRecord,
    begin_run,
    checked_run,
    end_run,
    newest_runs,
    read_run,
)
from holdfast_orchestrator.run_id import encoded
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore, ObjectHead

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
RUN = RunRecord(
    run="01JD6ZT3V9M2B8Q4K7X5N1C0RG",
    command="holdfast deploy --env prod",
    actor=Actor(kind="user", name="jane", host="laptop"),
    git="0f1e2d3c",
    environments=("prod",),
    shards=("network-prod-eu-west-1", "orders-prod-eu-west-1"),
    started=NOW,
)


def at(moment: datetime, chance: int = 0) -> str:
    return encoded(int(moment.timestamp() * 1000), chance)


def test_a_run_is_read_back_as_it_began_and_as_it_ended(store: DurableStore) -> None:
    begin_run(store, RUN)

    assert read_run(store, RUN.run) == RUN
    end = RunEnd(
        status="failed",
        ended=NOW + timedelta(minutes=2),
        outcomes={"network-prod-eu-west-1": "committed", "orders-prod-eu-west-1": "rolled_back"},
        seconds={"network-prod-eu-west-1": 61.5},
    )
    ended = end_run(store, RUN.run, end)

    assert read_run(store, RUN.run) == ended
    assert ended.status == "failed"
    assert ended.outcomes["orders-prod-eu-west-1"] == "rolled_back"


def test_the_json_has_the_fields_others_rely_on() -> None:
    document = replace(RUN, environments=("dev", "prod")).to_json()

    assert document["run"] == RUN.run
    assert document["status"] == "running"
    assert document["environment"] == "dev,prod"
    assert document["started"] == "2026-11-21T07:00:00.000Z"


def test_a_name_is_given_to_one_run_only(store: DurableStore) -> None:
    begin_run(store, RUN)

    with pytest.raises(HoldfastError, match="already"):
        begin_run(store, replace(RUN, command="holdfast destroy"))


def test_a_lost_answer_is_no_second_run(store: DurableStore) -> None:
    begin_run(store, RUN)

    begin_run(store, RUN)


def test_a_run_that_never_began_cannot_end(store: DurableStore) -> None:
    with pytest.raises(NeedsPersonError):
        end_run(store, RUN.run, RunEnd(status="failed", ended=NOW))


def test_machines_that_end_a_run_at_once_lose_no_outcome() -> None:
    store = _Interrupting()
    begin_run(store, RUN)
    theirs = RunEnd(status="committed", ended=NOW, outcomes={"network-prod-eu-west-1": "committed"})
    ours = RunEnd(status="committed", ended=NOW, outcomes={"orders-prod-eu-west-1": "committed"})
    store.between = lambda: end_run(store, RUN.run, theirs)

    end_run(store, RUN.run, ours)

    found = read_run(store, RUN.run)
    assert found is not None
    assert set(found.outcomes) == set(RUN.shards)


def test_runs_are_listed_newest_first_however_old(store: DurableStore) -> None:
    ages = [timedelta(minutes=1), timedelta(hours=30), timedelta(days=20), timedelta(days=400)]
    names = [at(NOW - age) for age in ages]
    for name in reversed(names):
        begin_run(store, replace(RUN, run=name))

    assert [record.run for record in newest_runs(store, now=NOW, limit=10)] == names
    assert [record.run for record in newest_runs(store, now=NOW, limit=2)] == names[:2]


def test_runs_of_one_environment_are_found_among_others(store: DurableStore) -> None:
    begin_run(store, replace(RUN, run=at(NOW, 1), environments=("dev",)))
    begin_run(store, replace(RUN, run=at(NOW, 2), environments=("dev", "prod")))
    begin_run(store, replace(RUN, run=at(NOW, 3), environments=("staging",)))

    found = newest_runs(store, now=NOW, limit=10, environment="dev")

    assert [record.run for record in found] == [at(NOW, 2), at(NOW, 1)]


def test_recent_runs_are_found_without_listing_the_old_ones() -> None:
    store = _Counting()
    for age in range(200):
        begin_run(store, replace(RUN, run=at(NOW - timedelta(days=age))))

    newest_runs(store, now=NOW, limit=1)

    assert store.listed < 10


def test_a_folder_without_a_record_is_passed_over(store: DurableStore) -> None:
    store.create(f"_holdfast/runs/{at(NOW)}/journal/orders/00000001.json", b"{}")

    assert newest_runs(store, now=NOW, limit=10) == ()


@pytest.mark.parametrize("text", ["", "../../x", "01JD6ZT3V9M2B8Q4K7X5N1C0R", "01JD6ZT3V9M2B8Q4K7X5N1C0RU"])
def test_what_cannot_be_a_run_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="26 letters"):
        checked_run(text)


def test_a_run_may_be_named_in_small_letters() -> None:
    assert checked_run(RUN.run.lower()) == RUN.run


class _Counting(MemoryStore):
    listed = 0

    def folders(self, prefix: str, *, after: str = "") -> Iterator[str]:
        for name in super().folders(prefix, after=after):
            self.listed += 1
            yield name


class _Interrupting(MemoryStore):
    """Lets somebody else write between the reading and the writing, once."""

    between: Callable[[], object] | None = None

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        between, self.between = self.between, None
        if between is not None:
            between()
        return super().replace(key, body, etag=etag)
