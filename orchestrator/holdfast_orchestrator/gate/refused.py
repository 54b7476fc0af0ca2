"""What AWS refuses is refused before anything is applied; there is no option that allows it."""

from collections.abc import Iterator

from holdfast_orchestrator.gate.base import Finding, Proposal
from holdfast_orchestrator.plan.document import Action
from holdfast_orchestrator.terraform.refused_changes import refused_changes


def refused(proposal: Proposal) -> Iterator[Finding]:
    """Find each value of an object made or changed in place that AWS does not take."""
    for change in proposal.document.changes:
        if change.action in (Action.CREATE, Action.UPDATE) and change.after is not None:
            for found in refused_changes(change.type, change.before, change.after):
                there = "" if found.before in (None, "") else f", it is {found.before} now"
                value = f"{found.attribute} = {found.after}"
                yield Finding(
                    gate="refused",
                    what=f"{change.address}: AWS refuses {value}{there}: {found.why}",
                    next_step=found.next_step,
                )
