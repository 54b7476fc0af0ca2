"""A run that several machines carried on is read back: what may have been begun where nobody can look."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.attempts import attempt_at
from tests.support.dead_runs import DiedError, dies, worker, works
from tests.support.deploy_world import CHAIN, FakeTerraform, World

from holdfast_orchestrator.deploy.phases import rollback as undo
from holdfast_orchestrator.deploy.shard import crash_recovery as unfinished
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.rollback_attempt import RollbackAttempt
from holdfast_orchestrator.engine.workdir import OUTPUT
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import Edge, JournalName
from holdfast_orchestrator.record.journal.journal import Journal, read_journal
from holdfast_orchestrator.record.journal.saved_plan import keep_plan, read_plan

NETWORK = CHAIN[0]
NAME = JournalName("01RUN", "network")
QUEUE, ADDRESS = "aws_sqs_queue.q", "aws_eip.ip"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The runner died while it applied the queue, on machine A."""
    world = World(tmp_path)
    at(monkeypatch, "A")
    dies(worker(world, NAME.run), world, Phase.APPLYING, "before")
    return world


def at(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    monkeypatch.setattr(LeasedShard, "boot", machine)


def told(world: World, address: str, *phases: str) -> None:
    """The events of an apply on this machine."""
    record = world.folder / "network" / OUTPUT / "20260101T000000-00-apply.jsonl"
    record.parent.mkdir(exist_ok=True)
    resource = {"addr": address, "resource_type": address.partition(".")[0]}
    hook = {"resource": resource, "action": "create", "id_key": "id", "id_value": "i"}
    record.write_text("\n".join(json.dumps({"type": f"apply_{phase}", "hook": hook}) for phase in phases))
    note = {"pid": 1, "birth": "", "began": "2026-01-01T00:00:00+00:00"}
    record.with_suffix(".child.json").write_text(json.dumps(note))


def went_on(world: World, *steps: tuple[Phase, Edge, Mapping[str, Any]]) -> None:
    """What another machine wrote before it died too."""
    runtime = worker(world, NAME.run).runtime
    with Journal.resume(NAME, runtime=runtime, store=world.store) as journal:
        for phase, edge, data in steps:
            journal.append(phase, edge, epoch=8, data=data)


def kept(world: World, *addresses: str) -> str:
    """A plan that creates these, where gated plans are kept."""
    changes = [
        {
            "address": address,
            "mode": "managed",
            "type": address.partition(".")[0],
            "change": {"actions": ["create"], "before": None, "after": {"name": "network"}},
        }
        for address in addresses
    ]
    return keep_plan(world.store, NAME.run, {"format_version": "1.2", "resource_changes": changes})


def retried(world: World, **boot: str) -> None:
    """Another try, of the queue and an address."""
    plan = kept(world, QUEUE, ADDRESS)
    went_on(
        world,
        (Phase.RETRY_FORWARD, "before", {"retry": 1}),
        (Phase.RETRY_FORWARD, "after", {"plan": plan}),
        (Phase.APPLYING, "before", {"retry": 1, **boot}),
    )


def reopened(world: World, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    found: list[Attempt] = []

    def finish(_leased: object, attempt: Attempt, *_phase: object, **_builder: object) -> None:
        found.append(attempt)
        raise DiedError

    monkeypatch.setattr(unfinished, "finish", finish)
    with pytest.raises(DiedError):
        works(worker(world, NAME.run))
    return found[0]


def assumed(attempt: Attempt) -> list[str]:
    return [step.address for step in attempt.evidence.assumed]


def test_each_entry_before_an_apply_names_the_machine(world: World) -> None:
    last = read_journal(world.store, NAME)[-1]

    assert (last.phase, last.edge, last.data["boot"]) == (Phase.APPLYING, "before", "A")


@pytest.mark.parametrize("queue", [("start",), ("start", "errored")])
def test_what_another_machine_began_is_in_doubt_where_the_run_comes_back_to_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch, queue: tuple[str, ...]
) -> None:
    told(world, QUEUE, *queue)
    retried(world, boot="B")

    attempt = reopened(world, monkeypatch)

    assert assumed(attempt) == [ADDRESS]
    assert [step.address for step in attempt.progress().doubt] == [QUEUE, ADDRESS]


def test_what_two_machines_may_have_made_at_one_address_is_looked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, QUEUE, "start", "complete")
    retried(world, boot="B")

    assert assumed(reopened(world, monkeypatch)) == [QUEUE, ADDRESS]


def test_what_this_machine_applied_is_told_by_its_events_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, QUEUE, "start", "complete")
    retried(world, boot="A")

    assert assumed(reopened(world, monkeypatch)) == []


def test_what_this_machine_told_before_it_was_booted_again_is_not_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, QUEUE, "start", "complete")
    at(monkeypatch, "A, booted again")

    assert assumed(reopened(world, monkeypatch)) == []


def test_where_the_events_are_gone_every_create_is_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    retried(world, boot="A")

    assert assumed(reopened(world, monkeypatch)) == [QUEUE, ADDRESS]


@pytest.mark.parametrize(("machine", "expected"), [("A", []), ("B", [ADDRESS])])
def test_a_journal_that_names_the_machine_once_is_read_as_before(
    world: World, monkeypatch: pytest.MonkeyPatch, machine: str, expected: list[str]
) -> None:
    told(world, QUEUE, "start")
    retried(world)
    at(monkeypatch, machine)

    assert assumed(reopened(world, monkeypatch)) == expected


