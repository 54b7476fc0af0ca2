"""The JSON document of `holdfast advise`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from holdfast_orchestrator.advice.facts import Advice, Effect, Merge, Part, Split, Step
from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.state.json_object import time_text


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedStep:
    """One step: what to do, the commands, and the `block` to write `into` a stack or file, if any."""

    what: str
    commands: tuple[str, ...]
    into: str | None
    block: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedEffect:
    """The most objects that one mistake reaches, and the seconds of a usual deploy, before and after.

    `seconds_before` is measured in earlier runs if `measured`, else estimated; `seconds_after` is always
    estimated.
    """

    objects_before: int
    objects_after: int
    seconds_before: float
    seconds_after: float
    measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedPart:
    """Constructs by path below the stack, their objects, and how many earlier deploys changed only these."""

    constructs: tuple[str, ...]
    objects: tuple[str, ...]
    changed_alone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingReference:
    """A reference from one part to the other, by address."""

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedSplit:
    """A shard to split: why, what stays, what moves, the references between both, the deploys compared."""

    shard: str
    why: tuple[str, ...]
    stays: AdvisedPart
    moves: AdvisedPart
    crossing: tuple[CrossingReference, ...]
    changes: int
    effect: AdvisedEffect
    steps: tuple[AdvisedStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedMerge:
    """A shard to merge `into` the one whose `outputs` it reads; `runs` changed both, and none only one."""

    shard: str
    into: str
    outputs: tuple[str, ...]
    runs: int
    effect: AdvisedEffect
    steps: tuple[AdvisedStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviseDocument:
    """`holdfast advise --json`: advice for `shards`, from the history of `runs` runs `since` that time."""

    schema: Literal["holdfast/advise/v1"] = "holdfast/advise/v1"
    shards: tuple[str, ...]
    runs: int
    since: str | None
    splits: tuple[AdvisedSplit, ...]
    merges: tuple[AdvisedMerge, ...]


def advise_document(advice: Advice) -> AdviseDocument:
    """Return the document of an advice."""
    return copied(
        AdviseDocument,
        advice,
        since=None if advice.since is None else time_text(advice.since),
        splits=tuple(map(_split, advice.splits)),
        merges=tuple(map(_merge, advice.merges)),
    )


def _split(split: Split) -> AdvisedSplit:
    return copied(
        AdvisedSplit,
        split,
        stays=_part(split.stays),
        moves=_part(split.moves),
        crossing=tuple(CrossingReference(source=start, target=end) for start, end in split.crossing),
        effect=_effect(split.effect),
        steps=_steps(split.steps),
    )


def _merge(merge: Merge) -> AdvisedMerge:
    return copied(AdvisedMerge, merge, effect=_effect(merge.effect), steps=_steps(merge.steps))


def _part(part: Part) -> AdvisedPart:
    objects = tuple(standing.address for standing in part.objects)
    return AdvisedPart(constructs=part.constructs, objects=objects, changed_alone=part.alone)


def _effect(effect: Effect) -> AdvisedEffect:
    return copied(
        AdvisedEffect,
        effect,
        seconds_before=round(effect.seconds_before, 1),
        seconds_after=round(effect.seconds_after, 1),
    )


def _steps(steps: Iterable[Step]) -> tuple[AdvisedStep, ...]:
    return tuple(
        copied(AdvisedStep, step, block=None if step.block is None else dict(step.block)) for step in steps
    )
