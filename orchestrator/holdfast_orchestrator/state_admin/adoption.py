"""What taking a state over would do, or did."""

from dataclasses import dataclass, field

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.plan.result import ShardPlan
from holdfast_orchestrator.state_admin.adopt import Done, Proposal


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What taking a state over would do, or, with `done`, did.

    `preview` is the plan that would come next, None where it was not asked for.
    """

    shard: Shard
    proposal: Proposal
    preview: ShardPlan | None = field(default=None)
    done: Done | None = field(default=None)
