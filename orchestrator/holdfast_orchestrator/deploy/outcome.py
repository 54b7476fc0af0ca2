"""How a shard and a run ended: frozen values that every view shows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from holdfast_orchestrator.errors import (
    EXIT_FAILED,
    EXIT_OK,
    GateError,
    InterruptedSafelyError,
    LeasedError,
    NeedsPersonError,
    RolledBackError,
    UsageError,
)
from holdfast_orchestrator.events import ShardFinished
from holdfast_orchestrator.record.outputs import ShardOutputs
from holdfast_orchestrator.terraform.accepted import AcceptedUse, count_words
from holdfast_orchestrator.terraform.reads import ReadCount


class Outcome(StrEnum):
    """How a shard ended; new ones may be added within v1."""

    COMMITTED = "committed"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled_back"
    BLOCKED = "blocked"
    FAILED = "failed"
    SKIPPED = "skipped"
    NEEDS_HUMAN = "needs_human"

    @property
    def is_good(self) -> bool:
        """Whether dependents may go on."""
        return self in (Outcome.COMMITTED, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """How one shard ended.

    `reason` says why it is not committed, `next_step` what to do; `evidence` are lines of detail, such
    as Terraform's own words. Counts are of objects that were planned (`committed`) or had been done
    when it failed. `serial` is the state's after the apply, `backup` the key of the copy made before.
    `skipped` is a shard known to be unchanged without a plan; `reason` then says since when. `accepted` is
    what still differs, as somebody accepted. `put_off` (addresses, "output NAME") is what was not removed
    yet, for the sake of the shards `waits_for`. `verify` counts what the verify read, where that was counted.
    `put_back` is how many objects a rollback has put back.
    """

    shard: str
    label: str
    outcome: Outcome
    reason: str | None = None
    next_step: str | None = None
    evidence: tuple[str, ...] = ()
    added: int = 0
    changed: int = 0
    destroyed: int = 0
    serial: int | None = None
    backup: str | None = None
    seconds: float = 0.0
    exit_code: int = EXIT_OK
    skipped: bool = False
    accepted: tuple[AcceptedUse, ...] = ()
    put_off: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    verify: ReadCount | None = None
    put_back: int = 0


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """How a deploy or destroy ended; `shards` are in the order of the app.

    `outputs` are those of the shards that a deploy committed and that declare any for people to read.
    """

    run: str
    verb: str
    shards: tuple[ShardResult, ...]
    seconds: float = 0.0
    interrupted: bool = False
    outputs: tuple[ShardOutputs, ...] = ()

    @cached_property
    def results(self) -> Mapping[str, ShardResult]:
        """Each shard's result by shard name and, where that is shorter, by its label."""
        return {result.label: result for result in self.shards} | {
            result.shard: result for result in self.shards
        }

    @cached_property
    def outcome(self) -> Mapping[str, Outcome]:
        """Each shard's outcome, by the same names as `results`."""
        return {name: result.outcome for name, result in self.results.items()}

    @property
    def counts(self) -> Mapping[str, int]:
        """How many shards ended how."""
        return dict(sorted(Counter(result.outcome.value for result in self.shards).items()))

    @property
    def is_good(self) -> bool:
        """Whether everything that was asked for was done."""
        return not self.interrupted and all(result.outcome.is_good for result in self.shards)

    @property
    def exit_code(self) -> int:
        """The exit code of the whole run: that of the gravest thing that happened."""
        codes = {result.exit_code for result in self.shards}
        if self.interrupted:
            codes.add(InterruptedSafelyError.exit_code)
        return next(
            (code for code in _GRAVEST_FIRST if code in codes), EXIT_OK if self.is_good else EXIT_FAILED
        )


_GRAVEST_FIRST = (
    NeedsPersonError.exit_code,
    InterruptedSafelyError.exit_code,
    EXIT_FAILED,
    RolledBackError.exit_code,
    GateError.exit_code,
    LeasedError.exit_code,
    UsageError.exit_code,
)


def summary(result: ShardResult) -> str:
    """Return a shard's result in a few words: what changed, or why nothing did."""
    if result.reason is not None:
        return result.reason
    counts = Counter(added=result.added, changed=result.changed, destroyed=result.destroyed)
    words = [f"{number} {what}" for what, number in counts.items() if number]
    return ", ".join(filter(None, (*words, count_words(result.accepted))))


def finished(result: ShardResult) -> ShardFinished:
    """Return the event that tells how a shard ended."""
    return ShardFinished(
        shard=result.shard,
        outcome=result.outcome.value,
        summary=summary(result),
        detail=result.evidence,
        seconds=result.seconds,
    )
