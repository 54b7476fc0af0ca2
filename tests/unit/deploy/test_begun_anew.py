"""A worker dies before it has changed anything on a shard: another one begins it anew in the same run."""

from pathlib import Path

import pytest
from tests.support.dead_runs import DiedError, dies, open_run, worker, works
from tests.support.deploy_world import World

from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.deploy.shard import crash_recovery as unfinished
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import Edge, JournalName
from holdfast_orchestrator.record.journal.journal import read_journal
from holdfast_orchestrator.record.journal.saved_plan import read_plan


@pytest.fixture(params=["the same machine", "another machine"])
def next_cache(request: pytest.FixtureRequest, world: World) -> Path:
    """Where the next worker keeps its files."""
    return world.folder / ("cache" if request.param == "the same machine" else "cache-of-another")


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
