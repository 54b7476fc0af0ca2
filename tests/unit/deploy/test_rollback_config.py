"""The configuration to go back to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.deploy.decisions.configuration import (
    Pin,
    RollbackNeeds,
    build_rollback,
    changed_pins,
    empty_like,
    inverse_moves,
    to_forget,
)
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, index_state
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.provider_blocks import union_providers
from holdfast_orchestrator.terraform.state_edits import Move
from holdfast_orchestrator.terraform.stateful_types import Protection

Config = dict[str, Any]


def index(**ids: str) -> IdentityIndex:
    """Queues by name and id; a name may end in a key as in `a__0`."""
    resources = []
    for name, value in ids.items():
        plain, _, key = name.partition("__")
        instance: Config = {"attributes": {"id": value}}
        if key:
            instance["index_key"] = int(key)
        resources.append({"mode": "managed", "type": "aws_sqs_queue", "name": plain, "instances": [instance]})
    return index_state({"resources": resources}, protection=Protection())


def queues(*names: str, **sections: Any) -> Config:
    return {"resource": {"aws_sqs_queue": {name: {} for name in names}}, **sections}


def queue(name: str) -> str:
    return f"aws_sqs_queue.{name}"


def requires(version: str, source: str = "hashicorp/aws") -> Config:
    return {"required_providers": {"aws": {"source": source, "version": version}}}


def test_provider_blocks_only_the_failed_version_has_are_added() -> None:
    base, west = {"region": "eu-west-1"}, {"alias": "west", "region": "us-west-2"}
    good = {"provider": {"aws": [base]}, "terraform": requires("5.99.0")}
    failed = {
        "provider": {"aws": [{"region": "changed"}, west], "random": [{}]},
        "terraform": {"required_providers": {**requires("5.100.0")["required_providers"], "random": "3.1.0"}},
    }

    united = union_providers(good, failed)

    assert united.configuration["provider"] == {"aws": [base, west], "random": [{}]}
    assert united.configuration["terraform"]["required_providers"] == {
        "aws": {"source": "hashicorp/aws", "version": "5.100.0"},
        "random": {"version": "3.1.0"},
    }
    assert united.added == ("aws.west", "random")
    assert united.problems == ()


def test_the_last_good_provider_version_stays_where_it_is_the_newer() -> None:
    united = union_providers({"terraform": requires("~> 5.100")}, {"terraform": requires("5.99.1")})

    assert united.configuration["terraform"] == requires("~> 5.100")


def test_two_providers_under_one_name_are_a_problem() -> None:
    united = union_providers({"terraform": requires("1.0.0")}, {"terraform": requires("1.0.0", "acme/aws")})

    assert len(united.problems) == 1


def test_nothing_of_the_inputs_is_changed() -> None:
    good: Config = {"provider": {"aws": [{}]}}
    failed: Config = {"provider": {"aws": [{"alias": "a"}]}}

    united = union_providers(good, failed)

    assert united.configuration["provider"]["aws"] == [{}, {"alias": "a"}]
    assert good == {"provider": {"aws": [{}]}}
    assert failed == {"provider": {"aws": [{"alias": "a"}]}}


def test_each_object_at_another_address_gets_its_inverse_move() -> None:
    moves = inverse_moves(index(a="1", b="2", gone="3"), index(a="1", c="2", new="4"))

    assert moves == (Move(queue("c"), queue("b")),)


def test_an_object_at_its_own_and_a_second_address_is_not_moved() -> None:
    assert inverse_moves(index(a="1"), index(b="1", a="1")) == ()


def test_of_two_new_addresses_of_one_object_one_goes_back_and_the_other_is_forgotten() -> None:
    last_good, now = index(a="1"), index(b="1", c="1")

    forget = to_forget(now, last_good, imported=(), created=(), keep_created=False)

    assert inverse_moves(last_good, now) == (Move(queue("b"), queue("a")),)
    assert forget == (queue("c"),)


def test_of_two_objects_with_one_id_the_one_that_was_moved_goes_back_and_the_other_stays() -> None:
    last_good, now = index(a="name", b="name"), index(a="name", c="name")

    assert inverse_moves(last_good, now) == (Move(queue("c"), queue("b")),)
    assert to_forget(now, last_good, imported=(), created=(), keep_created=False) == ()


IDS = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e__0", "e__1"]), st.sampled_from("123"))


@given(IDS)
def test_a_state_that_is_as_it_was_asks_for_no_move_and_no_forget(ids: dict[str, str]) -> None:
    known = index(**ids)

    assert inverse_moves(known, known) == ()
    assert to_forget(known, known, imported=(), created=(), keep_created=False) == ()


@given(IDS, IDS)
def test_each_address_of_a_known_object_is_its_own_or_goes_back_or_is_forgotten(
    before: dict[str, str], after: dict[str, str]
) -> None:
    last_good, now = index(**before), index(**after)

    moves = inverse_moves(last_good, now)
    forget = to_forget(now, last_good, imported=(), created=(), keep_created=False)

    kept = [known.address for known in last_good if known.address in now.by_address]
    at_home = [each for each in kept if now.by_address[each].identity == last_good.by_address[each].identity]
    sources = [move.source for move in moves]
    assert sorted([*at_home, *sources, *forget]) == sorted(
        known.address for known in now if known.identity in last_good
    )
    assert len({move.target for move in moves}) == len(moves)
    assert not {move.target for move in moves} & set(at_home)
    for move in moves:
        assert now.by_address[move.source].identity == last_good.by_address[move.target].identity


def test_moves_and_forgets_are_written_and_finished_statements_left_out() -> None:
    good = queues(
        "a",
        moved=[{"from": queue("x"), "to": queue("a")}],
        **{"import": [{"to": queue("a"), "id": "1"}]},
        removed=[{"from": queue("long_gone")}, {"from": queue("b")}],
    )
    needs = RollbackNeeds(moves=(Move(queue("b"), queue("a")),), forget=(queue("i"),))

    built = build_rollback(good, queues("b", "i"), needs=needs, state=index(b="1", i="2"))

    assert built.configuration["moved"] == [{"from": queue("b"), "to": queue("a")}]
    assert "import" not in built.configuration
    assert built.configuration["removed"] == [
        {"from": queue("b")},
        {"from": queue("i"), "lifecycle": {"destroy": False}},
    ]
    assert (built.state_moves, built.state_forgets, built.problems) == ((), (), ())


def test_a_move_from_a_declared_address_becomes_a_state_edit_with_all_it_touches() -> None:
    needs = RollbackNeeds(
        moves=(
            Move(queue("a"), queue("b")),
            Move(queue("b"), queue("c")),
            Move(queue("y"), queue("z")),
        )
    )

    built = build_rollback(
        queues("b", "c", "z"), queues("a", "b"), needs=needs, state=index(a="1", b="2", y="3")
    )

    assert set(built.state_moves) == {Move(queue("a"), queue("b")), Move(queue("b"), queue("c"))}
    assert built.configuration["moved"] == [{"from": queue("y"), "to": queue("z")}]


def test_a_new_object_at_the_old_address_changes_places_with_the_old_one() -> None:
    needs = RollbackNeeds(moves=(Move(queue("b"), queue("a")),))

    built = build_rollback(queues("a"), queues("a", "b"), needs=needs, state=index(a="new", b="old"))

    assert set(built.state_moves) == {Move(queue("b"), queue("a")), Move(queue("a"), queue("b"))}
    assert "moved" not in built.configuration


def test_single_instances_are_forgotten_in_the_state() -> None:
    needs = RollbackNeeds(forget=(queue("a[1]"), queue("b[0]")))

    built = build_rollback(
        queues("a"), queues("a", "b"), needs=needs, state=index(a__0="1", a__1="2", b__0="3")
    )

    assert built.state_forgets == (queue("a[1]"),)
    assert built.configuration["removed"] == [{"from": queue("b"), "lifecycle": {"destroy": False}}]


def test_forgetting_what_the_last_good_version_declares_is_a_contradiction() -> None:
    built = build_rollback(
        queues("a"), queues("a"), needs=RollbackNeeds(forget=(queue("a"),)), state=index(a="1")
    )

    assert len(built.problems) == 1
    assert "removed" not in built.configuration


def test_what_the_failed_run_forgot_is_imported_again() -> None:
    needs = RollbackNeeds(import_again=(ImportBlock(queue("a"), "1"),))

    built = build_rollback(queues("a"), queues(), needs=needs, state=index())

    assert built.configuration["import"] == [{"to": queue("a"), "id": "1"}]


def test_a_state_that_changed_its_place_is_a_problem() -> None:
    here, there = (
        {"terraform": {"backend": {"s3": {"key": "a"}}}},
        {"terraform": {"backend": {"s3": {"key": "b"}}}},
    )

    assert build_rollback(here, there, needs=RollbackNeeds(), state=index()).problems != ()
    assert build_rollback(here, here, needs=RollbackNeeds(), state=index()).problems == ()


def test_the_rollback_of_a_first_deploy_has_settings_and_no_resources() -> None:
    failed = {**queues("a"), "terraform": {"backend": {"s3": {}}}, "provider": {"aws": [{}]}, "output": {}}

    built = build_rollback(empty_like(failed), failed, needs=RollbackNeeds(), state=index(a="1"))

    assert built.configuration == {"terraform": {"backend": {"s3": {}}}, "provider": {"aws": [{}]}}


@pytest.mark.parametrize(
    ("keep", "expected"),
    [(False, ("imported", "second")), (True, ("imported", "new", "second"))],
)
def test_imported_kept_and_second_addresses_are_forgotten(*, keep: bool, expected: tuple[str, ...]) -> None:
    last_good = index(first="1", own="9")
    now = index(first="1", own="9", imported="2", new="3", second="1")

    forget = to_forget(
        now,
        last_good,
        imported=[Identity("aws_sqs_queue", "2"), Identity("aws_sqs_queue", "9")],
        created=[Identity("aws_sqs_queue", "3")],
        keep_created=keep,
    )

    assert forget == tuple(queue(name) for name in expected)


def test_a_pin_that_changed_holds_the_rollback_unless_the_upstream_goes_back_too() -> None:
    pinned = {"network": Pin(3, "x"), "data": Pin(1, "y"), "edge": Pin(1, "z")}
    now = {"network": Pin(4, "x"), "data": Pin(2, "changed")}

    assert changed_pins(pinned, now) == ("data", "edge")
    assert changed_pins(pinned, now, also_rolled_back=["data", "edge"]) == ()
