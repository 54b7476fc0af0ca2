"""The verify: a plan that shows nothing, a state that was refreshed, and nothing stateful lost."""

from typing import Any

from holdfast_orchestrator.deploy.attempt import Attempt
from holdfast_orchestrator.deploy.bench import Bench
from holdfast_orchestrator.errors import InterruptedSafelyError
from holdfast_orchestrator.record.footing import Proven
from holdfast_orchestrator.rollback.changes import NO_CHANGES, read_plan
from holdfast_orchestrator.rollback.documents import Document
from holdfast_orchestrator.rollback.forward_gate import find_approval
from holdfast_orchestrator.rollback.identities import IdentityIndex, as_told_now
from holdfast_orchestrator.rollback.verify import Verified, judge_verify
from holdfast_orchestrator.unchanged.stand import inputs_before

_FILE = "verify.tfplan"


def prove(bench: Bench, attempt: Attempt, configuration: Document) -> Verified:
    """Plan `configuration` against what there is now, and judge the plan and the state.

    Raises HoldfastError where it cannot be planned.
    """
    inputs = inputs_before(bench, configuration)
    terraform = bench.terraform(
        None if configuration is attempt.configuration else configuration, attempt.inputs_for(configuration)
    )
    outcome = terraform.plan(out=_FILE)
    shown = terraform.show_plan(outcome.plan) if outcome.changes else NO_CHANGES
    if not outcome.changes and any(drift.action == "delete" for drift in outcome.drift):
        # A plan can exit 0 while the stored state still lists what is gone; applying it saves the refresh.
        terraform.apply(outcome.plan)
    outcome.plan.unlink(missing_ok=True)
    snapshot = bench.snapshot()
    attempt.proven = None
    if inputs is not None and snapshot is not None:
        attempt.proven = Proven(inputs=inputs, state=snapshot.etag)
    verified = judge_verify(
        shown,
        baseline=None if attempt.good is None else attempt.good.record.residual,
        before=to_keep(attempt),
        now=bench.index(None if snapshot is None else snapshot.document),
        approved=_approved(attempt),
        destroyed=attempt.progress().destroyed(),
    )
    attempt.standing = snapshot if verified.proven else None
    return verified


def to_keep(attempt: Attempt) -> IdentityIndex:
    """What of the last good deployment was still there when this run began."""
    if attempt.good is None:
        return IdentityIndex()
    there = attempt.before.index
    good = as_told_now(attempt.good.record.index, there)
    return IdentityIndex(tuple(known for known in good if known.identity in there))


def told(verified: Verified) -> dict[str, Any]:
    """What the journal keeps of a verify."""
    return {
        "plan": verified.plan,
        "fingerprint": verified.fingerprint,
        "differing": list(verified.differing),
        "lost": [known.address for known in verified.lost],
    }


def sentence(verified: Verified) -> str:
    """Why a verify did not prove what it had to."""
    if verified.lost:
        lost = ", ".join(f"{known.address} ({known.id})" for known in verified.lost)
        return f"lost: {lost}"
    return f"a plan right after the apply still shows changes of {', '.join(verified.differing)}"


def refuse_when_interrupted(bench: Bench) -> None:
    """Raise where somebody asked to stop and nothing has been changed yet."""
    if bench.run.stop.asked:
        raise InterruptedSafelyError("interrupted before anything was applied")


def _approved(attempt: Attempt) -> frozenset[str]:
    """Addresses whose loss somebody approved by name."""
    consents = attempt.consents
    return frozenset(
        change.address
        for plan in attempt.plans
        for change in read_plan(plan)
        if change.deletes and find_approval(consents, change) is not None
    )
