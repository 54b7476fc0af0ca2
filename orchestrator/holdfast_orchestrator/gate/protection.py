"""Protected objects are not destroyed or replaced unless each is named.

Protected is what the app says is (`protected` in holdfast.json) and what says so itself: an object
whose state carries deletion protection, even after it has been taken out of the app.
"""

import re
import shlex
from collections.abc import Iterator

from holdfast_orchestrator.app.manifest import LOCAL, Shard
from holdfast_orchestrator.gate.base import Finding, Proposal
from holdfast_orchestrator.plan.document import Action, ResourceChange
from holdfast_orchestrator.terraform.deletion_protection import switched_on

_KEYS = re.compile(r"\[[^\]]*\]")


def protection(proposal: Proposal) -> Iterator[Finding]:
    """Find each protected object that would be lost and was not named."""
    for change in protected_losses(proposal.shard, proposal.document.changes):
        if not {change.address, without_keys(change.address)} & proposal.allowed:
            verb = "replace" if change.action is Action.REPLACE else "destroy"
            yield Finding(
                gate="protection",
                what=f"this would {verb} {change.address}, which is protected",
                next_step="keep it as it is, or allow it by name: "
                f"holdfast … --allow-destroy {shlex.quote(change.address)}",
            )


def protected_losses(shard: Shard, changes: tuple[ResourceChange, ...]) -> tuple[ResourceChange, ...]:
    """Return the changes that destroy or replace something protected."""
    return tuple(change for change in changes if change.destroys and _is_protected(shard, change))


def without_keys(address: str) -> str:
    """Return the address of an instance's resource: `aws_eip.e[0]` is one of `aws_eip.e`."""
    return _KEYS.sub("", address)


def _is_protected(shard: Shard, change: ResourceChange) -> bool:
    if LOCAL in (shard.cloud, shard.environment):
        return False
    return is_guarded(shard, change.address) or bool(switched_on(change.before or {}))


def is_guarded(shard: Shard, address: str) -> bool:
    """Whether the app says that an object is protected."""
    return not {address, without_keys(address)}.isdisjoint(shard.guarded)
