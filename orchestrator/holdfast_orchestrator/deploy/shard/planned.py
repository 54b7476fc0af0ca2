"""A shard that was planned to be deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.plan.document import PlanDocument
from holdfast_orchestrator.plan.shard import MadePlan
from holdfast_orchestrator.record.fingerprint import ObjectStamp


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the Terraform in whose folder it lies, and the upstream states from before it.

    A plan that was kept has none of those.
    """

    made: MadePlan
    terraform: Any
    inputs: Mapping[str, ObjectStamp | None] | None = None

    @property
    def document(self) -> PlanDocument:
        """What it does."""
        return self.made.document
