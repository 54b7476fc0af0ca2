"""What a rollback lets go of: what was adopted, and may have been there before the run."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.attempts import cut_off_attempt
from tests.support.deploy_world import shard

from holdfast_orchestrator.deploy.decisions.apply_progress import ApplyStep
from holdfast_orchestrator.deploy.phases import state_machine as machine
from holdfast_orchestrator.deploy.phases.rollback_inputs import needs_of
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.task import Baseline
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.stateful_types import Protection

BENCH: Any = SimpleNamespace(shard=shard("orders"), document=lambda: None, index_now=IdentityIndex)
HERE, ELSEWHERE = "arn:aws:dynamodb:eu-west-1:1:table/t", "arn:aws:dynamodb:eu-central-1:1:table/t"
ROLE = {"id": "r", "arn": "arn:aws:iam::1:role/r", "unique_id": "AROA1"}
BUCKET = {"id": "b", "arn": "arn:aws:s3:::b"}


def state(kind: str, attributes: dict[str, Any]) -> IdentityIndex:
    resource = {"mode": "managed", "type": kind, "name": "x", "instances": [{"attributes": attributes}]}
    return index_state({"resources": [resource]}, protection=Protection())


def adopting(now: IdentityIndex, *, told: bool = True, **more: Any) -> Attempt:
    attempt = cut_off_attempt(tagged_before=frozenset[str]() if told else None, **more)
    attempt.objects.adopted = {known.identity for known in now}
    return attempt


def forgotten(attempt: Attempt, now: IdentityIndex) -> tuple[str, ...]:
    assessment: Any = SimpleNamespace(
        now=now, stored=SimpleNamespace(document=None), settled=SimpleNamespace(taken=frozenset())
    )
    return needs_of(BENCH, attempt, assessment, attempt.objects.adopted).forget


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("aws_dynamodb_table", {"id": "t", "arn": HERE}),
        ("aws_sns_topic", {"id": "t", "arn": "arn:aws:sns:eu-west-1:1:t"}),
        ("aws_s3_bucket", {**BUCKET, "region": "eu-west-1"}),
        ("aws_ecs_service", {"id": "arn:aws:ecs:eu-west-1:1:service/c/s", "name": "s"}),
        # Found by its tags, as the plan does not tell its id.
        ("aws_nat_gateway", {"id": "nat-1", "tags_all": {}}),
    ],
)
def test_what_aws_would_have_told_of_and_did_not_is_new_and_is_taken_back(
    kind: str, attributes: dict[str, Any]
) -> None:
    now = state(kind, attributes)

    assert forgotten(adopting(now), now) == ()


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("aws_dynamodb_table", {"id": "t", "arn": ELSEWHERE}),
        ("aws_sns_topic", {"id": "t", "arn": "arn:aws:sns:eu-central-1:1:t"}),
        ("aws_iam_role", ROLE),
        ("aws_iam_user", {"id": "u", "arn": "arn:aws:iam::1:user/u"}),
        ("aws_iam_policy", {"id": "arn:aws:iam::1:policy/p", "arn": "arn:aws:iam::1:policy/p"}),
        ("aws_iam_instance_profile", {"id": "i", "arn": "arn:aws:iam::1:instance-profile/i"}),
        ("aws_s3_bucket", {**BUCKET, "region": "eu-central-1"}),
        ("aws_s3_bucket", BUCKET),
        ("aws_ssm_parameter", {"id": "/p", "name": "/p"}),
        ("aws_ecs_service", {"id": "arn:aws:ecs:eu-central-1:1:service/c/s", "name": "s"}),
    ],
)
def test_what_aws_was_not_asked_about_is_never_destroyed(kind: str, attributes: dict[str, Any]) -> None:
    now = state(kind, attributes)
    attempt = adopting(now)
    change = {"actions": ["create"], "before": None, "after": {"name": attributes.get("name")}}
    resource = {"address": f"{kind}.x", "mode": "managed", "type": kind, "name": "x", "change": change}
    attempt.planning.plans = [{"resource_changes": [resource]}]

    assert forgotten(attempt, now) == (f"{kind}.x",)


def test_where_aws_does_not_tell_nothing_that_was_adopted_is_destroyed() -> None:
    now = state("aws_sns_topic", {"id": "t", "arn": "arn:aws:sns:eu-west-1:1:t"})

    assert forgotten(adopting(now, told=False), now) == ("aws_sns_topic.x",)


def test_a_role_the_runs_own_events_say_was_made_is_taken_back() -> None:
    now = state("aws_iam_role", ROLE)
    made = [ApplyStep(address="aws_iam_role.x", action="create", phase="complete", id_value="r")]

    assert forgotten(adopting(now, assumed=made), now) == ()


def test_a_role_in_the_place_of_one_that_the_state_had_is_new() -> None:
    now = state("aws_iam_role", ROLE)
    before = Baseline(snapshot=None, index=state("aws_iam_role", {**ROLE, "unique_id": "AROA0"}))
    attempt = adopting(now, before=before)

    assert forgotten(attempt, now) == ()


def test_a_table_of_that_name_in_another_region_is_not_the_one_the_state_had() -> None:
    now = state("aws_dynamodb_table", {"id": "t", "arn": ELSEWHERE})
    before = Baseline(snapshot=None, index=state("aws_dynamodb_table", {"id": "t", "arn": HERE}))
    attempt = adopting(now, before=before)

    assert forgotten(attempt, now) == ("aws_dynamodb_table.x",)


@pytest.mark.parametrize(("region", "may_go"), [("eu-west-1", False), ("eu-central-1", True)])
def test_a_later_run_may_not_destroy_it_either(
    monkeypatch: pytest.MonkeyPatch, region: str, *, may_go: bool
) -> None:
    now = state("aws_dynamodb_table", {"id": "t", "arn": ELSEWHERE})
    attempt = adopting(now)
    settled = SimpleNamespace(created=frozenset(attempt.objects.adopted))
    monkeypatch.setattr(machine, "examine", lambda *_: SimpleNamespace(now=now, settled=settled))
    leased: Any = SimpleNamespace(shard=replace(BENCH.shard, region=region))

    leftovers = machine._leftovers(leased, attempt)

    assert bool(leftovers.created) is may_go
