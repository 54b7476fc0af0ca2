"""How far an apply came, from its events."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.deploy.decisions.apply_progress import (
    ApplyStep,
    Phase,
    Step,
    measure,
    planned_steps,
    settle,
)
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, index_state
from holdfast_orchestrator.terraform.plan import read_plan
from holdfast_orchestrator.terraform.stateful_types import Protection


def event(phase: Phase, action: str, name: str, id_value: str | None = None) -> ApplyStep:
    return ApplyStep(address=f"aws_sns_topic.{name}", action=action, phase=phase, id_value=id_value)


def made(name: str, id_value: str) -> list[ApplyStep]:
    return [event("start", "create", name), event("complete", "create", name, id_value)]


def destroyed(name: str, id_value: str) -> list[ApplyStep]:
    return [event("start", "delete", name, id_value), event("complete", "delete", name)]


def step(action: str, name: str, id_value: str | None = None) -> Step:
    return Step(address=f"aws_sns_topic.{name}", action=action, id_value=id_value)


def index(**ids: str) -> IdentityIndex:
    resources = [
        {
            "mode": "managed",
            "type": "aws_sns_topic",
            "name": name,
            "instances": [{"attributes": {"id": value}}],
        }
        for name, value in ids.items()
    ]
    return index_state({"resources": resources}, protection=Protection())


def test_every_step_is_done_unfinished_or_not_started() -> None:
    planned = [step("create", name) for name in "abc"] + [step("update", "d"), step("delete", "e")]
    events = [
        *made("a", "1"),
        event("start", "create", "b"),
        event("start", "update", "d"),
        event("errored", "update", "d"),
    ]

    progress = measure(planned, events)

    assert progress.done == (step("create", "a", "1"),)
    assert {found.address[-1] for found in progress.unfinished} == {"b", "d"}
    assert progress.doubt == (step("create", "b"),)
    assert progress.not_started == (step("create", "c"), step("delete", "e"))


def test_a_create_that_errored_is_in_doubt() -> None:
    progress = measure([], [event("start", "create", "a"), event("errored", "create", "a")])

    assert progress.doubt == (step("create", "a"),)


def test_the_id_of_a_deleted_object_comes_from_the_start() -> None:
    progress = measure([], destroyed("a", "1"))

    assert progress.destroyed() == {("aws_sns_topic", "1")}
    assert progress.gone() == {("aws_sns_topic", "1")}


def test_a_namesake_made_after_the_delete_is_not_gone_but_the_old_one_was_destroyed() -> None:
    progress = measure([], [*destroyed("a", "1"), *made("a", "1")])

    assert progress.destroyed() == {("aws_sns_topic", "1")}
    assert progress.gone() == frozenset()


def test_a_delete_of_a_deposed_object_that_failed_without_an_event_is_unfinished() -> None:
    progress = measure([], [*made("a", "2"), event("start", "delete", "a", "1")])

    assert progress.unfinished == (step("delete", "a", "1"),)
    assert progress.doubt == ()


def test_a_completion_whose_start_was_lost_counts() -> None:
    progress = measure([step("create", "a")], [event("complete", "create", "a", "1")])

    assert progress.created() == (step("create", "a", "1"),)
    assert progress.not_started == ()


def test_a_replacement_is_a_delete_and_a_create() -> None:
    entry = {
        "address": "aws_sns_topic.a",
        "mode": "managed",
        "type": "aws_sns_topic",
        "name": "a",
        "change": {"actions": ["create", "delete"], "before": {"id": "1"}, "after": {}},
    }

    steps = planned_steps(read_plan({"format_version": "1.2", "resource_changes": [entry]}))

    assert steps == (step("delete", "a", "1"), step("create", "a"))


def test_a_create_the_state_does_not_know_is_unsaved() -> None:
    progress = measure([], [*made("a", "1"), *made("b", "2")])

    settled = settle(progress, before=IdentityIndex(), now=index(a="1"))

    assert settled.unsaved == (step("create", "b", "2"),)
    assert settled.created == {Identity("aws_sns_topic", "1")}


def test_an_object_whose_event_had_no_id_is_known_by_its_address() -> None:
    progress = measure([], [event("start", "create", "a"), event("complete", "create", "a")])

    there = settle(progress, before=IdentityIndex(), now=index(a="1"))
    missing = settle(progress, before=IdentityIndex(), now=index(b="1"))

    assert there.unsaved == ()
    assert there.created == {Identity("aws_sns_topic", "1")}
    assert missing.unsaved == (step("create", "a"),)


def test_an_object_under_our_address_with_another_id_is_not_ours() -> None:
    settled = settle(measure([], made("a", "1")), before=IdentityIndex(), now=index(a="theirs"))

    assert settled.created == frozenset()
    assert settled.unsaved == (step("create", "a", "1"),)


def test_a_create_that_was_destroyed_again_is_not_unsaved() -> None:
    progress = measure([], [*made("a", "1"), *destroyed("a", "1")])

    assert settle(progress, before=IdentityIndex(), now=index()).unsaved == ()


def test_a_create_in_doubt_that_the_state_has_is_not_in_doubt() -> None:
    progress = measure([], [event("start", "create", "a"), event("errored", "create", "a")])

    settled = settle(progress, before=IdentityIndex(), now=index(a="1"))

    assert settled.in_doubt == ()
    assert settled.created == {Identity("aws_sns_topic", "1")}


def test_an_object_another_run_wrote_into_the_state_is_not_ours() -> None:
    settled = settle(measure([], made("a", "1")), before=IdentityIndex(), now=index(a="1", theirs="2"))

    assert settled.created == {Identity("aws_sns_topic", "1")}


def test_an_imported_object_is_not_created() -> None:
    settled = settle(
        measure([], made("a", "1")), before=IdentityIndex(), now=index(a="1"), imported=["aws_sns_topic.a"]
    )

    assert settled.created == frozenset()


def test_a_second_address_of_an_object_that_was_there_before_is_not_created() -> None:
    settled = settle(measure([], made("new", "1")), before=index(old="1"), now=index(old="1", new="1"))

    assert settled.created == frozenset()


def test_a_namesake_is_created_when_this_run_destroyed_the_object_before_it() -> None:
    progress = measure([], [*destroyed("a", "1"), *made("a", "1")])

    settled = settle(progress, before=index(a="1"), now=index(a="1"))

    assert settled.created == {Identity("aws_sns_topic", "1")}


EVENTS: Any = st.lists(
    st.builds(
        ApplyStep,
        address=st.sampled_from(["aws_sns_topic.a", "aws_sns_topic.b"]),
        action=st.sampled_from(["create", "update", "delete"]),
        phase=st.sampled_from(["start", "complete", "errored"]),
        id_value=st.none() | st.sampled_from(["1", "2"]),
    ),
    max_size=12,
)


@given(EVENTS)
def test_no_event_is_lost_or_counted_twice(events: list[ApplyStep]) -> None:
    progress = measure([], events)

    ended = sum(found.phase != "start" for found in events)
    assert len(progress.done) == sum(found.phase == "complete" for found in events)
    assert ended <= len(progress.done) + len(progress.unfinished) <= len(events)
    assert progress.gone() <= progress.destroyed()


@given(EVENTS, st.integers(0, 12))
def test_an_event_file_cut_short_tells_the_same_about_what_it_has(events: list[ApplyStep], cut: int) -> None:
    whole, part = measure([], events), measure([], events[:cut])

    assert part.done == whole.done[: len(part.done)]
