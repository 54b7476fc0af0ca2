"""A rollback that a person has decided something about."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.attempts import attempt_at, state
from tests.support.deploy_world import Deployment, FakeTerraform, World, shard

from holdfast_orchestrator.deploy.phases import rollback as undo
from holdfast_orchestrator.deploy.phases.rollback import plan
from holdfast_orchestrator.deploy.phases.rollback_inputs import declared_by_good
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import BlockedRollbackError
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.rollback_attempt import RollbackAttempt
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.owners import OwnedObject, Owners, object_key, place_of
from holdfast_orchestrator.terraform.stateful_types import Protection

QUEUE, TOPIC, MOVED = "aws_sqs_queue.q", "aws_sns_topic.t", "aws_sqs_queue.moved"


def index(document: dict[str, Any]) -> IdentityIndex:
    return index_state(document, protection=Protection())


def update(address: str, **fields: Any) -> dict[str, Any]:
    there = {"id": address}
    inside = {"actions": ["update"], "before": there, "after": there}
    kind = address.partition(".")[0]
    return {"address": address, "mode": "managed", "type": kind, "change": inside, **fields}


@pytest.fixture
def leased(tmp_path: Path) -> LeasedShard:
    run_context: Any = None
    lease: Any = SimpleNamespace(check=lambda: None, epoch=1)
    world = World(tmp_path)
    return LeasedShard(
        shard=shard("network"),
        run=Deployment(world).run(),
        run_context=run_context,
        store=world.store,
        lease=lease,
    )


def planned(
    leased: LeasedShard, patch: pytest.MonkeyPatch, plans: list[list[dict[str, Any]]], *skip: str
) -> tuple[Attempt, list[Any]]:
    """Plan a rollback without some addresses, where Terraform plans this and, with targets, that."""
    targets, make = list[Any](), FakeTerraform.plan
    shown = iter(plans)

    def noting(terraform: FakeTerraform, **how: Any) -> Any:
        targets.append(how.get("targets"))
        return make(terraform, **how)

    patch.setattr(FakeTerraform, "plan", noting)
    patch.setattr(
        FakeTerraform,
        "show_plan",
        lambda *_: {"format_version": "1.2", "complete": False, "resource_changes": next(shown)},
    )
    # What is asked here is what is planned, not whether it may be applied.
    patch.setattr(undo, "broken_rules", lambda *_: ())
    patch.setattr(undo, "refuse_what_others_have", lambda *_: None)
    attempt = attempt_at({}, good=None, decision=OperatorDecision(skip=skip))
    attempt.rollback = RollbackAttempt()
    plan(leased, attempt)
    return attempt, targets


def test_a_skipped_object_is_left_out_under_either_of_its_names(
    leased: LeasedShard, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = [update(QUEUE, previous_address=MOVED), update(TOPIC)]

    attempt, targets = planned(leased, monkeypatch, [everything, [update(TOPIC)]], MOVED)

    assert targets == [None, [TOPIC]]
    assert attempt.rollback is not None
    assert attempt.rollback.skipped == {QUEUE}


def test_a_skipped_object_that_another_one_takes_along_is_named_and_nothing_is_applied(
    leased: LeasedShard, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = [update(QUEUE), update(TOPIC)]

    with pytest.raises(BlockedRollbackError, match=r"aws_sqs_queue\.q cannot be skipped alone") as blocked:
        planned(leased, monkeypatch, [everything, everything], QUEUE)

    assert blocked.value.next_step is not None
    assert blocked.value.next_step.endswith("holdfast resume R --accept-forward")


def test_what_the_version_to_go_back_to_declares_is_known_with_and_without_an_object() -> None:
    goal = {"resource": {"aws_sqs_queue": {"q": {}, "many": {"for_each": ["a"]}}}}
    instances = [{"attributes": {"id": key}, "index_key": key} for key in ("a", "b")]
    many = {"mode": "managed", "type": "aws_sqs_queue", "name": "many", "instances": instances}
    now = state("aws_sqs_queue", q={"id": "q"}, new={"id": "new"})
    good = SimpleNamespace(
        configuration=goal,
        record=SimpleNamespace(index=index({"resources": [{**many, "instances": instances[:1]}]})),
    )
    now["resources"].append(many)

    found = declared_by_good(attempt_at({}, good=good), index(now))

    assert found == {QUEUE, 'aws_sqs_queue.many["a"]'}


def test_a_first_deploy_goes_back_to_nothing_that_is_declared() -> None:
    now = index(state("aws_sqs_queue", q={"id": "q"}))

    assert declared_by_good(attempt_at({}, good=None), now) == frozenset()


@pytest.mark.parametrize(
    ("has", "refused"),
    [("api", True), ("network", False), (None, False)],
    ids=["another state has it", "its own state has it", "nobody has it"],
)
def test_a_rollback_never_makes_what_another_state_has_by_then(
    leased: LeasedShard, monkeypatch: pytest.MonkeyPatch, has: str | None, *, refused: bool
) -> None:
    """Between the plan of the rollback and its apply somebody may have taken over what the run destroyed."""
    arn = "arn:aws:sns:eu-west-1:123456789012:orders"
    place = leased.folder.partition("/")[2]
    key = object_key(
        "aws_sns_topic", {"name": "orders", "arn": arn}, address=TOPIC, place=place_of(leased.folder)
    )
    assert key is not None
    states = {} if has is None else {f"{has}/{place}": (OwnedObject(key, "aws_sns_topic.mine"),)}
    book = SimpleNamespace(now=lambda: Owners(states=states))
    leased.run_context = cast("Any", SimpleNamespace(owners=SimpleNamespace(of=lambda *_: book)))
    made = {
        "actions": ["create"],
        "before": None,
        "after": {"name": "orders"},
        "after_unknown": {"arn": True},
    }
    entry = {"address": TOPIC, "mode": "managed", "type": "aws_sns_topic", "change": made}
    used = {"address": TOPIC, "mode": "managed", "type": "aws_sns_topic", "provider_config_key": "aws"}
    provider = {"aws": {"name": "aws", "expressions": {"region": {"constant_value": "eu-west-1"}}}}
    document = {
        "format_version": "1.2",
        "resource_changes": [entry],
        "configuration": {"provider_config": provider, "root_module": {"resources": [used]}},
    }
    attempt = attempt_at({}, good=None)
    attempt.rollback = cast("Any", SimpleNamespace(plan=document, plan_file=Path("p"), terraform=None))

    if not refused:
        undo.refuse_what_others_have(leased, attempt)
        return
    with pytest.raises(BlockedRollbackError, match=f"{TOPIC} is api/.*'s now") as raised:
        undo.refuse_what_others_have(leased, attempt)
    assert f"holdfast resume {attempt.run} --continue" in str(raised.value.next_step)
