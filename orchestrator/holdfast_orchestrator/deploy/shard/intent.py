"""What is intended for a shard in a run."""

from dataclasses import dataclass, field

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.ownership.handover import ShardHandover
from holdfast_orchestrator.plan.result import ShardPlan, configuration_sha256
from holdfast_orchestrator.state.snapshot import StateSnapshot


@dataclass(frozen=True, slots=True)
class RollbackTarget:
    """Where to go back to: a run (or the beginning of its name), None: `target_of` says which.

    `rejects` says that what is gone back from was bad: somebody asked by hand.
    """

    to: str | None = None
    rejects: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What to do with a shard: deploy or `destroy`; `allowed` addresses may be lost.

    `shown` is the plan that was looked at; `handover` says what moves in this run; `upstream_changed` says
    that something above the shard has changed since. `back` is for going back by hand. `followers` are the
    shards that depend on this one and are changed after it.
    """

    destroy: bool = False
    allowed: frozenset[str] = frozenset()
    shown: ShardPlan | None = None
    handover: ShardHandover = field(default_factory=ShardHandover)
    upstream_changed: bool = False
    back: RollbackTarget | None = None
    followers: tuple[str, ...] = ()

    def still_holds(self, shard: Shard, snapshot: StateSnapshot | None) -> ShardPlan | None:
        """Return the plan that was looked at if configuration and state are still the same, else None."""
        shown = self.shown
        if shown is None or shown.document is None or shown.skipped or self.upstream_changed:
            return None
        same = (shown.configuration_sha256, shown.reads, shown.state) == (
            configuration_sha256(shard),
            shard.inputs.digests,
            None if snapshot is None else snapshot.stamp,
        )
        return shown if same else None
