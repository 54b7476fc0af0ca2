"""What a bootstrap would do."""

from dataclasses import dataclass

from holdfast_orchestrator.bootstrap.bucket import BucketPlace, Sight
from holdfast_orchestrator.plan.result import Plan


@dataclass(frozen=True, kw_only=True)
class BootstrapPreview:
    """What a bootstrap would do: steps for the bucket, and the plan of the stack `foundation`."""

    place: BucketPlace
    sight: Sight
    plan: Plan

    @property
    def steps(self) -> tuple[str, ...]:
        """What would be done to the bucket itself, in words."""
        return tuple(step.words for step in self.sight.steps)

    @property
    def has_changes(self) -> bool:
        """Whether a bootstrap would do anything."""
        return bool(self.steps) or self.plan.has_changes
