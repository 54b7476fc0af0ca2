"""What may go on differing after an apply: one attribute, updated in place, that somebody accepted."""

import json
from datetime import date
from typing import Any

import pytest

from holdfast_orchestrator.deploy.decisions.verification import ObjectsOfRun, judge_verify
from holdfast_orchestrator.terraform.accepted import AcceptedDifference, format_path, parse_path
from holdfast_orchestrator.terraform.differences import Accepting, judge_differences
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.plan import read_plan

TODAY = date(2026, 11, 30)


def entry(attribute: str, resource: str = "aws_ssm_parameter.p", **more: Any) -> AcceptedDifference:
    return AcceptedDifference(resource=resource, attribute=attribute, reason="r", owner="o", **more)


def change(
    before: Any, after: Any, unknown: Any = None, *, address: str = "aws_ssm_parameter.p", **more: Any
) -> dict[str, Any]:
    actions = more.pop("actions", ["update"])
    return {
        "address": address,
        "mode": "managed",
        "type": "aws_ssm_parameter",
        "change": {
            "actions": actions,
            "before": before,
            "after": after,
            "after_unknown": unknown or {},
            **more.pop("change", {}),
        },
        **more,
    }


def judged(
    one: dict[str, Any], *entries: AcceptedDifference, today: date | None = TODAY, tags: Any = None
) -> Any:
    plan = {"format_version": "1.2", "resource_changes": [one]}
    configuration = {"resource": {"aws_ssm_parameter": {"p": {"tags": tags}}}}
    return judge_differences(read_plan(plan), Accepting(entries, today, configuration))


def is_accepted(one: dict[str, Any], *entries: AcceptedDifference) -> bool:
    found = judged(one, *entries)
    return bool(found.accepted) and not found.open and not found.expired


@pytest.mark.parametrize(
    ("before", "after", "unknown", "attribute"),
    [
        (
            {"tags": {"stamp": "1", "a": "b"}},
            {"tags": {"a": "b"}},
            {"tags": {"stamp": True}},
            'tags["stamp"]',
        ),
        ({"tags": {"stamp": "1"}}, {"tags": {"stamp": "2"}}, None, "tags.stamp"),
        ({"tags": {"a.b/c": "1"}}, {"tags": {"a.b/c": "2"}}, None, 'tags["a.b/c"]'),
        ({"policy": "{}"}, {"policy": '{"a": 1}'}, None, "policy"),
        ({"ingress": [{"d": "x", "p": 1}]}, {"ingress": [{"d": "y", "p": 1}]}, None, "ingress[*].d"),
        ({"ingress": [{"d": "x", "p": 1}]}, {"ingress": [{"d": "y", "p": 1}]}, None, "ingress[0].d"),
        ({"cidrs": ["a", "b"]}, {"cidrs": ["b", "a"]}, None, "cidrs"),
        ({"cidrs": ["a", "b"]}, {"cidrs": ["a"]}, None, "cidrs"),
        ({"list": None}, {"list": ["a"]}, None, "list"),
        ({"value": "x"}, {}, {"value": True}, "value"),
        ({"rule": [{"id": "x"}]}, {"rule": [{}]}, {"rule": [{"id": True}]}, "rule[0].id"),
    ],
)
def test_one_attribute_is_accepted_and_nothing_beside_it(
    before: dict[str, Any], after: dict[str, Any], unknown: Any, attribute: str
) -> None:
    alone = change({"id": "p", **before}, {"id": "p", **after}, unknown)
    beside = change({"id": "p", "other": 1, **before}, {"id": "p", "other": 2, **after}, unknown)

    assert is_accepted(alone, entry(attribute))
    assert not is_accepted(alone, entry("elsewhere"))
    assert not is_accepted(alone, entry(attribute, "aws_ssm_parameter.q"))
    (left,) = judged(beside, entry(attribute)).open
    assert left.attributes == ("other",)


def test_another_key_of_the_map_and_another_element_of_the_list_are_not_accepted() -> None:
    tags = change({"tags": {"stamp": "1", "team": "a"}}, {"tags": {"stamp": "2", "team": "b"}})
    rules = change({"r": [{"d": "x", "p": 1}]}, {"r": [{"d": "y", "p": 2}]})

    assert judged(tags, entry("tags.stamp")).open[0].attributes == ("tags.team",)
    assert judged(rules, entry("r[*].d")).open[0].attributes == ("r[0].p",)
    assert is_accepted(tags, entry("tags"))


@pytest.mark.parametrize(
    "actions", [["create"], ["delete"], ["delete", "create"], ["create", "delete"], ["forget"]]
)
def test_nothing_but_an_update_in_place_is_accepted(actions: list[str]) -> None:
    before = None if actions == ["create"] else {"value": "1"}
    after = None if actions in (["delete"], ["forget"]) else {"value": "2"}

    assert not is_accepted(change(before, after, actions=actions), entry("value"))


def test_a_move_an_import_and_a_deposed_object_are_not_accepted() -> None:
    one, other = {"value": "1"}, {"value": "2"}

    assert not is_accepted(change(one, other, previous_address="aws_ssm_parameter.q"), entry("value"))
    assert not is_accepted(change(one, other, change={"importing": {"id": "x"}}), entry("value"))
    assert not is_accepted(change(one, other, deposed="abcd"), entry("value"))


def test_what_changes_no_value_is_not_accepted() -> None:
    assert not is_accepted(change({"value": "1"}, {"value": "1"}), entry("value"))


