"""Actions outside of a deploy (adopt, move, restore, unlock), each written into the audit trail by itself."""

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.audit.entry import Action
from holdfast_orchestrator.record.audit.trail import AuditStore, AuditTrail
from holdfast_orchestrator.system.runtime import Runtime


def add_by_hand(store: AuditStore, runtime: Runtime, action: Action) -> str | None:
    """Write an action into the bucket's trail; return why it could not be, None where it was.

    What was done stays done where it cannot be written down: this raises no HoldfastError.
    """
    try:
        AuditTrail(store, clock=runtime.clock, redactor=runtime.redactor).add(action)
    except HoldfastError as error:
        return error.what
    return None
