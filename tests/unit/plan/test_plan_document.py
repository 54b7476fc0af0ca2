from typing import Any

import pytest

from holdfast_orchestrator.errors import EngineError
from holdfast_orchestrator.plan.document import UNKNOWN, Action, PlanDocument, parse_plan
from holdfast_orchestrator.system.redaction import SENSITIVE, Redactor


def change(actions: list[str], address: str = "aws_sqs_queue.q", **rest: Any) -> dict[str, Any]:
    outside = {name: rest.pop(name) for name in ("previous_address",) if name in rest}
    return {
        "address": address,
        "type": address.split(".", maxsplit=1)[0],
        "change": {"actions": actions, **rest},
        **outside,
    }


def parse(*changes: dict[str, Any], redactor: Redactor | None = None, **rest: Any) -> PlanDocument:
    shown = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": list(changes),
        **rest,
    }
    return parse_plan(shown, redactor or Redactor())


def test_counts_are_terraforms_own_a_replacement_is_an_add_and_a_destroy() -> None:
    document = parse(
        change(["create"], "a.a"),
        change(["update"], "b.b"),
        change(["delete", "create"], "c.c"),
        change(["create", "delete"], "d.d"),
        change(["delete"], "e.e"),
        change(["no-op"], "f.f"),
        change(["read"], "data.g.g"),
    )

    assert (document.added, document.changed, document.destroyed) == (3, 1, 3)
    assert document.destroys == ("c.c", "d.d", "e.e")
    assert document.counted() == "3 to add, 1 to change, 3 to destroy"


def test_a_plan_without_changes_is_empty() -> None:
    assert parse(change(["no-op"])).is_empty


def test_a_changed_output_alone_is_a_change() -> None:
    outputs = {"arn": {"actions": ["update"]}, "same": {"actions": ["no-op"]}}

    document = parse(output_changes=outputs)

    assert not document.is_empty
    assert document.outputs == ("arn",)
    assert document.counted() == "1 output to change"


def test_a_move_is_shown_though_nothing_happens_to_the_object() -> None:
    document = parse(change(["no-op"], "a.new", previous_address="a.old"))

    assert [found.previous_address for found in document.changes] == ["a.old"]
    assert document.counted() == "1 to move, import or forget"


def test_only_attributes_that_differ_are_listed() -> None:
    document = parse(
        change(
            ["delete", "create"],
            before={"name": "a", "size": 1, "kept": True},
            after={"name": "b", "size": 1, "kept": True},
            replace_paths=[["name"]],
        )
    )

    (attribute,) = document.changes[0].attributes
    assert (attribute.path, attribute.before, attribute.after, attribute.replaces) == ("name", "a", "b", True)


def test_what_is_known_only_after_the_apply_says_so() -> None:
    document = parse(
        change(["create"], before=None, after={"name": "q"}, after_unknown={"arn": True, "tags": {}})
    )

    assert document.changes[0].after == {"name": "q", "arn": UNKNOWN}


def test_sensitive_values_are_masked_and_learned() -> None:
    redactor = Redactor()

    document = parse(
        change(
            ["update"],
            before={"password": "old-password"},
            after={"password": "new-password"},
            before_sensitive={"password": True},
            after_sensitive={"password": True},
        ),
        redactor=redactor,
    )

    assert "password': 'new" not in repr(document.changes[0].after)
    assert document.changes[0].after == {"password": SENSITIVE}
    assert redactor.text("old-password, new-password") == f"{SENSITIVE}, {SENSITIVE}"


def test_changes_stand_in_order_of_address() -> None:
    document = parse(change(["create"], "b.b"), change(["create"], "a.a"))

    assert [found.address for found in document.changes] == ["a.a", "b.b"]


def test_forgetting_an_object_loses_nothing() -> None:
    document = parse(change(["forget"]))

    assert document.changes[0].action is Action.FORGET
    assert document.destroys == ()


def test_an_action_that_is_not_known_is_refused_because_it_cannot_be_gated() -> None:
    with pytest.raises(EngineError, match=r"does \('explode',\) to aws_sqs_queue\.q"):
        parse(change(["explode"]))


@pytest.mark.parametrize("version", ["2.0", "", "10"])
def test_a_format_that_is_not_known_is_refused(version: str) -> None:
    with pytest.raises(EngineError, match=r"Holdfast reads 1\.x"):
        parse_plan({"format_version": version}, Redactor())
