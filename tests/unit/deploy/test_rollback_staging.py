"""One configuration into two stages: deletes are put off, honestly."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.deploy.decisions.deferred_deletes import (
    NotPutOff,
    deleted_and_made,
    stage,
    stage_one_problems,
    stage_two,
    stage_two_problems,
)
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.references import Reference, declared, references
from holdfast_orchestrator.terraform.stateful_types import Protection

Config = dict[str, Any]


def topics(**blocks: Any) -> Config:
    return {"resource": {"aws_sns_topic": blocks}}


def deletes(*addresses: str, reason: str | None = "delete_because_no_resource_config") -> Config:
    return {
        "format_version": "1.2",
        "resource_changes": [
            {
                "address": address,
                "mode": "managed",
                "type": address.split(".")[-2],
                "name": "x",
                "change": {"actions": ["delete"], "before": {"id": address}, "after": None},
                "action_reason": reason,
            }
            for address in addresses
        ],
    }


def index(**ids: str) -> IdentityIndex:
    return index_state(
        {
            "resources": [
                {
                    "mode": "managed",
                    "type": "aws_sns_topic",
                    "name": name,
                    "instances": [{"attributes": {"id": value}}],
                }
                for name, value in ids.items()
            ]
        },
        protection=Protection(),
    )


def test_references_are_found_in_templates_and_bare_arguments_only() -> None:
    block = {
        "name": "${aws_vpc.v.id}-%{ if var.on }${local.x[0].y}%{ endif }",
        "depends_on": ["data.aws_region.r", "module.m"],
        "provider": "aws.west",
        "text": "aws_lb.not_me and $${aws_lb.nor_me.arn}",
        "nested": [{"value": '${join(",", [for k in aws_eip.e : k.id])}'}],
        "own": "${each.value} ${self.id} ${path.module}",
    }

    found = {str(reference) for reference in references(block)}

    assert {"aws_vpc.v", "var.on", "local.x", "data.aws_region.r", "module.m", "aws_eip.e"} <= found
    assert not {"aws_lb.not_me", "aws_lb.nor_me", "each.value", "self.id", "path.module"} & found


def test_a_removed_block_comes_back_frozen_with_all_it_refers_to() -> None:
    old = {
        **topics(gone={"name": "${local.name}", "tags": {"a": "${data.aws_region.r.name}"}}),
        "data": {"aws_region": {"r": {}}},
        "locals": {"name": "${var.prefix}-x", "unused": "u"},
        "variable": {"prefix": {"default": "p"}},
        "output": {"arn": {"value": "${aws_sns_topic.gone.arn}"}, "other": {"value": "${local.unused}"}},
    }
    new = topics(kept={})

    staging = stage(new, plan=deletes("aws_sns_topic.gone"), earlier=[old])

    assert staging.put_off == ("aws_sns_topic.gone",)
    assert staging.stage_one == {
        "resource": {
            "aws_sns_topic": {
                "kept": {},
                "gone": {
                    "name": "${local.name}",
                    "tags": {"a": "${data.aws_region.r.name}"},
                    "lifecycle": {"ignore_changes": "all"},
                },
            }
        },
        "data": {"aws_region": {"r": {}}},
        "locals": {"name": "${var.prefix}-x"},
        "variable": {"prefix": {"default": "p"}},
        "output": {"arn": {"value": "${aws_sns_topic.gone.arn}"}},
    }


def test_what_the_new_version_declares_too_is_taken_from_the_new_version() -> None:
    old = {**topics(gone={"name": "${local.name}"}), "locals": {"name": "old"}}
    new = {**topics(kept={}), "locals": {"name": "new"}}

    staging = stage(new, plan=deletes("aws_sns_topic.gone"), earlier=[old])

    assert staging.stage_one is not None
    assert staging.stage_one["locals"] == {"name": "new"}


def test_a_provider_only_the_old_version_has_comes_along_and_no_other() -> None:
    west, east = {"alias": "west", "region": "us-west-2"}, {"alias": "east", "region": "us-east-1"}
    old = {
        "resource": {"aws_sns_topic": {"gone": {"provider": "aws.west"}}},
        "provider": {"aws": [{"region": "eu-west-1"}, west, east]},
    }
    new = {**topics(kept={}), "provider": {"aws": [{"region": "eu-west-1"}]}}

    staging = stage(new, plan=deletes("aws_sns_topic.gone"), earlier=[old])

    assert staging.stage_one is not None
    assert staging.stage_one["provider"] == {"aws": [{"region": "eu-west-1"}, west]}


def test_lifecycle_keeps_nothing_that_could_replace_or_refuse() -> None:
    block = {
        "lifecycle": {"create_before_destroy": True, "prevent_destroy": True, "replace_triggered_by": ["a.b"]}
    }

    staging = stage(topics(), plan=deletes("aws_sns_topic.gone"), earlier=[topics(gone=block)])

    assert staging.stage_one is not None
    assert staging.stage_one["resource"]["aws_sns_topic"]["gone"]["lifecycle"] == {
        "create_before_destroy": True,
        "ignore_changes": "all",
    }


def test_the_earlier_failed_configuration_is_asked_before_the_last_good_one() -> None:
    failed, good = topics(gone={"name": "failed"}), topics(gone={"name": "good"})

    staging = stage(topics(), plan=deletes("aws_sns_topic.gone"), earlier=[failed, good])

    assert staging.stage_one is not None
    assert staging.stage_one["resource"]["aws_sns_topic"]["gone"]["name"] == "failed"


@pytest.mark.parametrize(
    ("plan", "old", "why"),
    [
        (
            deletes("aws_sns_topic.x[1]", reason="delete_because_count_index"),
            topics(x={"count": 2}),
            "instance of",
        ),
        (deletes("aws_sns_topic.unheard_of"), topics(), "no earlier configuration"),
        (
            deletes("module.m.aws_sns_topic.x", reason="delete_because_no_module"),
            {"module": {"m": {"source": "./modules/m"}}},
            "files are not kept",
        ),
        (
            deletes("aws_sns_topic.x"),
            {"resource": {"aws_sns_topic": {"x": {"name": "${aws_vpc.gone.id}"}}, "aws_vpc": {"gone": {}}}},
            "exists in neither",
        ),
    ],
)
def test_what_cannot_be_put_off_is_said(plan: Config, old: Config, why: str) -> None:
    staging = stage(topics(), plan=plan, earlier=[old])

    assert staging.stage_one is None
    assert len(staging.not_put_off) == 1
    assert why in staging.not_put_off[0].why


def test_a_block_that_depends_on_one_that_cannot_come_back_cannot_either() -> None:
    old = topics(a={"name": "${aws_sns_topic.b.id}"}, b={"name": "${aws_sns_topic.c.id}"}, c={})

    staging = stage(topics(), plan=deletes("aws_sns_topic.a", "aws_sns_topic.b"), earlier=[old])

    assert staging.stage_one is None
    assert {each.address for each in staging.not_put_off} == {"aws_sns_topic.a", "aws_sns_topic.b"}


def test_statements_about_a_block_that_is_back_are_left_out() -> None:
    new = {**topics(), "removed": [{"from": "aws_sns_topic.gone"}, {"from": "aws_sns_topic.other"}]}

    staging = stage(new, plan=deletes("aws_sns_topic.gone"), earlier=[topics(gone={})])

    assert staging.stage_one is not None
    assert staging.stage_one["removed"] == [{"from": "aws_sns_topic.other"}]


NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(old=NAMES, new=NAMES, links=st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")))
def test_every_delete_is_either_put_off_with_its_block_or_named(
    old: list[str], new: list[str], links: dict[str, str]
) -> None:
    def block(name: str) -> Config:
        return {"name": f"${{aws_sns_topic.{links[name]}.id}}"} if name in links else {"name": name}

    before, after = topics(**{name: block(name) for name in old}), topics(**{name: {} for name in new})
    gone = [f"aws_sns_topic.{name}" for name in old if name not in new]

    staging = stage(after, plan=deletes(*gone), earlier=[before])

    named = {each.address for each in staging.not_put_off}
    assert set(staging.put_off) | named == set(gone)
    assert not set(staging.put_off) & named
    present = declared(staging.stage_one or after)
    for address in staging.put_off:
        assert Reference("resource", "aws_sns_topic", address.split(".")[1]) in present
    assert declared(after).keys() <= present.keys()


def test_a_plan_of_stage_one_that_deletes_or_touches_what_waits_is_refused() -> None:
    plan = deletes("aws_sns_topic.other")
    plan["resource_changes"].append(
        {
            "address": "aws_sns_topic.gone",
            "mode": "managed",
            "type": "aws_sns_topic",
            "name": "gone",
            "change": {"actions": ["create"], "before": None, "after": {}},
        }
    )

    problems = stage_one_problems(plan, put_off=["aws_sns_topic.gone"])

    assert [problem.split()[0] for problem in problems] == ["aws_sns_topic.other", "aws_sns_topic.gone"]
    assert stage_one_problems(deletes("a.b"), put_off=[], accepted=["a.b"]) == ()


def test_stage_two_forgets_an_object_the_new_version_owns_under_another_address() -> None:
    new = {**topics(new={}), "removed": [{"from": "aws_sns_topic.old", "lifecycle": {"destroy": True}}]}

    second = stage_two(new, put_off=["aws_sns_topic.old"], state=index(old="t", new="t"))

    assert second.forgotten == ("aws_sns_topic.old",)
    assert second.configuration["removed"] == [{"from": "aws_sns_topic.old", "lifecycle": {"destroy": False}}]
    assert second.problems == ()


def log_groups(**regions: str | None) -> IdentityIndex:
    """Log groups of one name, by region (None: no ARN is known)."""
    groups = [
        {
            "mode": "managed",
            "type": "aws_cloudwatch_log_group",
            "name": name,
            "instances": [{"attributes": {"id": "/app", "arn": region and f"arn:aws:logs:{region}:1:x"}}],
        }
        for name, region in regions.items()
    ]
    return index_state({"resources": groups}, protection=Protection())


OLD_GROUP = "aws_cloudwatch_log_group.old"


def test_stage_two_deletes_a_namesake_in_another_region() -> None:
    state = log_groups(old="us-east-1", kept="eu-west-1")

    second = stage_two(topics(), put_off=[OLD_GROUP], state=state)

    assert (second.configuration, second.forgotten, second.problems) == (topics(), (), ())
    assert stage_two_problems(deletes(OLD_GROUP), put_off=[OLD_GROUP], forgotten=(), state=state) == ()


@pytest.mark.parametrize(
    "state",
    [
        log_groups(old="us-east-1", kept="us-east-1"),
        log_groups(old="us-east-1", kept="eu-west-1", other="us-east-1"),
        log_groups(old=None, kept="us-east-1"),
        log_groups(old="us-east-1", kept=None),
    ],
)
def test_stage_two_forgets_what_may_be_one_object_with_what_stays(state: IdentityIndex) -> None:
    second = stage_two(topics(), put_off=[OLD_GROUP], state=state)

    assert second.forgotten == (OLD_GROUP,)


@pytest.mark.parametrize(
    ("kind", "named", "other"),
    [
        (
            "aws_iam_role_policy_attachment",
            {"role": "r", "policy_arn": "p"},
            {"role": "r", "policy_arn": "q"},
        ),
        (
            "aws_cloudwatch_event_target",
            {"event_bus_name": None, "rule": "r", "target_id": "t"},
            {"event_bus_name": "other", "rule": "r", "target_id": "t"},
        ),
    ],
)
def test_an_object_with_a_random_id_is_told_by_what_names_it(
    kind: str, named: dict[str, Any], other: dict[str, Any]
) -> None:
    def state(new: dict[str, Any]) -> IdentityIndex:
        objects = {"old": {"id": "x-1", **named}, "new": {"id": "x-2", **new}}
        resources = [
            {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": attributes}]}
            for name, attributes in objects.items()
        ]
        return index_state({"resources": resources}, protection=Protection())

    old = f"{kind}.old"

    assert stage_two({}, put_off=[old], state=state(named)).forgotten == (old,)
    assert stage_two({}, put_off=[old], state=state(other)).forgotten == ()


@pytest.mark.parametrize(
    ("kind", "made", "not_put_off", "found"),
    [
        ("aws_sns_topic", {"name": "n"}, ['aws_sns_topic.t["old"]'], 1),
        ("aws_sns_topic", {"name": "other"}, ['aws_sns_topic.t["old"]'], 0),
        ("aws_sns_topic", {"name": "n"}, [], 0),
        # AWS itself refuses to make it while the old one is there.
        ("aws_ssm_parameter", {"name": "n"}, ['aws_ssm_parameter.t["old"]'], 0),
    ],
)
def test_an_instance_renamed_without_moved_would_destroy_what_its_new_name_gets(
    kind: str, made: dict[str, Any], not_put_off: list[str], found: int
) -> None:
    old, new = f'{kind}.t["old"]', f'{kind}.t["new"]'
    (gone,) = deletes(old)["resource_changes"]
    gone["type"], gone["change"]["before"] = kind, {"id": "x", "name": "n"}
    create = {"actions": ["create"], "before": None, "after": made}
    plan = {
        "format_version": "1.2",
        "resource_changes": [gone, {**gone, "address": new, "change": create}],
    }

    assert deleted_and_made(plan, not_put_off) == ((old, new),) * found


def test_stage_two_is_the_new_configuration_where_nothing_is_shared() -> None:
    second = stage_two(topics(new={}), put_off=["aws_sns_topic.old"], state=index(old="t", new="u"))

    assert (second.configuration, second.forgotten) == (topics(new={}), ())


def test_the_plan_of_stage_two_may_do_nothing_but_what_was_put_off() -> None:
    document, state = deletes("aws_sns_topic.old", "aws_sns_topic.new"), index(old="t", new="t")

    problems = stage_two_problems(document, put_off=["aws_sns_topic.old"], forgotten=(), state=state)

    assert len(problems) == 2
    assert "same object" in problems[0]
    assert "was not put off" in problems[1]


def test_the_plan_of_stage_two_may_forget_what_was_said_and_nothing_else() -> None:
    document = deletes("aws_sns_topic.old", "aws_sns_topic.other", "aws_sns_topic.updated")
    for entry, action in zip(document["resource_changes"], ["forget", "forget", "update"], strict=True):
        entry["change"]["actions"] = [action]
    forgotten = ["aws_sns_topic.old", "aws_sns_topic.updated"]

    problems = stage_two_problems(document, put_off=forgotten, forgotten=forgotten, state=index())

    assert [problem.split()[0] for problem in problems] == ["aws_sns_topic.other", "aws_sns_topic.updated"]


def test_sections_may_be_lists_of_objects() -> None:
    new = {
        "resource": [{"aws_sns_topic": {"a": {}}}, {"aws_sns_topic": {"b": {}}}],
        "locals": [{"x": 1}, {"y": 2}],
    }
    old = {"resource": [{"aws_sns_topic": [{"gone": {"name": "${local.z}"}}]}], "locals": [{"z": 3}]}

    staging = stage(new, plan=deletes("aws_sns_topic.gone"), earlier=[old])

    assert staging.stage_one is not None
    assert set(staging.stage_one["resource"]["aws_sns_topic"]) == {"a", "b", "gone"}
    assert staging.stage_one["locals"] == {"x": 1, "y": 2, "z": 3}


def test_nothing_to_put_off_makes_one_stage() -> None:
    staging = stage(topics(), plan=deletes(), earlier=[])

    assert staging.stage_one is None
    assert staging.not_put_off == tuple[NotPutOff, ...]()
