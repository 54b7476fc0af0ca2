"""Plan one shard: init, plan, show. In goes a shard, out comes its plan and the Terraform that made it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.events import ShardPlanned, ShardStep
from holdfast_orchestrator.plan.document import PlanDocument, parse_plan
from holdfast_orchestrator.plan.looks import look_by_import
from holdfast_orchestrator.plan.result import (
    StateStamp,
)
from holdfast_orchestrator.plan.settled import with_accepted
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.system.secret_places import secrets_in_state
from holdfast_orchestrator.terraform.holdings import holdings_in
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.ownership import Holdings, Sightings

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.terraform import Terraform
    from holdfast_orchestrator.engine.ui_events import UiEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePlan:
    """A plan that was made: its file, Terraform's own document of it (secrets too) and ours.

    `state` is what it was made against. A plan that does nothing has an empty `raw`. `watched` is what was
    seen of the objects it would create (by the gateway, which then guards the creates too, if `guarded`),
    `imports` what it takes over on purpose.
    """

    file: Path
    state: StateStamp | None
    raw: Mapping[str, Any] = field(repr=False)
    document: PlanDocument
    watched: Sightings = field(default_factory=Sightings)
    guarded: bool = False
    imports: tuple[ImportBlock, ...] = ()


def refuse_unknown_checks(shard: Shard) -> None:
    """Raise SettingsError for a health check that a deploy could not make."""
    if shard.health_checks:
        from holdfast_orchestrator.health.checks import parse_checks  # noqa: PLC0415 - pydantic, rarely needed

        parse_checks(shard)


def make_plan(
    terraform: "Terraform",
    shard: Shard,
    run: Run,
    *,
    snapshot: StateSnapshot | None,
    destroy: bool = False,
) -> MadePlan:
    """Init, plan and show, and emit events of it. `snapshot` is the state there is, read just now.

    Raises HoldfastError where Terraform fails.
    """
    run.emit(ShardStep(shard=shard.name, step="initialising"))
    terraform.init()
    run.emit(ShardStep(shard=shard.name, step="planning"))
    if snapshot is not None:
        run.redactor.learn([*secrets_in_state(snapshot.document)])
    state = StateStamp.of(snapshot)
    holdings = None if destroy else holdings_for(shard, snapshot)
    outcome = terraform.plan(destroy=destroy, holdings=holdings)
    raw = terraform.show_plan(outcome.plan) if outcome.changes else {}
    document = parse_plan(raw, run.redactor) if raw else PlanDocument()
    if not destroy:
        document = with_accepted(document, raw, shard=shard, run=run) if raw else document
        raw = raw if document.changes or document.outputs else {}
    run.emit(
        ShardPlanned(
            shard=shard.name,
            added=document.added,
            changed=document.changed,
            destroyed=document.destroyed,
            destroys=document.destroys,
        )
    )
    watched, guarded = outcome.watched, outcome.watched is not None
    if watched is None and holdings is not None and raw:
        watched = look_by_import(terraform, shard, raw, holdings)
    watched = watched or Sightings()
    return MadePlan(
        file=outcome.plan, state=state, raw=raw, document=document, watched=watched, guarded=guarded
    )


def holdings_for(shard: Shard, snapshot: StateSnapshot | None) -> Holdings:
    """Return what the creates of a plan may meet: what the shard's state has."""
    tags = {"Service": shard.service, "Environment": shard.environment, "ManagedBy": "holdfast"}
    return replace(holdings_in(None if snapshot is None else snapshot.document), tags=tags)


def quiet(_event: "UiEvent") -> None:
    """Listen to nothing Terraform says: a preview shows its result, not each object it reads."""
