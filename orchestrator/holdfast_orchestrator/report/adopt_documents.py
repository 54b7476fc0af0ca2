"""The JSON document of `holdfast adopt`."""

from dataclasses import dataclass
from typing import Literal

from holdfast_orchestrator.plan.document import PlanDocument
from holdfast_orchestrator.plan.result import ShardPlan
from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.state_admin.adopt_way import Way
from holdfast_orchestrator.state_admin.adoption import Adoption

_WAYS: dict[Way, Literal["first", "newer", "replaces_empty", "there"]] = {
    Way.FIRST: "first",
    Way.NEWER: "newer",
    Way.REPLACES_EMPTY: "replaces_empty",
    Way.THERE: "there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptPlan:
    """The next plan. `destroys` are addresses, of replaced objects too."""

    outcome: Literal["changes", "unchanged", "deferred", "failed"]
    added: int
    changed: int
    destroyed: int
    destroys: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptDocument:
    """`holdfast adopt --json`.

    `way` says what was at the shard's own place: nothing (first), an older state of the lineage (newer), a
    state that manages nothing (replaces_empty), this state or a later one (there). `plan` is null after an
    adoption. `mark` is the marker at the old place; `backup` is the backup of the state that was replaced.
    """

    schema: Literal["holdfast/adopt/v1"] = "holdfast/adopt/v1"
    shard: str
    source: str
    bucket: str
    key: str
    adopted: bool
    way: Literal["first", "newer", "replaces_empty", "there"]
    lineage: str
    serial: int
    objects: int
    outputs: int
    terraform_version: str | None
    serial_before: int | None
    plan: AdoptPlan | None = None
    run: str | None = None
    mark: str | None = None
    backup: str | None = None


def adopt_document(adoption: Adoption) -> AdoptDocument:
    """Return the document of an adoption, proposed or done."""
    proposal, done = adoption.proposal, adoption.done
    version = proposal.document.get("terraform_version")
    return AdoptDocument(
        shard=adoption.shard.name,
        source=proposal.wanted.source.place,
        bucket=adoption.shard.state.bucket,
        key=adoption.shard.state.key,
        adopted=done is not None,
        way=_WAYS[proposal.way],
        lineage=proposal.given.lineage,
        serial=proposal.given.serial,
        objects=proposal.objects,
        outputs=len(proposal.document.get("outputs") or {}),
        terraform_version=version if isinstance(version, str) else None,
        serial_before=proposal.now.serial if proposal.now.document is not None else None,
        plan=None if adoption.preview is None else _plan(adoption.preview),
        run=None if done is None else done.run,
        mark=None if done is None else done.mark,
        backup=None if done is None else done.backup,
    )


def _plan(plan: ShardPlan) -> AdoptPlan:
    return copied(
        AdoptPlan,
        plan.document or PlanDocument(),
        outcome=plan.outcome.value,
        destroys=destroyed_addresses(plan),
        reason=plan.failure or plan.waiting or None,
    )


def destroyed_addresses(plan: ShardPlan) -> tuple[str, ...]:
    """Return what a plan would destroy, by deletion or replacement."""
    changes = () if plan.document is None else plan.document.changes
    return tuple(change.address for change in changes if change.destroys)
