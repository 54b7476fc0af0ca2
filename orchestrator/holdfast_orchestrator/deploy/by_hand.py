"""Going back because somebody asked: an earlier good deployment, deployed again on top of what stands.

It is a deploy like any other (lease, gates, backup, verify, health, promotion), of an earlier artifact's
configuration with what is needed to get there from here: newer providers, and inverse moves. What it would
destroy for good is held like in any deploy. Should it fail, it is itself rolled back.
"""

import json
from dataclasses import dataclass, replace

from holdfast_orchestrator.deploy.attempt import parsed
from holdfast_orchestrator.deploy.bench import Bench
from holdfast_orchestrator.deploy.kept_inputs import inputs_to_go_back_by_hand, same_inputs
from holdfast_orchestrator.deploy.locks import release_our_lock
from holdfast_orchestrator.deploy.outcome import ShardResult
from holdfast_orchestrator.deploy.preflight import Known, look, refuse_another_app, refuse_strange_state
from holdfast_orchestrator.deploy.shard import ShardDeploy
from holdfast_orchestrator.errors import GateError, UsageError
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.last_good import LastGood, earlier
from holdfast_orchestrator.record.state_record import Debt
from holdfast_orchestrator.rollback.documents import Document
from holdfast_orchestrator.rollback.provider_blocks import union_providers
from holdfast_orchestrator.rollback.rollback_config import RollbackNeeds, build_rollback, inverse_moves


@dataclass(frozen=True, slots=True)
class Back:
    """Where to go back to: a run (or the beginning of its name), None: `target_of` says which."""

    to: str | None = None


class ShardRollback(ShardDeploy):
    """One shard's way back."""

    def _under_lease(self, bench: Bench) -> ShardResult:
        from holdfast_orchestrator.deploy.unfinished import finish_what_was_left  # noqa: PLC0415 - rarely needed

        known = look(bench)
        refuse_another_app(bench, known)
        known = finish_what_was_left(bench, known)
        refuse_strange_state(bench, known)
        if known.locked:
            release_our_lock(bench)
        target = target_of(bench, known, self._intent.back or Back())
        bench.say(f"goes back to deploy {target.run} by {target.actor} on {target.at:%d %b %Y}")
        configuration = configuration_back_to(bench, known, target)
        artifact = read_artifact(bench.store, target.artifact)
        self._shard = replace(
            self._shard,
            configuration=json.dumps(configuration, indent=1).encode(),
            inputs=inputs_to_go_back_by_hand(bench, artifact, configuration, run=target.run),
        )
        return self._go(replace(bench, shard=self._shard), known)


def target_of(bench: Bench, known: Known, back: Back) -> LastGood:
    """The deployment to go back to. Raises UsageError where there is none.

    Where nobody names one, it is the last good one as long as something of a failed deploy is left, and the
    one before it where it stands. Only what Holdfast wrote down tells that: a rollback, a restore and
    somebody else's change write states too, and are no deployments.
    """
    if known.good is None:
        raise UsageError(f"{bench.shard.name} was never deployed well, so there is nothing to go back to")
    history = earlier(bench.store, bench.folder) or (known.good.record,)
    if back.to is not None:
        found = [record for record in history if record.run.startswith(back.to.upper())]
        if not found:
            names = ", ".join(record.run for record in history)
            raise UsageError(f"{bench.shard.name} has no good deployment {back.to!r}; there are: {names}")
        return found[0]
    if known.stored is None or (known.kept is not None and known.kept.record.debt != Debt()):
        return known.good.record
    before = (record for record in history if record.generation < known.good.record.generation)
    other = next((record for record in before if _differs(bench, record, known.good.record)), None)
    if other is None:
        raise UsageError(
            f"{bench.shard.name} has no good deployment before run {known.good.record.run}",
            next_step="the bucket keeps earlier ones only while it is versioned",
        )
    return other


def _differs(bench: Bench, one: LastGood, other: LastGood) -> bool:
    """Whether they deployed different configurations: what stands may have been deployed more than once."""
    if one.artifact == other.artifact:
        return False
    first, second = (read_artifact(bench.store, each.artifact) for each in (one, other))
    return parsed(first.configuration) != parsed(second.configuration) or not same_inputs(first, second)


def configuration_back_to(bench: Bench, known: Known, target: LastGood) -> Document:
    """The configuration that leads from what stands to an earlier deployment.

    Raises GateError where only edits of the state could lead there.
    """
    snapshot = known.snapshot()
    now = bench.index(None if snapshot is None else snapshot.document)
    goal = parsed(read_artifact(bench.store, target.artifact).configuration)
    built = build_rollback(
        goal,
        _standing(bench, known),
        needs=RollbackNeeds(moves=inverse_moves(target.index, now)),
        state=now,
    )
    problems = list(built.problems)
    if built.state_moves or built.state_forgets:
        problems.append("Addresses were exchanged since; only a new deploy can put them right.")
    if problems:
        raise GateError(" ".join(problems), next_step="check that revision of the app out and deploy it")
    return built.configuration


def _standing(bench: Bench, known: Known) -> Document:
    """What was deployed since, newest last; its providers are still needed."""
    shas = [] if known.good is None else [known.good.record.artifact]
    shas += [] if known.kept is None else list(known.kept.record.debt.artifacts)
    standing: Document = parsed(bench.shard.configuration)
    for sha in shas:
        standing = union_providers(
            standing, parsed(read_artifact(bench.store, sha).configuration)
        ).configuration
    return standing
