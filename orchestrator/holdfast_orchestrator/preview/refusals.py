"""What a deploy of a plan would be refused for: the same gates, asked before anybody deploys."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.reversibility import Approval, advice_of, judge_forward
from holdfast_orchestrator.gate.base import Proposal
from holdfast_orchestrator.gate.gates import findings
from holdfast_orchestrator.gate.rejected import rejected_version
from holdfast_orchestrator.gate.takeover import takeovers
from holdfast_orchestrator.plan.result import Refusal
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.terraform.stateful_types import Protection

if TYPE_CHECKING:
    from holdfast_orchestrator.context.run import Run
    from holdfast_orchestrator.plan.shard import MadePlan


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


def refusals_of(made: "MadePlan", shard: Shard, run: "Run", agreed: Agreed) -> tuple[Refusal, ...]:
    """Return everything that a deploy of this plan would be refused for."""
    if not made.raw:
        return ()
    seen = run.redactor.text
    told = dict.fromkeys(
        (seen(what), seen(next_step)) for what, next_step in _refusals(made, shard, run, agreed)
    )
    return tuple(Refusal(what=what, next_step=next_step) for what, next_step in told)


def _refusals(made: "MadePlan", shard: Shard, run: "Run", agreed: Agreed) -> Iterator[tuple[str, str]]:
    for finding in takeovers(made.raw, made.watched, shard, adopted=agreed.adopt):
        yield finding.what, finding.next_step
    gated = findings(Proposal(shard=shard, document=made.document, allowed=agreed.allowed))
    for finding in gated:
        yield finding.what, finding.next_step
    read = read_last_good(run.tools.store(shard), shard.state.folder)
    good = None if read is None else read.record
    rejected = None if made.document.is_empty else rejected_version(good, shard, agreed.redeploy)
    if rejected is not None:
        yield rejected.what, rejected.next_step
    judged = judge_forward(
        made.raw,
        protection=Protection(addresses=frozenset(shard.guarded)),
        approvals=agreed.consents,
        last_good=None if good is None else good.index,
    )
    for held in judged.held:
        # What a gate refuses is named once.
        if not any(held.address and held.address in finding.what for finding in gated):
            yield held.sentence, advice_of(held) or ""
