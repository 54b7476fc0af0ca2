"""What was seen of an object before its create, and what that proves; what a plan would take over."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.deploy_world import shard

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.gate.adopted import refuse_unknown_adoptions, refuse_unknown_instance
from holdfast_orchestrator.gate.takeover import adoptions, takeovers
from holdfast_orchestrator.plan.looks import absent_of
from holdfast_orchestrator.terraform.create_semantics import is_doubtful, rule_of
from holdfast_orchestrator.terraform.holdings import holdings_in, settings_overwritten, unproven_in
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import (
    Holdings,
    Sighting,
    Sightings,
    Verdict,
    judged_without_look,
)

EU, US = "123456789012:eu-west-1", "123456789012:us-east-1"
ALARM, TOPIC, POLICY = "aws_cloudwatch_metric_alarm", "aws_sns_topic", "aws_s3_bucket_policy"
SHARD = shard("core")


def sighting(verdict: Verdict, *, name: str = "a", place: str | None = EU, **more: Any) -> Sighting:
    return Sighting(key=ObjectKey(ALARM, name, place), kind=ALARM, verdict=verdict, **more)


def seen(*sightings: Sighting) -> Sightings:
    found = Sightings()
    found.add(sightings)
    return found


def plan(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(changes)}


def change(actions: list[str], after: dict[str, Any], kind: str = ALARM, **more: Any) -> dict[str, Any]:
    before = more.pop("before", None)
    return {
        "address": f"{kind}.a",
        "mode": "managed",
        "type": kind,
        "change": {"actions": actions, "before": before, "after": after, **more},
    }


@pytest.mark.parametrize(
    ("verdict", "proven"),
    [
        (Verdict.ABSENT, True),
        (Verdict.FOUND, False),
        (Verdict.OWN, False),
        (Verdict.UNPROVEN, False),
    ],
)
def test_only_what_was_absent_is_proven(verdict: Verdict, *, proven: bool) -> None:
    assert seen(sighting(verdict)).proves(ALARM, {"alarm_name": "a"}) is proven


def test_what_nobody_looked_for_is_not_proven_unless_aws_refuses() -> None:
    assert not Sightings().proves(ALARM, {"alarm_name": "a"})
    assert Sightings().proves("aws_iam_role", {"name": "a"})
    assert Sightings().proves("aws_vpc", {"id": "vpc-1"})
    assert Sightings().proves("example_thing", {"id": "1"})
    assert not Sightings().proves("aws_default_vpc", {"id": "vpc-1"})


@pytest.mark.parametrize(
    ("kind", "made_up", "proven"),
    [
        ("aws_ec2_transit_gateway", "tgw-0123456789abcdef0", True),
        ("aws_datasync_location_s3", "arn:aws:datasync:eu-west-1:1:location/loc-07db7abfc326c50fb", True),
        ("aws_wafv2_regex_pattern_set", "1d1b3c5e-8f0a-4c7d-9e2b-0a1b2c3d4e5f", True),
        ("aws_ssoadmin_account_assignment", "user,USER,1,AWS_ACCOUNT,arn:aws:sso:::p,arn:aws:sso:::i", False),
        ("aws_pinpoint_sms_channel", "app", False),
        ("aws_something_new", None, False),
    ],
)
def test_of_an_aws_type_in_no_row_only_an_id_that_aws_made_up_proves(
    kind: str, made_up: str | None, *, proven: bool
) -> None:
    assert rule_of(kind) is None
    assert Sightings().proves(kind, {"id": made_up}) is proven


def test_a_tag_of_its_own_is_looked_for() -> None:
    assert is_doubtful(
        "aws_dynamodb_tag", {"resource_arn": "arn:aws:dynamodb:eu-west-1:1:table/t", "key": "a"}
    )


@given(st.permutations([Verdict.ABSENT, Verdict.FOUND, Verdict.UNPROVEN]))
def test_where_several_can_be_meant_the_one_that_proves_least_counts(order: list[Verdict]) -> None:
    places = ["1:a", "1:b", "1:c"]
    found = seen(*(sighting(one, place=place) for one, place in zip(order, places, strict=True)))

    assert found.of(ObjectKey(ALARM, "a", None)) == found.of(
        ObjectKey(ALARM, "a", places[order.index(Verdict.FOUND)])
    )


def test_a_later_look_counts_more_than_an_earlier_one() -> None:
    found = seen(sighting(Verdict.ABSENT), sighting(Verdict.FOUND))

    assert found.was_refused(ALARM, {"alarm_name": "a"})
    assert not found.was_absent(ALARM, {"alarm_name": "a"})


@given(st.sampled_from(list(Verdict)), st.none() | st.just(EU), st.none() | st.just({"a": "b"}))
def test_what_the_journal_keeps_is_read_back(
    verdict: Verdict, place: str | None, tags: dict[str, str] | None
) -> None:
    one = sighting(verdict, place=place, tags=tags, import_id="i", why="w")

    assert Sighting.of(one.to_json()) == one


def test_holdings_are_read_back() -> None:
    holdings = Holdings(
        own=frozenset({ObjectKey(ALARM, "a", None)}),
        parents=frozenset({("aws_s3_bucket", "b")}),
        gone=frozenset({ObjectKey(TOPIC, "t", EU)}),
    )

    assert Holdings.of(holdings.to_json()) == holdings


@pytest.mark.parametrize(
    ("kind", "values", "made", "holdings", "verdict"),
    [
        (ALARM, {"alarm_name": "a"}, set(), Holdings(), None),
        (ALARM, {"alarm_name": "a"}, {("aws_s3_bucket", "a")}, Holdings(), None),
        (ALARM, {"alarm_name": "a"}, set(), Holdings(own=frozenset({ObjectKey(ALARM, "a")})), Verdict.OWN),
        (
            ALARM,
            {"alarm_name": "a"},
            set(),
            Holdings(gone=frozenset({ObjectKey(ALARM, "a", EU)})),
            Verdict.ABSENT,
        ),
        (POLICY, {"bucket": "b"}, {("aws_s3_bucket", "b")}, Holdings(), Verdict.ABSENT),
        (
            POLICY,
            {"bucket": "b"},
            set(),
            Holdings(parents=frozenset({("aws_s3_bucket", "b")})),
            Verdict.ABSENT,
        ),
        (POLICY, {"bucket": "b"}, {("aws_iam_role", "b")}, Holdings(), None),
        (
            "aws_s3_object",
            {"bucket": "b", "key": "k"},
            set(),
            Holdings(parents=frozenset({("aws_s3_bucket", "b")})),
            None,
        ),
        (
            "aws_iam_role_policy_attachment",
            {"role": "old", "policy_arn": "arn:aws:iam::1:policy/new"},
            {("aws_iam_policy", "arn:aws:iam::1:policy/new")},
            Holdings(),
            Verdict.ABSENT,
        ),
    ],
)
def test_what_is_known_without_a_look(
    kind: str, values: dict[str, Any], made: set[tuple[str, str]], holdings: Holdings, verdict: Verdict | None
) -> None:
    from holdfast_orchestrator.terraform.object_keys import key_of  # noqa: PLC0415 - one use

    key = key_of(kind, values, EU)
    assert key is not None

    known = judged_without_look(key, kind, values, holdings=holdings, made=made)

    assert (known and known.verdict) == verdict


def state(kind: str, name: str, **attributes: Any) -> dict[str, Any]:
    instance = {"attributes": attributes}
    return {
        "version": 4,
        "resources": [
            {"mode": "managed", "type": kind, "name": name, "provider": "p", "instances": [instance]}
        ],
    }


def test_a_replacement_that_comes_first_must_not_meet_what_it_replaces() -> None:
    there = state(ALARM, "a", alarm_name="a", id="a")
    replaced = plan(change(["create", "delete"], {"alarm_name": "a"}, before={"alarm_name": "a", "id": "a"}))

    assert holdings_in(there).own == {ObjectKey(ALARM, "a", None)}
    assert holdings_in(there, plan=replaced).own == set()


def test_objects_of_a_state_that_nothing_proves_are_named() -> None:
    there = state(ALARM, "a", alarm_name="a", id="a")

    assert unproven_in(there, Sightings()) == {Identity(ALARM, "a")}
    assert unproven_in(there, seen(sighting(Verdict.ABSENT))) == frozenset()


@pytest.mark.parametrize(
    ("created", "named"),
    [({"setting"}, ("aws_ecs_cluster_capacity_providers.p",)), ({"setting", "cluster"}, ()), (set(), ())],
    ids=["of a cluster that was there", "of a cluster of this run", "of an earlier run"],
)
def test_a_setting_that_was_there_before_is_named(created: set[str], named: tuple[str, ...]) -> None:
    cluster = state("aws_ecs_cluster", "c", id="c")
    setting = state("aws_ecs_cluster_capacity_providers", "p", id="c", cluster_name="c")
    both = {"version": 4, "resources": [*cluster["resources"], *setting["resources"]]}
    kinds = {"cluster": "aws_ecs_cluster", "setting": "aws_ecs_cluster_capacity_providers"}
    identities = {name: Identity(kind, "c") for name, kind in kinds.items()}

    found = settings_overwritten(both, {identities[one] for one in created})

    assert found == named


def test_what_is_there_is_a_finding_with_the_command_that_takes_it_over() -> None:
    planned = plan(change(["create"], {"alarm_name": "a"}))
    watched = seen(sighting(Verdict.FOUND, import_id="a", tags={"Team": "x"}))

    (finding,) = takeovers(planned, watched, SHARD)

    assert "aws_cloudwatch_metric_alarm.a would take over a" in finding.what
    assert "Team=x" in finding.what
    assert f"holdfast deploy --env {SHARD.environment} --stack core --adopt {ALARM}.a" in finding.next_step
    assert [*takeovers(planned, watched, SHARD, adopted={f"{ALARM}.a"})] == []
    (block,) = adoptions(planned, watched, SHARD, adopted={f"{ALARM}.a"})
    assert (block.address, block.import_id) == (f"{ALARM}.a", "a")


def test_an_object_that_does_not_exist_cannot_be_adopted() -> None:
    planned = plan(change(["create"], {"alarm_name": "a"}))

    with pytest.raises(UsageError, match=r"there is no such object in the cloud: .*alarm.a \(a\)") as refused:
        adoptions(planned, seen(sighting(Verdict.ABSENT)), SHARD, adopted={f"{ALARM}.a", f"{TOPIC}.b"})

    deploy = f"holdfast deploy --env {SHARD.environment} --stack core"
    assert str(refused.value.next_step).endswith(f"the deploy creates it: {deploy} --adopt {TOPIC}.b")


def test_an_object_that_only_terraform_looked_for_is_absent_in_the_same_words() -> None:
    blocks = (ImportBlock(f"{ALARM}.a", "a"), ImportBlock(f"{ALARM}.b", "b"))
    texts = [f'Cannot import non-existent remote object: at "{ALARM}.a"']
    failed = CommandFailedError("plan", 1, [Diagnostic(severity="error", summary=text) for text in texts])
    other = CommandFailedError(
        "plan", 1, [*failed.diagnostics, Diagnostic(severity="error", summary="no lock")]
    )

    assert absent_of(blocks, failed) == {f"{ALARM}.a": "a"}
    assert absent_of(blocks, other) == {}


def test_an_object_that_nothing_names_cannot_be_adopted() -> None:
    planned = plan(change(["create"], {}))

    with pytest.raises(UsageError, match="nothing in the configuration says which object"):
        adoptions(planned, Sightings(), SHARD, adopted={f"{ALARM}.a"})


def test_what_an_earlier_run_left_is_called_so() -> None:
    tags = {"Service": SHARD.service, "Environment": SHARD.environment, "ManagedBy": "holdfast"}
    watched = seen(sighting(Verdict.FOUND, import_id="a", tags=tags))

    (finding,) = takeovers(plan(change(["create"], {"alarm_name": "a"})), watched, SHARD)

    assert "an earlier run left it" in finding.what


@pytest.mark.parametrize("verdict", [Verdict.ABSENT, Verdict.OWN, Verdict.UNPROVEN])
def test_nothing_else_is_a_finding(verdict: Verdict) -> None:
    planned = plan(change(["create"], {"alarm_name": "a"}))

    assert [*takeovers(planned, seen(sighting(verdict)), SHARD)] == []


@pytest.mark.parametrize(("name", "findings"), [("a", 1), ("b", 0)])
def test_a_replacement_that_keeps_its_name_and_comes_first_is_refused(name: str, findings: int) -> None:
    replaced = plan(change(["create", "delete"], {"alarm_name": name}, before={"alarm_name": "a", "id": "a"}))

    assert len([*takeovers(replaced, Sightings(), SHARD)]) == findings


def test_what_would_be_replaced_cannot_be_taken_over() -> None:
    replaced = change(
        ["delete", "create"],
        {"alarm_name": "a"},
        before={"alarm_name": "a", "id": "a"},
        importing={"id": "a"},
    )

    (finding,) = takeovers(plan(replaced), Sightings(), SHARD, adopted={f"{ALARM}.a"})

    assert "would replace it" in finding.what


def declaring(name: str, *topics: str) -> Shard:
    configuration = {"resource": {TOPIC: {one: {"name": one} for one in topics}}}
    return replace(shard(name), configuration=json.dumps(configuration).encode())


CORE, WEB = declaring("core", "alarms", "shared"), declaring("web", "shared")


@pytest.mark.parametrize("address", [f"{TOPIC}.alarms", f'{TOPIC}.alarms["eu"]'])
def test_an_address_that_one_chosen_stack_declares_can_be_adopted(address: str) -> None:
    refuse_unknown_adoptions({address}, (CORE, WEB))
    refuse_unknown_adoptions({f"{TOPIC}.shared"}, (WEB,))


@pytest.mark.parametrize(
    ("address", "said", "next_step"),
    [
        (
            f"{TOPIC}.alarm",
            f"core, web declare no such resource; the nearest is {TOPIC}.alarms",
            f"holdfast deploy --env {SHARD.environment} --stack core --adopt {TOPIC}.alarms",
        ),
        ("no address", "core, web declare no such resource", f"plan --env {SHARD.environment} --stack core"),
        (
            f"{TOPIC}.shared",
            "must mean one object, and core, web have that address",
            f"holdfast deploy --env {SHARD.environment} --stack core --adopt {TOPIC}.shared",
        ),
    ],
)
def test_an_address_that_names_nothing_or_several_objects_is_refused(
    address: str, said: str, next_step: str
) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_unknown_adoptions({address}, (CORE, WEB))

    assert said in refused.value.what
    assert next_step in str(refused.value.next_step)


def test_an_instance_that_a_block_does_not_have_is_refused_with_the_nearest() -> None:
    known = {f'{TOPIC}.t["a"]', f'{TOPIC}.t["b"]'}

    refuse_unknown_instance({f'{TOPIC}.t["a"]'}, known, SHARD)
    with pytest.raises(UsageError, match="the nearest is") as refused:
        refuse_unknown_instance({f"{TOPIC}.t[a]"}, known, SHARD)

    assert refused.value.next_step == (
        f"holdfast deploy --env {SHARD.environment} --stack core --adopt '{TOPIC}.t[\"a\"]'"
    )