def test_a_tag_is_accepted_where_the_provider_repeats_it() -> None:
    before = {"tags": {"stamp": "1"}, "tags_all": {"stamp": "1", "team": "a"}}
    known = change(before, {"tags": {"stamp": "2"}, "tags_all": {"stamp": "2", "team": "a"}})
    unknown = change(before, {"tags": {}}, {"tags": {"stamp": True}, "tags_all": True})
    default = change(before, {"tags": {"stamp": "2"}, "tags_all": {"stamp": "2", "team": "b"}})
    only_default = change(before, {"tags": {"stamp": "1"}}, {"tags_all": True})

    assert is_accepted(known, entry("tags.stamp"))
    assert is_accepted(unknown, entry("tags.stamp"))
    assert judged(default, entry("tags.stamp")).open[0].attributes == ("tags_all.team",)
    assert not is_accepted(only_default, entry("tags.stamp"))


@pytest.mark.parametrize(
    ("tags", "left"),
    [
        ({"stamp": "${timestamp()}", "team": "a"}, []),
        ({"stamp": "${timestamp()}", "team": "b"}, ["tags.team"]),
        ({"stamp": "${timestamp()}"}, ["tags.team"]),
        ({"stamp": "${timestamp()}", "team": "a", "new": "x"}, ["tags.new"]),
        ({"stamp": "${timestamp()}", "team": "${each.key}"}, ["tags.team"]),
        ({"stamp": "then", "team": "a"}, ["tags"]),
        ("${local.tags}", ["tags"]),
        (None, ["tags"]),
    ],
)
def test_a_map_that_is_unknown_as_a_whole_is_told_apart_by_what_is_written(
    tags: Any, left: list[str]
) -> None:
    before = {"tags": {"stamp": "1", "team": "a"}, "tags_all": {"stamp": "1", "team": "a"}}
    one = change(before, {}, {"tags": True, "tags_all": True})

    found = judged(one, entry("tags.stamp"), tags=tags)

    assert [path for each in found.open for path in each.attributes if path != "tags_all"] == left
    assert bool(found.open) == bool(left)


def test_the_same_json_in_another_order_is_told_from_another_policy() -> None:
    policy = {"Statement": [{"Action": ["a", "b"], "Effect": "Allow"}, {"Action": "c"}]}
    turned = {"Statement": [{"Action": "c"}, {"Effect": "Allow", "Action": ["b", "a"]}]}
    wider = {"Statement": [{"Action": "*"}, {"Effect": "Allow", "Action": ["b", "a"]}]}
    same = entry("policy", same="json")

    assert is_accepted(change({"policy": json.dumps(policy)}, {"policy": json.dumps(turned)}), same)
    assert not is_accepted(change({"policy": json.dumps(policy)}, {"policy": json.dumps(wider)}), same)
    assert not is_accepted(change({"policy": "x"}, {"policy": "y"}), same)
    assert not is_accepted(change({"policy": "{}"}, {}, {"policy": True}), same)


def test_an_address_means_its_instances_and_a_star_any_part_of_it() -> None:
    instance = change({"v": 1}, {"v": 2}, address='module.m["a"].aws_ssm_parameter.each["x.y"]')

    for resource in (
        'module.m["a"].aws_ssm_parameter.each["x.y"]',
        "module.m.aws_ssm_parameter.each",
        "*.aws_ssm_parameter.each",
        "*",
    ):
        assert is_accepted(instance, entry("v", resource)), resource
    for resource in ("aws_ssm_parameter.each", 'module.m["b"].aws_ssm_parameter.each["x.y"]', "module.m.*.e"):
        assert not is_accepted(instance, entry("v", resource)), resource


def test_an_entry_counts_until_its_last_day_is_over_and_unused_ones_are_named() -> None:
    one = change({"v": 1}, {"v": 2})
    last_day, over, unused = entry("v", expires="2026-11-30"), entry("v", expires="2026-11-29"), entry("w")

    assert is_accepted(one, last_day)
    assert [use.expires for use in judged(one, over).expired] == ["2026-11-29"]
    assert judged(one, over, today=None).accepted
    assert judged(one, last_day, unused).unused == (unused,)


def test_the_mark_tells_differences_apart_but_not_what_an_unknown_value_was() -> None:
    stamp = entry("v")
    first = judged(change({"v": "1"}, {}, {"v": True}), stamp).mark

    assert judged(change({"v": "2"}, {}, {"v": True}), stamp).mark == first
    assert judged(change({"v": "1"}, {"v": "3"}), stamp).mark != first
    drifted = judged(change({"v": "4"}, {"v": "3"}), stamp).mark
    assert drifted != judged(change({"v": "1"}, {"v": "3"}), stamp).mark


def test_a_verify_is_proven_by_what_is_accepted_and_not_by_what_was_lost() -> None:
    plan = {"format_version": "1.2", "resource_changes": [change({"v": 1}, {"v": 2})]}
    empty = ObjectsOfRun(before=IdentityIndex(), now=IdentityIndex())

    plain = judge_verify(plan, empty, baseline=None)
    named = judge_verify(plan, empty, baseline=None, accepted=Accepting((entry("v"),), TODAY))
    broken = judge_verify(
        {**plan, "errored": True}, empty, baseline=None, accepted=Accepting((entry("v"),), TODAY)
    )

    assert (plain.plan, plain.proven) == ("changes", False)
    assert (named.plan, named.proven, named.differing) == ("accepted", True, ())
    assert (broken.plan, broken.proven) == ("unreadable", False)


@pytest.mark.parametrize("text", ["a", "tags.b", 'tags["a.b"]', "a[0].b[*].c", 'a["x\\"y"]', "a[*]"])
def test_a_path_is_read_as_it_is_written(text: str) -> None:
    assert parse_path(format_path(parse_path(text))) == parse_path(text)


@pytest.mark.parametrize("text", ["", "*", "[0]", "a.", "a[", "a[b]", "a b", "a..b", 'a["x]', "1a"])
def test_a_path_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="attribute path"):
        parse_path(text)
