"""A worker dies before it has changed anything on a shard: another one begins it anew in the same run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_world import CHAIN, Deployment, World

from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.deploy.run_context import DeployPolicy, RunContext
from holdfast_orchestrator.deploy.shard import crash_recovery as unfinished
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.workers import take_over
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import Edge, Entry, JournalName
from holdfast_orchestrator.record.journal.journal import Journal, read_journal
from holdfast_orchestrator.record.journal.saved_plan import read_plan
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.lease_record import LeaseRecord, lease_key
from holdfast_orchestrator.state.process_identity import ProcessIdentity
from holdfast_orchestrator.testing import FrozenClock

NETWORK = CHAIN[0]


class DiedError(BaseException):
    """The worker is no more."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(params=["the same machine", "another machine"])
def next_cache(request: pytest.FixtureRequest, world: World) -> Path:
    """Where the next worker keeps its files."""
    return world.folder / ("cache" if request.param == "the same machine" else "cache-of-another")


def worker(world: World, run: str, *, cache: Path | None = None) -> Run:
    new = Deployment(world, (NETWORK,)).run()
    return replace(new, id=run, runtime=replace(new.runtime, cache=cache or new.runtime.cache))


def works(run: Run) -> ShardResult:
    return take_over(NETWORK, run, Intent(), RunContext.open(run, (NETWORK,), DeployPolicy()))


def dies(run: Run, world: World, phase: Phase, edge: Edge) -> None:
    """Work until an entry is written, and leave the lease behind as the dead do."""

    def append(self: Journal, *words: Any, **named: Any) -> Entry:
        entry = written(self, *words, **named)
        if (entry.phase, entry.edge) == (phase, edge):
            raise DiedError
        return entry

    written = Journal.append
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Journal, "append", append)
        with pytest.raises(DiedError):
            works(run)
    key = lease_key(NETWORK.state.folder)
    found = world.store.head(key)
    assert found is not None
    world.store.replace(key, left_behind(run.id).body(), etag=found.etag)


def left_behind(run: str) -> LeaseRecord:
    return LeaseRecord(
        run=run,
        owner="jane",
        process=ProcessIdentity(host="h", boot="b", namespace="pid:[9]", pid=9, born="then"),
        epoch=7,
        token="t",
        since=FrozenClock().now(),
        doing="deploying network",
        expires_after=-10.0,
    )


def open_run(world: World) -> str | None:
    kept = read_state_record(world.store, NETWORK.state.folder)
    return kept.record.run if kept is not None and kept.record.is_open else None


@pytest.mark.parametrize("edge", ["before", "after"])
def test_a_shard_whose_worker_died_before_its_apply_is_deployed_by_the_next(
    world: World, next_cache: Path, edge: Edge
) -> None:
    dies(worker(world, "01RUN"), world, Phase.PREPARED, edge)

    result = works(worker(world, "01RUN", cache=next_cache))

    assert result.outcome is Outcome.COMMITTED, result
    assert [call for call in world.calls if call.startswith("apply")] == ["apply plan.tfplan of network"]
    assert open_run(world) is None
    phases = [one.phase for one in read_journal(world.store, JournalName("01RUN", "network"))]
    assert phases.count(Phase.APPLYING) == 2


def test_workers_may_die_one_after_another(world: World, next_cache: Path) -> None:
    for edge in ("before", "after", "before"):
        dies(worker(world, "01RUN"), world, Phase.PREPARED, edge)

    assert works(worker(world, "01RUN", cache=next_cache)).outcome is Outcome.COMMITTED


def test_what_was_begun_anew_and_died_in_its_apply_is_reopened_as_it_was_begun_last(
    world: World, next_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert works(worker(world, "01GOOD")).outcome is Outcome.COMMITTED
    reopened: list[Attempt] = []

    def finish(_leased: object, attempt: Attempt, *_phase: object, **_builder: object) -> None:
        reopened.append(attempt)
        raise DiedError

    monkeypatch.setattr(unfinished, "finish", finish)
    world.losses = {"network": "aws_sns_topic.first"}
    dies(worker(world, "01RUN"), world, Phase.PREPARED, "after")
    world.losses = {"network": "aws_sns_topic.second"}
    dies(worker(world, "01RUN", cache=next_cache), world, Phase.APPLYING, "before")

    with pytest.raises(DiedError):
        works(worker(world, "01RUN", cache=next_cache))

    entries = read_journal(world.store, JournalName("01RUN", "network"))
    begun = [one for one in entries if one.begins]
    plans = [one.data["plan"] for one in entries if (one.phase, one.edge) == (Phase.PREPARED, "after")]
    assert len(begun) == len(set(plans)) == 2
    assert reopened[0].planning.plans == [read_plan(world.store, plans[-1], shard="network")]
    assert reopened[0].task.began == begun[-1].at


def test_a_promotion_that_was_begun_is_verified_again_and_made_without_another_health_check(
    world: World, next_cache: Path
) -> None:
    dies(worker(world, "01RUN"), world, Phase.PROMOTED, "before")

    result = works(worker(world, "01RUN", cache=next_cache))

    assert result.outcome is Outcome.COMMITTED, result
    entries = read_journal(world.store, JournalName("01RUN", "network"))
    died = next(place for place, one in enumerate(entries) if one.phase is Phase.PROMOTED)
    since = [(one.phase, one.edge) for one in entries[died + 1 :]]
    assert since == [
        (phase, edge) for phase in (Phase.VERIFY, Phase.PROMOTED) for edge in ("before", "after")
    ]
    assert entries[died + 1].data["after_deletes"]
