"""How many tasks, and how large: two small values, checked when they are made."""

from dataclasses import dataclass, field

from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute._fargate_sizes import check_fargate_size
from holdfast_constructs.errors import ConstructError

# Amazon ECS service quotas: tasks per service.
MOST_TASKS = 5_000
# Below this, one idle task scales out; above, running tasks are overloaded while a new task starts.
LOWEST_CPU, HIGHEST_CPU = 10, 90


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
@dataclass(frozen=True, slots=True)
class Scale:
    """How many tasks run: between `min_tasks` and `max_tasks`, by load.

    `cpu_percent` (10-90) is the average CPU use kept to; `requests_per_task`, where given, is the number of
    requests a minute kept to for each task, whichever asks for more tasks. Raises ConstructError otherwise.
    """

    min_tasks: int
    max_tasks: int
    cpu_percent: int = field(default=60, kw_only=True)
    requests_per_task: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not 1 <= self.min_tasks <= MOST_TASKS:
            raise ConstructError("min_tasks", got=self.min_tasks, allowed=f"1-{MOST_TASKS}")
        if not self.min_tasks <= self.max_tasks <= MOST_TASKS:
            allowed = f"{self.min_tasks} (min_tasks) to {MOST_TASKS}"
            raise ConstructError("max_tasks", got=self.max_tasks, allowed=allowed)
        if not LOWEST_CPU <= self.cpu_percent <= HIGHEST_CPU:
            raise ConstructError("cpu_percent", got=self.cpu_percent, allowed=f"{LOWEST_CPU}-{HIGHEST_CPU}")
        if self.requests_per_task is not None and self.requests_per_task < 1:
            allowed = "at least 1 request a minute, or None"
            raise ConstructError("requests_per_task", got=self.requests_per_task, allowed=allowed)
