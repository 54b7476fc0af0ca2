"""A difference whose acceptance has expired is looked at again before anything is changed.

The verify after the apply would not let it pass, and all that was applied would be taken back.
"""

from collections.abc import Iterator

from holdfast_orchestrator.gate.base import Finding, Proposal


def expired(proposal: Proposal) -> Iterator[Finding]:
    """Find each change that an entry of `accepted_differences` accepted until a day that is over."""
    for use in proposal.document.expired:
        yield Finding(
            gate="expired",
            what=f"{use.resource} {use.attribute} still differs, and that was accepted until {use.expires} "
            f"only (by {use.owner}: {use.reason})",
            next_step="set a later `expires` in that entry of accepted_differences, or remove the entry and "
            "what makes it differ",
        )
