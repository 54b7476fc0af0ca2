"""The pairs of CPU and memory that Fargate runs; AWS refuses others only when it places a task.

Source: Amazon ECS Developer Guide, "Task definition parameters for Fargate", table of task CPU and memory
(Linux). CPU is in units, 1024 to a vCPU; memory in MiB.
"""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

from holdfast_constructs.errors import ConstructError

_GIB = 1024

FARGATE_SIZES: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        256: (512, _GIB, 2 * _GIB),
        512: tuple(range(_GIB, 4 * _GIB + 1, _GIB)),
        1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
        2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
        4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
        8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
        16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
    }
)


def check_fargate_size(cpu: int, memory: int) -> None:
    """Raise ConstructError unless Fargate runs tasks of `cpu` units and `memory` MiB."""
    if cpu not in FARGATE_SIZES:
        allowed = "one of " + ", ".join(map(str, FARGATE_SIZES)) + " (1024 units are one vCPU)"
        raise ConstructError("cpu", got=cpu, allowed=allowed)
    if memory not in FARGATE_SIZES[cpu]:
        raise ConstructError(
            "memory",
            got=memory,
            allowed=f"{_described(FARGATE_SIZES[cpu])} MiB with cpu {cpu}",
            next_step=_cpus_for(memory),
        )


def _described(sizes: tuple[int, ...]) -> str:
    steps = {after - before for before, after in pairwise(sizes)}
    if len(steps) == 1:
        return f"{sizes[0]}-{sizes[-1]} in steps of {steps.pop()}"
    return ", ".join(map(str, sizes[:-1])) + f" or {sizes[-1]}"


def _cpus_for(memory: int) -> str | None:
    fitting = [str(cpu) for cpu, sizes in FARGATE_SIZES.items() if memory in sizes]
    return f"{memory} MiB goes with cpu {' or '.join(fitting)}" if fitting else None
