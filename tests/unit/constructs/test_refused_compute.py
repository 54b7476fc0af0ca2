"""What the compute blocks refuse when they are made, before anything of AWS is asked."""

from collections.abc import Callable
from typing import Any

import pytest

from holdfast_constructs import (
    BacklogScale,
    ConstructError,
    ContainerHealth,
    Image,
    Scale,
    ScheduledScale,
    Sidecar,
    TargetHealth,
)
from holdfast_constructs.compute._schedules import check_schedule

PINNED = Image.digest("otel/collector@sha256:" + "2" * 64)


def _night(**changes: Any) -> ScheduledScale:
    fields: dict[str, Any] = {"name": "night", "at": "cron(0 20 * * ? *)", "min_tasks": 1, "max_tasks": 2}
    return ScheduledScale(**(fields | changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ContainerHealth([]), "command of ContainerHealth must be a program"),
        (lambda: ContainerHealth(["CMD"]), "command of ContainerHealth must be a program"),
        (lambda: ContainerHealth(["CMD-SHELL", "a", "b"]), "CMD-SHELL and one line"),
        (
            lambda: ContainerHealth(["a"], interval_seconds=4),
            "interval_seconds of ContainerHealth must be 5-300",
        ),
        (
            lambda: ContainerHealth(["a"], timeout_seconds=61),
            "timeout_seconds of ContainerHealth must be 2-60",
        ),
        (lambda: ContainerHealth(["a"], timeout_seconds=40), "must be at most interval_seconds, 30"),
        (lambda: ContainerHealth(["a"], retries=0), "retries of ContainerHealth must be 1-10"),
        (lambda: ContainerHealth(["a"], start_seconds=301), "start_seconds of ContainerHealth must be 0-300"),
        (lambda: TargetHealth(interval_seconds=301), "interval_seconds of TargetHealth must be 5-300"),
        (lambda: TargetHealth(timeout_seconds=15), "must be less than interval_seconds, 15"),
        (lambda: TargetHealth(healthy_after=1), "healthy_after of TargetHealth must be 2-10"),
        (lambda: TargetHealth(unhealthy_after=11), "unhealthy_after of TargetHealth must be 2-10"),
        (lambda: TargetHealth(codes="500"), "codes of TargetHealth must be codes of 200-499"),
        (lambda: TargetHealth(codes="299-200"), "codes of TargetHealth must be"),
        (lambda: TargetHealth(codes="ok"), "codes of TargetHealth must be"),
        (lambda: Sidecar(name="-a", image=PINNED), "name of Sidecar must be 1-64 letters"),
        (lambda: Sidecar(name="a", image=PINNED, port=0), "port of sidecar a must be 1-65535"),
        (lambda: Sidecar(name="a", image=PINNED, stop_seconds=1), "stop_seconds of sidecar a must be 2-120"),
        (lambda: _night(name="Night"), "name of ScheduledScale must be lower-case"),
        (lambda: _night(at="every day"), "at of scheduled scale night must be such as cron"),
        (
            lambda: _night(timezone="Berlin"),
            "timezone of scheduled scale night must be the name of a time zone",
        ),
        (lambda: _night(min_tasks=3), r"max_tasks must be 3 \(min_tasks\) to 5000, got 2"),
        (lambda: Scale(1, 2, schedules=[_night(), _night()]), "two scheduled scales are called 'night'"),
        (lambda: BacklogScale(0, 0), "max_tasks must be 1-5000, got 0"),
        (lambda: BacklogScale(-1, 2), "min_tasks must be 0-5000, got -1"),
        (lambda: BacklogScale(0, 2, backlog_per_task=0), "backlog_per_task must be at least 1"),
    ],
)
def test_a_value_that_aws_would_refuse_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        make()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("cron(0 20 * * ?)", "cron has 6 fields .* not 5"),
        ("cron(0 20 * * * *)", r"one of day of month and day of week must be \?"),
        ("cron(0 20 ? * ? *)", r"one of day of month and day of week must be \?"),
        ("cron(60 20 * * ? *)", "minutes 60 is not of 0-59"),
        ("cron(0 24 * * ? *)", "hours 24 is not of 0-23"),
        ("cron(0 20 32 * ? *)", "day of month 32 is not of 1-31"),
        ("cron(0 20 * 13 ? *)", "month 13 is not of 1-12"),
        ("cron(0 20 ? * FOO *)", "day of week FOO is not of 1-7"),
        ("cron(0 20 * * ? 1969)", "year 1969 is not of 1970-2199"),
        ("cron(0/0 20 * * ? *)", "minutes 0/0 is not"),
        ("rate(1 minutes)", "must be such as"),
        ("rate(5 minute)", "must be such as"),
        ("rate(0 minutes)", "must be such as"),
        ("rate(5 weeks)", "must be such as"),
        ("at(2027-13-01T00:00:00)", "must be such as"),
        ("at(tomorrow)", "must be such as"),
        ("0 20 * * *", "must be such as"),
    ],
)
def test_a_time_that_aws_cannot_read_is_refused(expression: str, message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        check_schedule("schedule", expression)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(15 3 * * ? *)",
        "cron(0/15 8-18 ? * MON-FRI *)",
        "cron(0 12 L * ? *)",
        "cron(0 12 15W * ? *)",
        "cron(0 12 ? * 6L *)",
        "cron(0 12 ? JAN,JUL TUE#2 2027-2030)",
        "cron(*/5 * * * ? *)",
        "rate(1 minute)",
        "rate(12 hours)",
        "at(2027-01-31T09:00:00)",
    ],
)
def test_a_time_that_aws_reads_is_taken(expression: str) -> None:
    check_schedule("schedule", expression)
