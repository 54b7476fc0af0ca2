"""How many objects of one shard Terraform reads or changes at once (`-parallelism`).

Terraform's own default is 10. A plan of a large state waits for answers most of the time, so it gets 20 reads
at once; an apply keeps 10, because clouds throttle writes sooner than reads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.json_values import managed

MANY_OBJECTS = 100
READS_OF_MANY = 20


@dataclass
class Parallelism:
    """What one shard's commands are told: the number that was `asked` for, or what suits its state."""

    asked: int | None = None
    read_state: Callable[[], StateSnapshot | None] = lambda: None

    @property
    def of_plan(self) -> tuple[str, ...]:
        """The arguments of a plan."""
        return _argument(self.asked or (READS_OF_MANY if self._has_many_objects else None))

    @property
    def of_apply(self) -> tuple[str, ...]:
        """The arguments of an apply."""
        return _argument(self.asked)

    @cached_property
    def _has_many_objects(self) -> bool:
        try:
            snapshot = self.read_state()
        except HoldfastError:
            # Terraform will report it.
            return False
        return snapshot is not None and sum(1 for _ in managed(snapshot.document)) > MANY_OBJECTS


def _argument(number: int | None) -> tuple[str, ...]:
    return () if number is None else (f"-parallelism={number}",)
