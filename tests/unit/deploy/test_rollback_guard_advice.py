"""What the guard of a rollback says is to be done next."""

from typing import Any

import pytest
from tests.support.guarded_plans import change, judge, known

from holdfast_orchestrator.terraform.state_file import StateStamp


def test_every_violation_says_what_and_what_next() -> None:
    found = judge(
        change("aws_sqs_queue.q", ["delete"]),
        change("aws_sns_topic.t", ["forget"]),
        touched=(),
        stamp=StateStamp("", 0),
    )

    assert len(found) > 3
    assert all(violation.sentence and violation.next_step for violation in found)


def test_what_next_is_a_command_that_can_be_typed_as_it_is() -> None:
    (strange,) = judge(
        change("aws_ssm_parameter.RUNNER", ["update"]), touched=(), run="01JD", shard="orders-prod"
    )

    assert "holdfast plan --stack orders-prod --refresh" in strange.next_step
    assert "holdfast resume 01JD`" in strange.next_step


Q, KEYED = "aws_sqs_queue.q", 'aws_sqs_queue.q["a"]'
SKIP = "`holdfast resume 01JD --skip {}` leaves the object as it is, `holdfast resume 01JD --accept-forward`"


@pytest.mark.parametrize(
    ("address", "typed"), [(Q, Q), (KEYED, f"'{KEYED}'"), ("aws_sqs_queue.n", "aws_sqs_queue.n")]
)
def test_g1_advises_no_letting_go_of_what_the_last_good_version_has(address: str, typed: str) -> None:
    (found,) = judge(
        change(address, ["delete"]),
        last_good=(known(Q, "new", stateful=True),),
        created=("aws_sqs_queue new",),
        run="01JD",
        health_began=False,
    )

    assert found.next_step.startswith(SKIP.format(typed))
    assert "--orphan" not in found.next_step


@pytest.mark.parametrize(
    ("rule", "actions", "created"),
    [
        ("G3", ["delete"], "aws_sqs_queue other"),
        ("G5", ["delete", "create"], "aws_sqs_queue new"),
        ("G7", ["forget"], "aws_sqs_queue new"),
    ],
)
def test_letting_go_is_advised_only_where_the_last_good_version_declares_nothing(
    rule: str, actions: list[str], created: str
) -> None:
    def advice(**bounds: Any) -> str:
        found = judge(change(Q, actions), created=(created,), run="01JD", **bounds)
        return next(one.next_step for one in found if one.rule == rule)

    assert f"`holdfast resume 01JD --orphan {Q}`" in advice()
    assert "--orphan" not in advice(declared=frozenset({Q}))
    assert "--accept-forward" in advice(declared=frozenset({Q}))


def test_an_address_in_what_next_can_be_typed_into_a_shell() -> None:
    (new,) = judge(change(KEYED, ["delete"]), created=("aws_sqs_queue new",))

    assert f"--orphan '{KEYED}'`" in new.next_step
