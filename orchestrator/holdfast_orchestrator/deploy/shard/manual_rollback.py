"""Rollback by hand: an earlier good deployment is deployed again on top of the present one.

It is a deploy like any other (lease, gates, backup, verify, health, promotion), of an earlier artifact's
configuration with what is needed to get there from here: newer providers, and inverse moves. What it would
destroy for good is held like in any deploy. Should it fail, it is itself rolled back.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.configuration import RollbackNeeds, build_rollback, inverse_moves
from holdfast_orchestrator.deploy.shard.intent import RollbackTarget
from holdfast_orchestrator.deploy.work.ending import Purpose
from holdfast_orchestrator.deploy.work.kept_inputs import inputs_to_go_back_by_hand
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import deploy_command, rollback_command
from holdfast_orchestrator.deploy.work.preflight import RecordedShard
from holdfast_orchestrator.errors import GateError, NeedsPersonError, UsageError
from holdfast_orchestrator.inputs.kept import same_inputs_kept
from holdfast_orchestrator.record.artifact import read_artifact, readable_configurations
from holdfast_orchestrator.record.last_good import LastGood, Rejected, deployments, earlier, target_in
from holdfast_orchestrator.record.state_record import Leftovers
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex
from holdfast_orchestrator.terraform.json_values import Document, digest, parsed
from holdfast_orchestrator.terraform.provider_blocks import union_providers


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """The shard with the version to go back to, what records call that, and when it was deployed first."""

    shard: Shard
    purpose: Purpose
    to: datetime


def way_back(leased: LeasedShard, recorded: RecordedShard, back: RollbackTarget) -> WayBack:
    """Return what to deploy to go back. Raises UsageError or GateError where there is no way."""
    target = target_of(leased, recorded, back)
    leased.say(f"goes back to deploy {target.run} by {target.actor} on {target.at:%d %b %Y}")
    configuration = configuration_back_to(leased, recorded, target)
    artifact = read_artifact(leased.store, target.artifact)
    rejected = _rejected(leased, recorded, target) if back.rejects else None
    return WayBack(
        shard=replace(
            leased.shard,
            configuration=json.dumps(configuration, indent=1).encode(),
            inputs=inputs_to_go_back_by_hand(leased, artifact, configuration, run=target.run),
        ),
        purpose=Purpose(verb="rollback", target=target.run, rejected=rejected),
        to=target.at,
    )


def target_of(leased: LeasedShard, recorded: RecordedShard, back: RollbackTarget) -> LastGood:
    """The deployment to go back to. Raises UsageError where there is none.

    Where nobody names one, it is the last good one after a destroy, or as long as something of a failed
    deploy is left, and otherwise the one before it. Only the records of Holdfast tell which: a
    destroy, a rollback, a restore and somebody else's change write states too, and are no deployments.
    """
    if recorded.good is None:
        raise UsageError(f"{leased.shard.name} was never deployed well, so there is nothing to go back to")
    history = earlier(leased.store, leased.folder) or (recorded.good.record,)
    good = deployments(history)
    if back.to is not None:
        return _named(leased, history, good, back.to)
    if not good:
        raise UsageError(
            f"run {recorded.good.record.run} destroyed {leased.shard.name}, and no deployment before it "
            "is kept",
            next_step=deploy_command(leased.shard),
        )
    is_unsettled = recorded.leftovers != Leftovers()
    if recorded.stored is None or recorded.good.record.is_destroy or is_unsettled:
        return good[0]
    other = next((record for record in good[1:] if _differs(leased, record, good[0])), None)
    if other is None:
        raise UsageError(
            f"{leased.shard.name} has no good deployment before run {good[0].run}; the bucket keeps earlier "
            "ones only while it is versioned",
            next_step=f"check the version that is wanted out, then: {deploy_command(leased.shard)}",
        )
    return other


def _named(leased: LeasedShard, history: Sequence[LastGood], good: Sequence[LastGood], name: str) -> LastGood:
    """The deployment of this run; for a rollback the one that it went back to."""
    named = next((record for record in history if record.run.startswith(name.upper())), None)
    names = ", ".join(record.run for record in history if not record.is_destroy) or "none"
    if named is not None and not named.is_destroy:
        return target_in(history, named)
    next_step = rollback_command(leased.shard, "--to", good[0].run) if good else None
    if named is None:
        what = f"{leased.shard.name} has no good deployment {name!r}; there are: {names}"
    else:
        what = f"run {named.run} destroyed {leased.shard.name}, and is no deployment; there are: {names}"
    raise UsageError(what, next_step=next_step)


def _rejected(leased: LeasedShard, recorded: RecordedShard, target: LastGood) -> Rejected | None:
    """The deployed version that is gone back from; None where it is the one that is gone back to."""
    if recorded.good is None or recorded.good.record.is_destroy:
        return None
    standing = target_in(earlier(leased.store, leased.folder), recorded.good.record)
    if standing.generation <= target.generation:
        return None
    with suppress(NeedsPersonError):
        configuration = parsed(read_artifact(leased.store, standing.artifact).configuration)
        return Rejected(standing.run, digest(configuration))
    return None


def _differs(leased: LeasedShard, first_record: LastGood, other: LastGood) -> bool:
    """Whether they deployed different configurations: one may have been deployed more than once."""
    if first_record.artifact == other.artifact:
        return False
    first, second = (readable_configurations(leased.store, [each.artifact]) for each in (first_record, other))
    return first != second or not same_inputs_kept(leased.store, first_record.artifact, other.artifact)


def _not_made(
    leased: LeasedShard, recorded: RecordedShard, target: LastGood, now: IdentityIndex
) -> tuple[str, ...]:
    """Addresses to forget: no run is proven to have made their objects, nor has the target any."""
    not_made = frozenset[Identity]() if recorded.good is None else recorded.good.record.not_made
    not_proven = [
        tracked
        for tracked in now
        if tracked.identity in not_made and tracked.identity not in target.index and tracked.deposed is None
    ]
    for tracked in not_proven:
        leased.say(
            f"{tracked.address} ({tracked.id}) was taken over or imported: it stays, and leaves the state"
        )
    return tuple(tracked.address for tracked in not_proven)


def configuration_back_to(leased: LeasedShard, recorded: RecordedShard, target: LastGood) -> Document:
    """The configuration that leads from what is deployed to an earlier deployment.

    Raises GateError where only edits of the state could lead there.
    """
    snapshot = recorded.snapshot()
    now = leased.index(None if snapshot is None else snapshot.document)
    goal = _configuration_of(leased, target)
    built = build_rollback(
        goal,
        _standing(leased, recorded),
        needs=RollbackNeeds(
            moves=inverse_moves(target.index, now), forget=_not_made(leased, recorded, target, now)
        ),
        state=now,
    )
    problems = list(built.problems)
    if built.state_moves or built.state_forgets:
        problems.append("Addresses were exchanged since; only a new deploy can put them right.")
    if problems:
        raise GateError(" ".join(problems), next_step="check that revision of the app out and deploy it")
    return built.configuration


def _configuration_of(leased: LeasedShard, target: LastGood) -> Document:
    """What a deployment deployed. Raises UsageError, with what else there is, where that is lost."""
    try:
        return parsed(read_artifact(leased.store, target.artifact).configuration)
    except NeedsPersonError as error:
        others = (
            record
            for record in deployments(earlier(leased.store, leased.folder))
            if record.run != target.run and readable_configurations(leased.store, [record.artifact])
        )
        other = next(others, None)
        anew = f"check the version that is wanted out, then: {deploy_command(leased.shard)}"
        next_step = anew if other is None else rollback_command(leased.shard, "--to", other.run)
        raise UsageError(
            f"there is no way back to the deployment of run {target.run}: {error.what}", next_step=next_step
        ) from None


def _standing(leased: LeasedShard, recorded: RecordedShard) -> Document:
    """The configurations deployed since, joined; their providers are still needed."""
    shas = [] if recorded.good is None else [recorded.good.record.artifact]
    shas += recorded.leftovers.artifacts
    standing: Document = parsed(leased.shard.configuration)
    for configuration in readable_configurations(leased.store, shas):
        standing = union_providers(standing, configuration).configuration
    return standing
