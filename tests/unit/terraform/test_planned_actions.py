"""Both readers of `terraform show -json` take each combination of actions for the same."""

from typing import Any

import pytest

from holdfast_orchestrator.errors import EngineError
from holdfast_orchestrator.plan import document
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.terraform import plan

# What Terraform 1.11 documents for `change.actions`, but for "create" with "forget".
READ_BY_BOTH = [
    (["no-op"], plan.Action.NOTHING, None),
    (["read"], plan.Action.READ, None),
    (["create"], plan.Action.CREATE, document.Action.CREATE),
    (["update"], plan.Action.UPDATE, document.Action.UPDATE),
    (["delete"], plan.Action.DELETE, document.Action.DELETE),
    (["delete", "create"], plan.Action.DELETE_THEN_CREATE, document.Action.REPLACE),
    (["create", "delete"], plan.Action.CREATE_THEN_DELETE, document.Action.REPLACE),
    (["forget"], plan.Action.FORGET, document.Action.FORGET),
]
REFUSED_BY_BOTH = [
    ["create", "forget"],
    ["forget", "create"],
    ["delete", "update"],
    ["create", "delete", "create"],
    ["open"],
    ["explode"],
    ["Create"],
    [],
    None,
]


def shown(actions: list[str] | None) -> dict[str, Any]:
    entry = {
        "address": "aws_sqs_queue.q",
        "mode": "managed",
        "type": "aws_sqs_queue",
        "change": {"actions": actions, "before": {"id": "q"}, "after": {"id": "q"}},
    }
    return {"format_version": "1.2", "resource_changes": [entry]}


@pytest.mark.parametrize(("actions", "planned", "seen"), READ_BY_BOTH)
def test_both_readers_know_what_terraform_documents(
    actions: list[str], planned: plan.Action, seen: document.Action | None
) -> None:
    read = plan.read_plan(shown(actions))
    parsed = document.parse_plan(shown(actions), Redactor())

    assert ([change.action for change in read], read.problems) == ([planned], ())
    assert [change.action for change in parsed.changes] == ([] if seen is None else [seen])
    assert [change.deletes for change in read] == [bool(parsed.destroys)]
    assert sum(change.creates for change in read) == parsed.added


@pytest.mark.parametrize("actions", REFUSED_BY_BOTH)
def test_both_readers_refuse_every_other_combination(actions: list[str] | None) -> None:
    read = plan.read_plan(shown(actions))

    assert [change.action for change in read] == [plan.Action.UNKNOWN]
    assert read.problems
    with pytest.raises(EngineError, match=r"to aws_sqs_queue\.q, which this Holdfast does not know"):
        document.parse_plan(shown(actions), Redactor())


def test_every_action_that_can_be_planned_can_be_shown() -> None:
    tested = {planned for _, planned, _ in READ_BY_BOTH}

    assert tested == set(plan.Action) - {plan.Action.UNKNOWN}
