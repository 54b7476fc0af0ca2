"""Nothing is destroyed that a person was not shown beforehand.

Between the look and the apply a shard is planned again when a shard above it has changed. Its new plan
may add and change, but an object that would now be lost has to be looked at first.
"""

from collections.abc import Iterator

from holdfast_orchestrator.gate.base import Finding, Proposal


def shown(proposal: Proposal) -> Iterator[Finding]:
    """Find each object that would be lost and was not going to be when the plan was shown."""
    if proposal.shown is None:
        return
    for address in proposal.document.destroys:
        if address not in proposal.shown.destroys:
            yield Finding(
                gate="shown",
                what=f"this would now destroy or replace {address}, which the plan that was shown did not",
                next_step="plan again and look at it",
            )
