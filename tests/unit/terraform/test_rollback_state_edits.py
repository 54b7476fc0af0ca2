"""Edits of a state that no configuration can express."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.state_edits import (
    Deposed,
    Move,
    deposed_to_swap,
    forget_in_state,
    move_in_state,
    swap_deposed,
)
from holdfast_orchestrator.terraform.stateful_types import Protection


def instance(value: str, **fields: Any) -> dict[str, Any]:
    return {"schema_version": 0, "attributes": {"id": value}, **fields}


def resource(name: str, *instances: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        **fields,
        "mode": "managed",
        "type": "aws_sqs_queue",
        "name": name,
        "provider": "p",
        "instances": list(instances),
    }


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 4, "serial": 7, "lineage": "L", "outputs": {}, "resources": list(resources)}


def index(document: dict[str, Any]) -> IdentityIndex:
    return index_state(document, protection=Protection())


def places(document: dict[str, Any]) -> dict[str, str | None]:
    return {known.address: known.id for known in index(document) if known.deposed is None}


def ids(document: dict[str, Any]) -> list[str]:
    return sorted(known.id or "" for known in index(document))


DEPOSED = state(resource("a", instance("new"), instance("old", deposed="k")))


def test_a_deposed_object_of_the_last_good_version_is_found() -> None:
    last_good = index(state(resource("a", instance("old"))))

    assert deposed_to_swap(DEPOSED, last_good) == (Deposed("aws_sqs_queue.a", "k"),)
    assert deposed_to_swap(DEPOSED, index(state())) == ()


def test_a_swap_makes_the_old_object_current_and_the_new_one_deposed() -> None:
    swapped = swap_deposed(DEPOSED, [Deposed("aws_sqs_queue.a", "k")])

    assert swapped["resources"] == [resource("a", instance("old"), instance("new", deposed="k"))]
    assert (swapped["serial"], swapped["lineage"]) == (8, "L")
    assert DEPOSED["serial"] == 7


def test_a_deposed_object_without_a_current_one_becomes_current() -> None:
    swapped = swap_deposed(
        state(resource("a", instance("old", deposed="k"))), [Deposed("aws_sqs_queue.a", "k")]
    )

    assert swapped["resources"] == [resource("a", instance("old"))]


def test_a_tainted_new_object_stays_tainted_when_it_is_deposed() -> None:
    tainted = state(resource("a", instance("new", status="tainted"), instance("old", deposed="k")))

    swapped = swap_deposed(tainted, [Deposed("aws_sqs_queue.a", "k")])

    assert swapped["resources"][0]["instances"][1] == instance("new", status="tainted", deposed="k")


def test_a_swap_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(HoldfastError, match="no deposed object"):
        swap_deposed(DEPOSED, [Deposed("aws_sqs_queue.a", "other")])


INSTANCES = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=6)


@given(INSTANCES, st.data())
def test_swapping_twice_changes_nothing_but_the_serial(
    objects: list[tuple[str, bool]], data: st.DataObject
) -> None:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for number, (name, old) in enumerate(objects):
        here = by_name.setdefault(name, [])
        current = any("deposed" not in each for each in here)
        here.append(instance(str(number), **({"deposed": f"k{number}"} if old or current else {})))
    document = state(*(resource(name, *instances) for name, instances in by_name.items()))
    with_both = [known for known in index(document) if known.deposed and known.address in places(document)]
    if not with_both:
        return
    chosen = data.draw(st.sampled_from(with_both))
    swap = Deposed(chosen.address, chosen.deposed or "")

    once = swap_deposed(document, [swap])
    twice = swap_deposed(once, [swap])

    assert {**twice, "serial": 7} == document
    assert places(once)[chosen.address] == chosen.id
    assert ids(once) == ids(document)


def test_a_move_takes_an_object_to_another_address_module_or_key() -> None:
    document = state(resource("a", instance("1"), instance("2", index_key=0)), resource("c", instance("3")))

    moved = move_in_state(
        document,
        [
            Move("aws_sqs_queue.a[0]", 'module.m.aws_sqs_queue.b["x"]'),
            Move("aws_sqs_queue.c", "aws_sqs_queue.d"),
        ],
    )

    assert places(moved) == {
        "aws_sqs_queue.a": "1",
        'module.m.aws_sqs_queue.b["x"]': "2",
        "aws_sqs_queue.d": "3",
    }
    assert moved["serial"] == 8


def test_deposed_objects_go_along_with_their_address() -> None:
    moved = move_in_state(DEPOSED, [Move("aws_sqs_queue.a", "aws_sqs_queue.b")])

    assert {known.address for known in index(moved)} == {"aws_sqs_queue.b"}
    assert ids(moved) == ["new", "old"]


@pytest.mark.parametrize(
    "move",
    [
        Move("aws_sqs_queue.missing", "aws_sqs_queue.x"),
        Move("aws_sqs_queue.a", "aws_sqs_queue.b"),
        Move("aws_sqs_queue.a", "aws_sns_topic.a"),
        Move("aws_sqs_queue.a", "nonsense"),
    ],
)
def test_a_move_that_does_not_fit_is_refused(move: Move) -> None:
    document = state(resource("a", instance("1")), resource("b", instance("2")))

    with pytest.raises(HoldfastError):
        move_in_state(document, [move])


@given(st.permutations("abcd"))
def test_any_exchange_of_places_loses_nothing_and_its_inverse_takes_it_back(order: list[str]) -> None:
    document = state(*(resource(name, instance(name)) for name in "abcd"))
    moves = [
        Move(f"aws_sqs_queue.{source}", f"aws_sqs_queue.{target}")
        for source, target in zip("abcd", order, strict=True)
    ]

    there = move_in_state(document, moves)
    back = move_in_state(there, [Move(move.target, move.source) for move in moves])

    assert places(there) == {
        f"aws_sqs_queue.{target}": source for source, target in zip("abcd", order, strict=True)
    }
    assert places(back) == places(document)


def test_data_sources_and_untouched_resources_stay_as_they_are() -> None:
    source = {**resource("d", instance("0")), "mode": "data"}
    kept = resource("k", instance("1"), each="list")

    moved = move_in_state(
        state(source, kept, resource("a", instance("2"))), [Move("aws_sqs_queue.a", "aws_sqs_queue.b")]
    )

    assert moved["resources"][:2] == [source, kept]


def test_forgetting_takes_one_instance_out_and_no_other() -> None:
    document = state(resource("a", instance("1", index_key=0), instance("2", index_key=1)))

    assert places(forget_in_state(document, ["aws_sqs_queue.a[1]"])) == {"aws_sqs_queue.a[0]": "1"}
    assert forget_in_state(document, [f"aws_sqs_queue.a[{key}]" for key in (0, 1)])["resources"] == []


def test_forgetting_what_is_not_there_is_refused() -> None:
    with pytest.raises(HoldfastError, match="nothing at"):
        forget_in_state(state(), ["aws_sqs_queue.a"])
