"""What a move of objects between two stacks would do, or did."""

from dataclasses import dataclass

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.plan.document import Action
from holdfast_orchestrator.plan.result import ShardPlan
from holdfast_orchestrator.state_admin.move import Proposal
from holdfast_orchestrator.state_admin.move_writes import Done
from holdfast_orchestrator.terraform.addresses import configuration_address


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What a move would do, or, with `done`, did.

    `plans` are what the next deploys of the two would then do; of a stack that is not in the app there is
    none. The receiver is in the app, unless the move did not end and the code was changed back since.
    """

    source: Shard
    target: Shard
    proposal: Proposal
    source_in_app: bool
    target_in_app: bool = True
    done: Done | None = None
    plans: tuple[ShardPlan, ...] = ()

    @property
    def demanded(self) -> tuple[str, ...]:
        """What a plan would make or destroy of what moved, in words: nothing, where the move is right."""
        moved = {configuration_address(address) for address in self.proposal.addresses}
        return tuple(
            f"{plan.label} would {change.action.value} {change.address}"
            for plan in self.plans
            for change in (() if plan.document is None else plan.document.changes)
            if configuration_address(change.address) in moved
            and (change.destroys or change.action is Action.CREATE)
        )
