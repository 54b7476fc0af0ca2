"""What a deploy of a plan would be refused for: the same gates, asked before anybody deploys."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.reversibility import Approval, advice_of, judge_forward
from holdfast_orchestrator.plan.result import Refusal
from holdfast_orchestrator.terraform.stateful_types import Protection

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.shard.planning import JudgedPlan
    from holdfast_orchestrator.ownership.settle import PlannedShard
    from holdfast_orchestrator.record.last_good import LastGood


@dataclass(frozen=True, slots=True)
class Agreed:
    """What somebody agrees to: to lose addresses, to approvals with their snapshots, to take `adopt` over.

    `redeploy` are runs whose rejected version may be deployed again.
    """

    allowed: frozenset[str] = frozenset()
    approvals: tuple[Approval, ...] = ()
    adopt: frozenset[str] = frozenset()
    redeploy: frozenset[str] = frozenset()

    @property
    def consents(self) -> tuple[Approval, ...]:
        """Every approval; what may be lost as it is needs no snapshot."""
        return (*self.approvals, *(Approval(name, snapshot="none wanted") for name in sorted(self.allowed)))


def refusals_of(
    judged: "JudgedPlan", place: "PlannedShard", agreed: Agreed, last_good: "Callable[[], LastGood | None]"
) -> tuple[Refusal, ...]:
    """Return everything that a deploy of this plan would be refused for; first of all what others have."""
    conflicts = dict.fromkeys((each.sentence, each.next_step) for each in judged.settled.conflicts)
    if conflicts:
        return tuple(Refusal(what=what, next_step=next_step) for what, next_step in conflicts)
    redacted = place.run.redactor.text
    reasons = [(finding.what, finding.next_step) for finding in judged.findings]
    reasons += _irreversible(judged, place.shard, agreed, last_good())
    unique = dict.fromkeys((redacted(what), redacted(next_step)) for what, next_step in reasons)
    return tuple(Refusal(what=what, next_step=next_step) for what, next_step in unique)


def _irreversible(
    judged: "JudgedPlan", shard: Shard, agreed: Agreed, good: "LastGood | None"
) -> Iterator[tuple[str, str]]:
    """What could not be undone. What a gate refuses is named once."""
    gated = [finding.what for finding in judged.findings if finding.gate not in ("takeover", "rejected")]
    reversibility = judge_forward(
        judged.made.raw,
        protection=Protection(addresses=frozenset(shard.guarded)),
        approvals=agreed.consents,
        last_good=None if good is None else good.index,
    )
    for held in reversibility.held:
        if not any(held.address and held.address in what for what in gated):
            yield held.sentence, advice_of(held) or ""
