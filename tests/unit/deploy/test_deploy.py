"""A run over shards whose Terraform and bucket are doubles; real ones are in tests/terraform."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.deploy_world import CHAIN, CHECK, Deployment, World, deployed, key, shard

from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.errors import HoldfastError, StateBucketError
from holdfast_orchestrator.events import Notice, RunStarted, ShardFinished, ShardStep
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.artifact import artifact_key
from holdfast_orchestrator.record.journal.entry import Entry, JournalName
from holdfast_orchestrator.record.journal.journal import read_journal
from holdfast_orchestrator.state.memory import MemoryStore


def test_shards_are_committed_one_after_another_along_the_graph(world: World) -> None:
    result = Deployment(world).carry_out()

    assert list(result.outcome.values()) == [Outcome.COMMITTED] * 3
    assert [call for call in world.calls if call.startswith("apply")] == [
        "apply plan.tfplan of network",
        "apply plan.tfplan of data",
        "apply plan.tfplan of orders",
    ]
    assert result.exit_code == 0


def test_a_second_deploy_finds_nothing_and_applies_nothing(world: World) -> None:
    Deployment(world).carry_out()
    world.calls.clear()

    result = Deployment(world).carry_out()

    assert set(result.outcome.values()) == {Outcome.UNCHANGED}
    assert not [call for call in world.calls if call.startswith("apply")]


def test_nothing_is_applied_before_all_a_restart_needs_lies_in_the_bucket(world: World) -> None:
    deployed(world, CHAIN[0])
    world.losses = {"network": "aws_sns_topic.old"}
    deployment, at_apply = Deployment(world, (CHAIN[0],)), list[tuple[tuple[Entry, ...], set[str]]]()

    def look(call: str) -> None:
        if call.startswith("apply"):
            (begun,) = {event.run for event in deployment.events if isinstance(event, RunStarted)}
            journal = read_journal(world.store, JournalName(begun, "network"))
            at_apply.append((journal, {*world.store.objects}))

    world.on_call = look
    deployment.carry_out()

    (((before, after, applying), keys),) = at_apply
    assert [(one.phase, one.edge) for one in (before, after, applying)] == [
        (Phase.PREPARED, "before"),
        (Phase.PREPARED, "after"),
        (Phase.APPLYING, "before"),
    ]
    assert {"verb", "shard", "policy", "boot"} <= {*before.data}
    assert {artifact_key(after.data["artifact"]), after.data["backup"], after.data["plan"]} <= keys
    assert {"ownership", "put_off", "approved", "lineage", "serial", "tagged"} <= {*after.data}


def test_the_state_is_backed_up_before_it_can_change(world: World) -> None:
    deployed(world, CHAIN[0])
    before = world.store.objects[key("network")]
    world.losses = {"network": "aws_sns_topic.old"}
    backed_up_at_apply: list[bool] = []
    world.on_call = lambda call: (
        backed_up_at_apply.append(before in [v for k, v in world.store.objects.items() if "backups" in k])
        if call.startswith("apply")
        else None
    )

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert backed_up_at_apply == [True]
    assert world.store.objects[str(result.results["network"].backup)] == before


def test_without_a_good_backup_no_apply_begins(world: World) -> None:
    deployed(world, CHAIN[0])
    world.losses = {"network": "aws_sns_topic.old"}

    class Lossy(MemoryStore):
        def create(self, key: str, body: bytes) -> Any:
            return super().create(key, body[:-1])

    world.store = _taking_over(world.store, Lossy)

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.FAILED
    assert "nothing was applied" in str(result.results["network"].reason)
    assert not [call for call in world.calls if call.startswith("apply")]


def _taking_over(store: MemoryStore, kind: type[MemoryStore]) -> MemoryStore:
    other = kind()
    for place, body in store.objects.items():
        MemoryStore.create(other, place, body)
    return other


def test_a_failed_apply_keeps_its_state_and_says_why_and_what_to_do(world: World) -> None:
    world.failing = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    network = result.results["network"]
    assert network.outcome is Outcome.FAILED
    assert network.reason is not None
    assert "creating queue: it broke" in network.reason
    assert "where: aws_sqs_queue.q" in network.evidence
    assert network.next_step is not None
    assert network.serial == 1
    assert result.exit_code == 1


def test_what_was_found_ill_is_not_taken_for_good_by_deploying_it_again(world: World) -> None:
    checked = (replace(CHAIN[0], health_checks=(CHECK,)),)
    world.ill = True

    first, second = (Deployment(world, checked).carry_out() for _ in range(2))
    shown = Deployment(world, checked).plan()
    third = Deployment(world, checked).carry_out(shown=shown)
    world.ill = False
    fourth = Deployment(world, checked).carry_out()

    assert first.outcome["network"] is second.outcome["network"] is Outcome.FAILED
    assert second.results["network"].reason == first.results["network"].reason
    assert (first.exit_code, second.exit_code, third.exit_code) == (1, 1, 1)
    assert fourth.outcome["network"] is Outcome.COMMITTED
    assert [call for call in world.calls if call.startswith("apply")] == ["apply plan.tfplan of network"]


def test_an_interruption_leaves_what_was_to_be_taken_back_committed_and_says_so(world: World) -> None:
    deployed(world, *CHAIN[:2])
    world.losses = {"network": "aws_sns_topic.old", "data": "aws_sns_topic.old"}
    world.failing = {"data"}
    deployment = Deployment(world, CHAIN[:2])
    world.on_call = lambda call: deployment.stop.ask() if call == "apply plan.tfplan of data" else None

    result = deployment.carry_out(atomic=True, allowed=frozenset({"aws_sns_topic.old"}))

    network = result.results["network"]
    assert network.outcome is Outcome.COMMITTED
    assert network.reason is not None
    assert "stays committed" in network.reason
    assert network.next_step == "holdfast rollback network --env prod"
    assert result.exit_code == 130


@pytest.mark.parametrize("refused", ["lease", "journal"])
@pytest.mark.parametrize("asked", [0, 2])
def test_a_bucket_that_refuses_what_comes_after_the_end_changes_no_ending(
    world: World, refused: str, asked: int
) -> None:
    class Refusing(MemoryStore):
        def create(self, key: str, body: bytes) -> Any:
            self.refuse("journal", b'"promoted"', body)
            return super().create(key, body)

        def replace(self, key: str, body: bytes, *, etag: str) -> Any:
            self.refuse("lease", b'"held": false', body)
            return super().replace(key, body, etag=etag)

        def refuse(self, what: str, mark: bytes, body: bytes) -> None:
            if what == refused and mark in body and b'"before"' not in body:
                raise StateBucketError(f"the bucket takes no {what} any more")

    world.store = Refusing()
    deployment = Deployment(world, CHAIN[:2])

    def ask(call: str) -> None:
        if call == "apply plan.tfplan of network":
            for _ in range(asked):
                deployment.stop.ask()

    world.on_call = ask

    result = deployment.carry_out()

    told = [event.message for event in deployment.events if isinstance(event, Notice)]
    assert result.outcome["network"] is Outcome.COMMITTED
    assert any(f"takes no {refused} any more" in message for message in told), told
    assert result.exit_code == (130 if asked else 0)


def test_only_what_depends_on_a_failure_is_skipped_and_the_cause_is_named(world: World) -> None:
    world.failing = {"data"}
    lonely = shard("lonely")

    result = Deployment(world, (*CHAIN, lonely)).carry_out()

    assert result.outcome == {
        "network": Outcome.COMMITTED,
        "data": Outcome.FAILED,
        "orders": Outcome.SKIPPED,
        "lonely": Outcome.COMMITTED,
    }
    assert result.results["orders"].reason == "`data` failed"


def test_a_gate_blocks_one_shard_before_its_backup_and_apply(world: World) -> None:
    world.losses = {"network": "aws_db_instance.db"}
    protected = shard("network", protected=("aws_db_instance.db",))

    result = Deployment(world, (protected,)).carry_out()

    assert result.outcome["network"] is Outcome.BLOCKED
    assert result.exit_code == 4
    assert not [place for place in world.store.objects if "backups" in place or "journal" in place]
    assert world.calls == ["init network", "plan network"]
    blocked = result.results["network"]
    assert (blocked.added, blocked.changed, blocked.destroyed) == (0, 0, 0), "what was planned was not done"


def test_a_protected_resource_that_was_named_may_go(world: World) -> None:
    world.losses = {"network": "aws_db_instance.db"}
    protected = shard("network", protected=("aws_db_instance.db",))

    result = Deployment(world, (protected,)).carry_out(allowed=frozenset({"aws_db_instance.db"}))

    assert result.outcome["network"] is Outcome.COMMITTED


def test_a_state_that_terraform_could_not_save_is_put_in_its_place(world: World) -> None:
    world.unsaved = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.COMMITTED
    assert json.loads(world.store.objects[key("network")])["lineage"] == "lineage-of-network"
    assert not (world.folder / "network" / "errored.tfstate").exists()
    assert [place for place in world.store.objects if place.startswith("_holdfast/rescued/")]


def test_a_shard_someone_else_is_at_work_on_ends_with_exit_code_7(world: World) -> None:
    world.busy = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.FAILED
    assert result.exit_code == 7


def test_a_corrupt_state_is_seen_before_terraform_takes_it_for_none(world: World) -> None:
    world.store.objects[key("network")] = b""

    result = Deployment(world, (CHAIN[0],)).carry_out()

    assert result.outcome["network"] is Outcome.NEEDS_HUMAN
    assert world.calls == []


def test_a_shard_whose_upstream_was_never_deployed_is_not_begun(world: World) -> None:
    result = Deployment(world).carry_out("orders")

    assert result.outcome["orders"] is Outcome.FAILED
    assert "waits for `data`" in str(result.results["orders"].reason)
    assert world.calls == []


def test_a_stop_between_plan_and_apply_applies_nothing(world: World) -> None:
    deployment = Deployment(world)
    world.on_call = lambda call: deployment.stop.ask() if call == "plan network" else None

    result = deployment.carry_out()

    assert set(result.outcome.values()) == {Outcome.SKIPPED}
    assert result.exit_code == 130
    assert not [call for call in world.calls if call.startswith(("apply", "interrupt"))]


def test_a_stop_during_an_apply_lets_it_finish_and_begins_nothing_new(world: World) -> None:
    deployment = Deployment(world)
    world.on_call = lambda call: deployment.stop.ask() if call.startswith("apply") else None

    result = deployment.carry_out()

    assert list(result.outcome.values()) == [Outcome.COMMITTED, Outcome.SKIPPED, Outcome.SKIPPED]
    assert result.results["data"].reason == "interrupted"
    assert result.exit_code == 130


def test_an_interrupted_apply_that_had_done_everything_is_committed(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))
    world.unsaved = {"network"}

    def ask_twice(call: str) -> None:
        if call.startswith("apply"):
            deployment.stop.ask()
            deployment.stop.ask()

    world.on_call = ask_twice

    result = deployment.carry_out()

    assert result.outcome["network"] is Outcome.COMMITTED
    assert result.exit_code == 130


def test_a_plan_that_fails_says_so_with_place_and_advice(world: World) -> None:
    world.unplannable = {"network"}

    result = Deployment(world, (CHAIN[0],)).carry_out()

    network = result.results["network"]
    assert network.outcome is Outcome.FAILED
    assert network.reason == "terraform plan failed: creating queue: it broke"
    assert "where: aws_sqs_queue.q" in network.evidence


def test_a_second_stop_interrupts_terraform_once(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))

    def ask_thrice(call: str) -> None:
        if call.startswith("apply"):
            for _ in range(3):
                deployment.stop.ask()

    world.on_call = ask_thrice
    deployment.carry_out()

    assert world.calls.count("interrupt network") == 1


def test_events_tell_the_steps_and_the_end_of_each_shard(world: World) -> None:
    deployment = Deployment(world, (CHAIN[0],))

    deployment.carry_out()

    steps = [event.step for event in deployment.events if isinstance(event, ShardStep)]
    ends = [event.outcome for event in deployment.events if isinstance(event, ShardFinished)]
    assert steps == ["initialising", "planning", "backing up", "applying", "verifying"]
    assert ends == ["committed"]


def test_a_missing_bucket_stops_the_run_before_anything_begins(world: World) -> None:
    class Missing(MemoryStore):
        def check(self) -> None:
            raise HoldfastError("there is no bucket")

    world.store = Missing()

    with pytest.raises(HoldfastError, match="there is no bucket"):
        Deployment(world).carry_out()

    assert world.calls == []
