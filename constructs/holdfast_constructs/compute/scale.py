"""How many tasks, and how large: small values, checked when they are made."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute._fargate_sizes import check_fargate_size
from holdfast_constructs.compute._schedules import check_schedule, check_timezone
from holdfast_constructs.errors import ConstructError

# Amazon ECS service quotas: tasks per service.
MOST_TASKS = 5_000
# Below this, one idle task scales out; above, running tasks are overloaded while a new task starts.
LOWEST_CPU, HIGHEST_CPU = 10, 90

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@checked
@dataclass(frozen=True, slots=True)
class Size:
    """The size of one task: `cpu` in units (1024 are one vCPU) and `memory` in MiB.

    Raises ConstructError for a pair that Fargate does not run.
    """

    cpu: int
    memory: int

    def __post_init__(self) -> None:
        check_fargate_size(self.cpu, self.memory)


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledScale:
    """Other limits from a time on, until another one sets others: fewer tasks at night, more before a sale.

    `name` is unique in the service. `at` is `cron(0 20 ? * MON-FRI *)`, `rate(…)` or `at(…)`, in `timezone`.
    Raises ConstructError for what AWS would refuse.
    """

    name: str
    at: str
    min_tasks: int
    max_tasks: int
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            allowed = "lower-case letters, digits and inner hyphens"
            raise ConstructError("name of ScheduledScale", got=self.name, allowed=allowed)
        check_schedule(f"at of scheduled scale {self.name}", self.at)
        check_timezone(f"timezone of scheduled scale {self.name}", self.timezone)
        _check_tasks(self.min_tasks, self.max_tasks, least=0)


@checked
@dataclass(frozen=True, slots=True)
class Scale:
    """How many tasks run: between `min_tasks` and `max_tasks`, by load.

    `cpu_percent` (10-90) is the average CPU use kept to; `requests_per_task`, where given, is the number of
    requests a minute kept to for each task, whichever asks for more tasks. `schedules` set other limits at
    times; with them, `min_tasks` and `max_tasks` count until the first of these times, and no more after it.
    Raises ConstructError otherwise.
    """

    min_tasks: int
    max_tasks: int
    cpu_percent: int = field(default=60, kw_only=True)
    requests_per_task: int | None = field(default=None, kw_only=True)
    schedules: Sequence[ScheduledScale] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        _check_tasks(self.min_tasks, self.max_tasks, least=1)
        _check_schedules(self.schedules)
        if not LOWEST_CPU <= self.cpu_percent <= HIGHEST_CPU:
            raise ConstructError("cpu_percent", got=self.cpu_percent, allowed=f"{LOWEST_CPU}-{HIGHEST_CPU}")
        if self.requests_per_task is not None and self.requests_per_task < 1:
            allowed = "at least 1 request a minute, or None"
            raise ConstructError("requests_per_task", got=self.requests_per_task, allowed=allowed)


@checked
@dataclass(frozen=True, slots=True)
class BacklogScale:
    """How many tasks of a worker run: between `min_tasks` and `max_tasks`, by the messages that wait.

    `backlog_per_task` is the number of waiting messages kept to for each task: the seconds that a message
    may wait, divided by the seconds that one takes. With 0 as `min_tasks` no task runs while no message
    waits; the first message then waits two or three minutes. `schedules` set other limits at times. Raises
    ConstructError otherwise.
    """

    min_tasks: int
    max_tasks: int
    backlog_per_task: int = field(default=100, kw_only=True)
    schedules: Sequence[ScheduledScale] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        _check_tasks(self.min_tasks, self.max_tasks, least=0)
        _check_schedules(self.schedules)
        if self.backlog_per_task < 1:
            raise ConstructError(
                "backlog_per_task", got=self.backlog_per_task, allowed="at least 1 message a task"
            )


def _check_tasks(min_tasks: int, max_tasks: int, *, least: int) -> None:
    if not least <= min_tasks <= MOST_TASKS:
        raise ConstructError("min_tasks", got=min_tasks, allowed=f"{least}-{MOST_TASKS}")
    if not max(min_tasks, 1) <= max_tasks <= MOST_TASKS:
        allowed = f"{min_tasks} (min_tasks) to {MOST_TASKS}" if min_tasks else f"1-{MOST_TASKS}"
        raise ConstructError("max_tasks", got=max_tasks, allowed=allowed)


def _check_schedules(schedules: Sequence[ScheduledScale]) -> None:
    names = [each.name for each in schedules]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ConstructError(f"two scheduled scales are called {name!r}", next_step="rename one of them")
