"""Run records as: when did a shard change, with which others, and in how many seconds.

Pure. A run that took shards down tells nothing of how they are worked on, and is left out. Where a shard was
skipped because something above it failed, nobody knows whether it would have changed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from holdfast_orchestrator.record.runs import RunRecord

_CHANGED = frozenset({"committed", "rolled_back", "blocked", "failed", "needs_human"})
_KNOWN = _CHANGED | {"unchanged"}


@dataclass(frozen=True, slots=True)
class Together:
    """Runs that changed both of two shards, and runs that changed at least one."""

    both: int
    either: int

    @property
    def always(self) -> bool:
        """Whether none ever changed without the other."""
        return self.both == self.either


@dataclass(frozen=True)
class History:
    """Runs that deployed something."""

    records: tuple[RunRecord, ...]

    @classmethod
    def of(cls, records: Iterable[RunRecord]) -> "History":
        """Return the history that records tell, each run once though several buckets know it."""
        merged: dict[str, RunRecord] = {}
        for record in records:
            if not _takes_down(record):
                merged_run = merged.get(record.run)
                merged[record.run] = record if merged_run is None else _joined(merged_run, record)
        return cls(tuple(merged[run] for run in sorted(merged)))

    @property
    def since(self) -> datetime | None:
        """When the oldest run began, None where there is none."""
        return min((record.started for record in self.records), default=None)

    def changes(self, shard: str) -> int:
        """How many runs changed the shard, or tried to."""
        return sum(record.outcomes.get(shard) in _CHANGED for record in self.records)

    def looked(self, shard: str) -> int:
        """How many runs were about the shard and say whether it changed."""
        return sum(record.outcomes.get(shard) in _KNOWN for record in self.records)

    def seconds(self, shard: str) -> float | None:
        """How long a deploy that changed the shard usually took (the median), None where none did."""
        took = [
            record.seconds[shard]
            for record in self.records
            if record.outcomes.get(shard) == "committed" and shard in record.seconds
        ]
        return median(took) if took else None

    def together(self, shards: Collection[str]) -> Together:
        """How often these shards changed in the same run; runs that do not name all are left out."""
        both = either = 0
        for record in self.records:
            outcomes = [record.outcomes.get(shard) for shard in shards]
            if all(outcome in _KNOWN for outcome in outcomes):
                changed = [outcome in _CHANGED for outcome in outcomes]
                both += all(changed)
                either += any(changed)
        return Together(both, either)


def _takes_down(record: RunRecord) -> bool:
    return record.command.split()[1:2] == ["destroy"]


def _joined(one: RunRecord, other: RunRecord) -> RunRecord:
    return replace(
        one,
        outcomes={**one.outcomes, **other.outcomes},
        seconds={**one.seconds, **other.seconds},
        shards=tuple(dict.fromkeys((*one.shards, *other.shards))),
    )
