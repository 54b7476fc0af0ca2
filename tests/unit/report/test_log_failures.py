"""What a log tells of a failure, and when."""

import io
from dataclasses import replace

from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.events import (
    RunStarted,
    ShardFinished,
)
from holdfast_orchestrator.report.lines import Lines, LogStyle

STARTED = RunStarted(
    run="01JRUN",
    verb="deploy",
    shards=("network-dev", "orders-dev"),
    labels=("network", "orders"),
    environments=("dev",),
    accounts=("123456789012",),
    regions=("eu-west-1",),
)
FAILURE = ShardFinished(
    shard="network-dev",
    outcome="failed",
    summary="the apply failed: no such topic",
    detail=("aws_sns_topic.a",),
)


def test_a_log_leaves_the_cause_of_a_failure_to_the_end_of_its_command() -> None:
    out = io.StringIO()
    with Lines(out, style=LogStyle(told_later=True)) as lines:
        for event in (STARTED, ShardFinished(shard="orders-dev", outcome="unchanged", summary=""), FAILURE):
            lines(event)

    assert out.getvalue().splitlines()[2:] == ["  network  ✘ failed"]


def test_a_log_hints_at_the_cause_while_others_are_at_work() -> None:
    out = io.StringIO()
    with Lines(out, style=LogStyle(told_later=True)) as lines:
        for event in (STARTED, replace(FAILURE, summary=f"{FAILURE.summary} {'word ' * 20}")):
            lines(event)

    (line,) = out.getvalue().splitlines()[1:]
    assert line.startswith("  network  ✘ failed       the apply failed: no such topic word")
    assert line.endswith("…")


def test_a_log_tells_the_cause_itself_where_the_command_fails_before_its_end() -> None:
    out = io.StringIO()
    lines = Lines(out, style=LogStyle(told_later=True))
    for event in (STARTED, FAILURE):
        lines(event)
    lines.__exit__(GateError, GateError("stopped"), None)

    assert out.getvalue().splitlines()[-2:] == [
        "  network  ✘ failed       the apply failed: no such topic",
        "      aws_sns_topic.a",
    ]
