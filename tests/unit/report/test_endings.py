"""The summary of a run, and the causes below it."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult
from holdfast_orchestrator.report.ending import ending_lines, summary_line

RESULT = RunResult(
    run="01JRUN",
    verb="deploy",
    shards=(
        ShardResult(shard="network-dev", label="network", outcome=Outcome.COMMITTED, added=1, serial=2),
        ShardResult(
            shard="data-dev",
            label="data",
            outcome=Outcome.FAILED,
            reason="the apply failed: it broke",
            next_step="mend the cause",
            evidence=("it broke", "where: stacks/data.py:3 (Postgres)"),
            exit_code=1,
        ),
        ShardResult(shard="orders-dev", label="orders", outcome=Outcome.SKIPPED, reason="`data` failed"),
    ),
)


def ended(**shard: Any) -> RunResult:
    whole = {"shard": "orders-dev", "label": "orders", **shard}
    return replace(RESULT, shards=(ShardResult(**whole),))


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (ended(outcome=Outcome.ROLLED_BACK, exit_code=5, put_back=1), "1 object put back"),
        (ended(outcome=Outcome.ROLLED_BACK, exit_code=5, put_back=3), "3 objects put back"),
        (ended(outcome=Outcome.ROLLED_BACK, exit_code=5), "no object changed"),
        (ended(outcome=Outcome.FAILED, exit_code=1, added=2), "2 added"),
        (ended(outcome=Outcome.BLOCKED, exit_code=4, added=2), "no object changed"),
        (ended(outcome=Outcome.NEEDS_HUMAN, exit_code=6), "0:00"),
    ],
)
def test_the_summary_says_what_was_changed_and_what_was_put_back(result: RunResult, words: str) -> None:
    assert summary_line(result).split(" · ")[1] == words


def test_a_cause_that_a_reason_goes_on_from_is_said_once() -> None:
    result = ended(
        outcome=Outcome.ROLLED_BACK,
        exit_code=5,
        reason="the rollout FAILED; last good deploy re-applied",
        evidence=("the rollout FAILED.", "no targets"),
    )

    assert [line.strip() for line in ending_lines(result)][1:] == [
        "why     the rollout FAILED; last good deploy re-applied",
        "no targets",
    ]
