"""Decides whether an unchanged shard can be skipped.

All shards are looked at before the first begins. One whose upstream was committed since, or whose turn comes
long after that look, is looked at again: a skip is a statement about the moment it is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.app.priority import estimated_seconds
from holdfast_orchestrator.change_detection.decide import Decision
from holdfast_orchestrator.change_detection.inspect import ChangeDetector
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.shard.intent import Intent

# As long as the first look at all shards of a run takes, and no longer.
_FRESH_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class SkipCheck:
    """The first look at a run's shards, and the way to look again."""

    detector: ChangeDetector
    decisions: Mapping[str, Decision]
    looked: float

    @classmethod
    def look(cls, run: Run, shards: tuple[Shard, ...], *, refresh: bool) -> "SkipCheck":
        """Look at every shard."""
        detector = ChangeDetector(run=run, refresh=refresh)
        looked = run.clock.monotonic()
        return cls(detector=detector, decisions=detector.first(shards), looked=looked)

    def unchanged(self, shard: Shard, intent: Intent) -> Decision | None:
        """Return why a shard may be left alone, None where it has to be worked on."""
        shown, decision = intent.shown, self.decisions[shard.name]
        if shown is not None and not shown.skipped:
            # A plan that somebody looked at is what is to be done.
            return None
        if decision.lasts or not (decision.unchanged or intent.upstream_changed):
            return None
        if intent.upstream_changed or self._is_old:
            decision = self.detector.again(shard)
        return decision if decision.unchanged else None

    def will_work(self, shard: Shard) -> bool:
        """Whether a shard has to be worked on whatever becomes of others, and no run of it is unfinished."""
        decision = self.decisions[shard.name]
        return decision.lasts and (decision.record is None or not decision.record.is_open)

    def seconds(self, shard: Shard) -> float:
        """How long a shard is expected to take, as the first look saw it."""
        decision = self.decisions[shard.name]
        if decision.unchanged:
            return 0.0
        return estimated_seconds(shard, earlier=None if decision.record is None else decision.record.seconds)

    @property
    def _is_old(self) -> bool:
        return self.detector.run.clock.monotonic() - self.looked > _FRESH_SECONDS