def test_a_plan_that_was_made_and_not_applied_puts_nothing_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, QUEUE, "start")
    plan = kept(world, ADDRESS)
    went_on(world, (Phase.RETRY_FORWARD, "after", {"plan": plan}))
    at(monkeypatch, "B")

    assert assumed(reopened(world, monkeypatch)) == []


def rolled_back_by(world: World, *addresses: str, tagged: list[str] | None = None) -> None:
    """A rollback that machine A died in."""
    plan = kept(world, *addresses) if addresses else None
    went_on(
        world,
        (Phase.RB_PLANNED, "before", {}),
        (Phase.RB_PLANNED, "after", {"changes": [*addresses], "plan": plan, "tagged": tagged}),
        (Phase.RB_APPLYING, "before", {"boot": "A"}),
    )


@pytest.mark.parametrize("machine", ["A", "B"])
def test_what_a_rollback_began_to_make_again_on_a_machine_that_is_lost_is_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    if machine == "B":
        told(world, QUEUE, "start", "complete")
    rolled_back_by(world, ADDRESS)
    at(monkeypatch, machine)

    attempt = reopened(world, monkeypatch)

    assert ADDRESS in assumed(attempt)
    assert attempt.planned_values()[ADDRESS] == {"name": "network"}
    assert attempt.planning.rollback_plans[-1]["resource_changes"][0]["address"] == ADDRESS
    assert ADDRESS not in attempt.touched


def test_what_a_rollback_made_is_told_by_its_events_on_the_machine_it_died_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, ADDRESS, "start", "complete")
    rolled_back_by(world, ADDRESS)

    assert assumed(reopened(world, monkeypatch)) == []


def test_a_rollback_that_had_nothing_to_do_puts_nothing_in_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(world, QUEUE, "start")
    rolled_back_by(world, ADDRESS)
    rolled_back_by(world)
    at(monkeypatch, "B")

    attempt = reopened(world, monkeypatch)

    assert assumed(attempt) == [ADDRESS]
    assert len(attempt.planning.rollback_plans) == 1


def test_what_carried_the_tags_before_the_rollback_is_known_to_whoever_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_back_by(world, ADDRESS, tagged=["arn:aws:ec2:eu-west-1:1:elastic-ip/eipalloc-1"])
    rolled_back_by(world, ADDRESS, tagged=["arn:aws:ec2:eu-west-1:1:elastic-ip/eipalloc-2"])

    found = reopened(world, monkeypatch).objects.tagged_before

    assert found == frozenset({"arn:aws:ec2:eu-west-1:1:elastic-ip/eipalloc-1"})


def planned_back(
    world: World, monkeypatch: pytest.MonkeyPatch, *made: str, forward: str = QUEUE, times: int = 1
) -> tuple[Attempt, list[Mapping[str, Any]]]:
    """Plan a rollback that makes objects with the shard's tags; return what became of it and its entries."""
    run = worker(world, NAME.run)
    tags = {"Service": "network", "Environment": "prod", "ManagedBy": "holdfast"}
    wanted = read_plan(world.store, kept(world, *made), shard="network")
    for change in (*wanted["resource_changes"],):
        change["change"]["after"] = {"tags_all": tags}
    monkeypatch.setattr(FakeTerraform, "show_plan", lambda *_: wanted)
    asked = iter([frozenset({"arn:old"}), frozenset({"arn:new"})])
    monkeypatch.setattr(undo, "tagged_arns", lambda _leased: next(asked))
    # What is asked here is what is kept of a plan, not whether it may be applied.
    monkeypatch.setattr(undo, "broken_rules", lambda *_: ())
    monkeypatch.setattr(undo, "refuse_what_others_have", lambda *_: None)
    world.losses = {"network": "aws_sns_topic.old"}
    with Journal.resume(NAME, runtime=run.runtime, store=world.store) as journal:
        lease: Any = SimpleNamespace(check=lambda: None, epoch=9)
        run_context: Any = None
        leased = LeasedShard(
            shard=NETWORK, run=run, run_context=run_context, store=world.store, lease=lease, journal=journal
        )
        attempt = attempt_at({}, good=None)
        attempt.task = replace(attempt.task, run=NAME.run)
        attempt.planning.plans = [dict(wanted) if forward in made else {**wanted, "resource_changes": []}]
        for _ in range(times):
            attempt.rollback = RollbackAttempt()
            undo.plan(leased, attempt)
    attempt.rollback = RollbackAttempt()
    entries = read_journal(world.store, NAME)
    return attempt, [one.data for one in entries if (one.phase, one.edge) == (Phase.RB_PLANNED, "after")]


def test_the_plan_of_a_rollback_is_kept_where_gated_plans_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, (said,) = planned_back(world, monkeypatch, ADDRESS)

    assert read_plan(world.store, said["plan"], shard="network") == attempt.planning.rollback_plans[0]
    assert said["changes"] == [ADDRESS]
    assert "tags_all" in attempt.planned_values()[ADDRESS], "what is built anew forgets what was planned"


def test_what_carries_the_tags_is_asked_for_before_a_rollback_makes_the_first_such_object(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, (first, second) = planned_back(world, monkeypatch, ADDRESS, times=2)

    assert first["tagged"] == ["arn:old"]
    assert attempt.objects.tagged_before == frozenset({"arn:old"})
    assert "tagged" not in second


def test_what_carries_the_tags_is_not_asked_for_once_the_deploy_may_have_made_some(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, (said,) = planned_back(world, monkeypatch, ADDRESS, forward=ADDRESS)

    assert "tagged" not in said
    assert attempt.objects.tagged_before is None
