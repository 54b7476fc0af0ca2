"""The plan of one shard, and of a run: frozen, and whole enough to be applied later as it is."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.change_detection.decide import Decision, Reason
from holdfast_orchestrator.plan.document import Action, PlanDocument
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.accepted import AcceptedUse, count_words


@dataclass(frozen=True, slots=True, kw_only=True)
class StateStamp:
    """Which state a plan was made against."""

    lineage: str
    serial: int

    @classmethod
    def of(cls, snapshot: StateSnapshot | None) -> "StateStamp | None":
        """Return the stamp of a state, None for no state."""
        return None if snapshot is None else cls(lineage=snapshot.lineage, serial=snapshot.serial)


class PlanOutcome(StrEnum):
    """How the planning of a shard ended."""

    CHANGES = "changes"
    UNCHANGED = "unchanged"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a deploy of this plan would be refused, and what lifts that."""

    what: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """What would happen to one shard.

    With `waits_for` (names of shards that must be deployed first; `waiting` says so in words) or
    `failure` (why it could not be planned) there is no `document`. `content` is Terraform's own plan
    file; it holds secrets. `inputs` are digests of what it read of the shards above it, `reads` of the files
    and variables it read. `skipped` is what
    is known to be unchanged without a plan; `reasons` say why a shard was not. `seen` is what was seen of the
    objects it would create (`Sighting.to_json`), by the gateway if `guarded`; `refusals` the gates against
    a deploy of it.
    """

    shard: str
    label: str
    configuration_sha256: str
    state: StateStamp | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, str] = field(default_factory=dict)
    document: PlanDocument | None = None
    waits_for: tuple[str, ...] = ()
    waiting: str = ""
    failure: str | None = None
    exit_code: int = 0
    content: bytes | None = field(default=None, repr=False)
    skipped: bool = False
    reasons: tuple[Reason, ...] = ()
    seen: tuple[Mapping[str, Any], ...] = ()
    guarded: bool = False
    refusals: tuple[Refusal, ...] = ()
    seconds: float = 0.0

    @property
    def outcome(self) -> "PlanOutcome":
        """How the planning ended."""
        if self.failure is not None:
            return PlanOutcome.FAILED
        if self.waits_for:
            return PlanOutcome.DEFERRED
        empty = self.document is None or self.document.is_empty
        return PlanOutcome.UNCHANGED if empty else PlanOutcome.CHANGES

    @property
    def has_changes(self) -> bool:
        """Whether a deploy would do something: changes, or a first deploy that is still waiting."""
        return self.outcome in (PlanOutcome.CHANGES, PlanOutcome.DEFERRED)

    @property
    def accepted(self) -> tuple[AcceptedUse, ...]:
        """The differences that never settle, as somebody accepted."""
        return () if self.document is None else self.document.accepted

    @property
    def summary(self) -> str:
        """The plan in a few words."""
        match self.outcome:
            case PlanOutcome.FAILED:
                return self.failure or ""
            case PlanOutcome.DEFERRED:
                return self.waiting
            case PlanOutcome.UNCHANGED:
                return self.waiting or count_words(self.accepted)
            case PlanOutcome.CHANGES:
                return self.document.counted() if self.document is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """An object that would be destroyed, by deletion or replacement."""

    shard: str
    address: str
    action: Action

    def __str__(self) -> str:
        verb = "replaced" if self.action is Action.REPLACE else "destroyed"
        return f"{self.shard}: {self.address} would be {verb}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plans of a run's shards, in dependency order.

    `manifest` is the synthesized app they were made from; a plan that was kept in a folder has none.
    `retired` are the names of stacks that are not in the app any more and still have something.
    """

    run: str
    shards: tuple[ShardPlan, ...]
    environments: tuple[str, ...] = ()
    manifest: Manifest | None = field(default=None, repr=False)
    retired: tuple[str, ...] = ()
    seconds: float = 0.0

    @cached_property
    def by_name(self) -> Mapping[str, ShardPlan]:
        """The shard plans by shard name."""
        return {plan.shard: plan for plan in self.shards}

    @property
    def not_selected(self) -> tuple[str, ...]:
        """The shards of the app that this plan is not about."""
        shards = () if self.manifest is None else self.manifest.shards
        return tuple(shard.name for shard in shards if shard.name not in self.by_name)

    @property
    def destroys(self) -> tuple[Loss, ...]:
        """Everything that would be destroyed or replaced; empty (false) where nothing would."""
        return tuple(
            Loss(shard=plan.shard, address=change.address, action=change.action)
            for plan in self.shards
            if plan.document is not None
            for change in plan.document.changes
            if change.destroys
        )

    @property
    def has_changes(self) -> bool:
        """Whether a deploy would do anything."""
        return any(plan.has_changes for plan in self.shards)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Why a deploy of it would be refused."""
        return tuple(refusal for plan in self.shards for refusal in plan.refusals)

    @property
    def failures(self) -> tuple[ShardPlan, ...]:
        """The shards that could not be planned."""
        return tuple(plan for plan in self.shards if plan.failure is not None)


def unplanned(shard: Shard, label: str, decision: Decision) -> ShardPlan:
    """Return the plan of a shard that is known to be unchanged: nothing, against the state it left."""
    state = None if decision.record is None else decision.record.state
    return ShardPlan(
        shard=shard.name,
        label=label,
        configuration_sha256=configuration_sha256(shard),
        state=None if state is None else StateStamp(lineage=state.lineage, serial=state.serial),
        reads=shard.inputs.digests,
        document=PlanDocument(accepted=() if decision.fingerprint is None else decision.fingerprint.accepted),
        waiting=decision.since,
        skipped=True,
    )


def configuration_sha256(shard: Shard) -> str:
    """Return the digest of the configuration a shard is planned from."""
    return hashlib.sha256(shard.configuration).hexdigest()
