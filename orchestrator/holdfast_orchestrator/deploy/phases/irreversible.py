"""Refuses what cannot be undone: beforehand in a plan, and afterwards in a rollback."""

from collections.abc import Iterable

from holdfast_orchestrator.deploy.decisions.configuration import Pin, changed_pins
from holdfast_orchestrator.deploy.decisions.reversibility import advice_of, judge_forward
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import BlockedRollbackError
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command, rollback_command
from holdfast_orchestrator.deploy.work.promotion import pins_now
from holdfast_orchestrator.errors import EngineError, GateError
from holdfast_orchestrator.record.last_good import deployments, earlier
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.stateful_types import Protection

# The deployment of now, and the one before it.
_ONE_BEFORE = 2
# How the reason begins of a rollback that others have to be rolled back for.
UPSTREAMS_FIRST = "its last good version can be planned only after "


def refuse_lost_artifact(attempt: Attempt) -> None:
    """Raise BlockedRollbackError where the artifact of the last good deployment is gone or damaged."""
    if attempt.good is not None and attempt.good.lost is not None:
        raise BlockedRollbackError(
            f"there is no way back to the last good deployment {attempt.good.record.run}: "
            f"{attempt.good.lost}",
            next_step=f"holdfast resume {attempt.run} --accept-forward",
            violations=(),
        )


def refuse_without_way_back(leased: LeasedShard, attempt: Attempt) -> None:
    """Raise GateError where a failure of this deploy could not be undone, and nobody agreed to that."""
    good = attempt.good
    if good is None or good.lost is None or not attempt.policy.rollback:
        return
    raise GateError(
        f"a failure of this deploy could not be undone: {good.lost}, with which run {good.record.run} "
        "deployed what stands",
        next_step="agree to keep what a failed deploy leaves: "
        + deploy_command(leased.shard, "--no-rollback"),
    )


def judge_reversible(leased: LeasedShard, attempt: Attempt, plan: Document) -> None:
    """Raise GateError where something in a plan could not be undone and nobody approved it."""
    held = judge_forward(
        plan, protection=leased.protection, approvals=attempt.consents, last_good=attempt.good_index
    ).held
    if held:
        raise GateError(
            " ".join(finding.sentence for finding in held),
            next_step="; ".join(dict.fromkeys(filter(None, map(advice_of, held)))),
        )


def refuse_point_of_no_return(attempt: Attempt) -> None:
    """Raise BlockedRollbackError where an approved loss has happened: nothing here brings it back."""
    done = {step.address for step in attempt.progress().done if step.action in ("delete", "update")}
    passed = {
        address
        for gated in attempt.planning.plans
        for address in judge_forward(
            gated,
            protection=Protection(),
            approvals=attempt.consents,
            last_good=attempt.good_index,
        ).past_return
    }
    if gone := sorted(done & passed):
        raise BlockedRollbackError(
            f"what was approved beforehand and has happened cannot be undone: {', '.join(gone)}",
            next_step=f"go on from what stands: holdfast resume {attempt.run} --accept-forward",
            violations=(),
        )


def refuse_changed_inputs(leased: LeasedShard, attempt: Attempt) -> None:
    """Raise BlockedRollbackError where the last good version read other outputs than there are now."""
    if attempt.policy.together:
        return
    if changed := changed_inputs(leased, attempt):
        names = ", ".join(leased.run.label(name) for name in changed)
        raise BlockedRollbackError(
            f"the last good deployment used other outputs of {names} than there are now; going back would "
            "mix an old configuration with new values",
            next_step=f"go on from what stands: holdfast resume {attempt.run} --accept-forward"
            + _upstreams_first(leased, attempt, changed),
            violations=(),
        )


def _upstreams_first(leased: LeasedShard, attempt: Attempt, names: Iterable[str]) -> str:
    """The way by taking the upstream shards back first; none where one of them has nothing to go back to."""
    shards = [leased.run.manifest.by_name[name] for name in names]
    for shard in shards:
        if len(deployments(earlier(leased.run.tools.store(shard), shard.state.folder))) < _ONE_BEFORE:
            return ""
    back = "; then: ".join(map(rollback_command, shards))
    return f"; or: {back}; then: holdfast resume {attempt.run}"


def changed_inputs(leased: LeasedShard, attempt: Attempt) -> tuple[str, ...]:
    """Return the upstream shards whose outputs are others than those the last good version read."""
    if attempt.good is None:
        return ()
    now = pins_now(leased, attempt.good.configuration)
    pinned = {
        name: Pin(pin.generation, pin.outputs_sha256)
        for name, pin in attempt.good.record.inputs.items()
        if name in now
    }
    return changed_pins(pinned, now)


def let_upstreams_go_first(leased: LeasedShard, attempt: Attempt, error: EngineError) -> None:
    """Raise BlockedRollbackError where the last good version cannot be planned with what is above it now.

    Only in a run that goes back as a whole: its upstreams go back then, and this shard after them.
    """
    if not attempt.policy.together or not (changed := changed_inputs(leased, attempt)):
        return
    raise BlockedRollbackError(
        f"{UPSTREAMS_FIRST}{', '.join(map(leased.run.label, changed))} goes back, whose outputs are others "
        f"now: {error.what}",
        next_step="; ".join(rollback_command(leased.run.manifest.by_name[name]) for name in changed)
        + f"; then: holdfast resume {attempt.run} --continue",
        violations=(),
    ) from error
