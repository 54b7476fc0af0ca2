"""What is known of a shard, and what is advised, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast_orchestrator.advice.inside import Inside
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.terraform.addresses import configuration_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An object of a state."""

    address: str
    stateful: bool = False

    @property
    def block(self) -> str:
        """The address of the block it comes from."""
        return configuration_address(self.address)


@dataclass(frozen=True, kw_only=True)
class ShardFacts:
    """What is known of a shard that was deployed.

    `inside` is None where the configuration hides what it holds, `plan_seconds` where no journal tells.
    `changes` are the resources that each of its earlier deployments changed, by address, as far as they were
    read. `reads` are the outputs it reads, by the shard that has them.
    """

    shard: Shard
    objects: tuple[Standing, ...]
    inside: Inside | None
    plan_seconds: float | None = None
    changes: tuple[frozenset[str], ...] = ()
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The shard's name."""
        return self.shard.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step for a person: what to do, the commands for it, and what to write into which stack or file."""

    what: str
    commands: tuple[str, ...] = ()
    into: str | None = None
    block: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What would come of it: objects that one mistake reaches at most, seconds of a usual deploy.

    The seconds before are `measured` in earlier runs, or estimated by the number of objects; those after are
    always estimated.
    """

    objects_before: int
    objects_after: int
    seconds_before: float
    seconds_after: float
    measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a shard: groups of constructs by path, objects, and earlier changes to nothing else."""

    constructs: tuple[str, ...]
    objects: tuple[Standing, ...]
    alone: int
    seconds: float

    @property
    def stateful(self) -> bool:
        """Whether any of it holds what a re-creation does not bring back."""
        return any(tracked.stateful for tracked in self.objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Move `moves` out of a shard. `crossing` are the references (from, to) that become outputs.

    With `moves_first` nothing of what moves refers to what stays. `changes` are the earlier changes known.
    """

    shard: str
    why: tuple[str, ...]
    stays: Part
    moves: Part
    moves_first: bool
    crossing: tuple[tuple[str, str], ...]
    changes: int
    effect: Effect
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Move all of `shard` into `into`, which it reads `outputs` of; `runs` have changed both."""

    shard: str
    into: str
    outputs: tuple[str, ...]
    runs: int
    effect: Effect
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """All of it. `shards` were looked at, in `runs` runs `since` then."""

    shards: tuple[str, ...]
    runs: int
    since: datetime | None
    splits: tuple[Split, ...] = ()
    merges: tuple[Merge, ...] = ()
