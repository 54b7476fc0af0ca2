"""A plan of one shard that was made, and what it is made with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.plan.document import PlanDocument
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.holdings import holdings_in
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.ownership import Holdings, Sightings
from holdfast_orchestrator.terraform.state_file import StateStamp

if TYPE_CHECKING:
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


def holdings_for(shard: Shard, snapshot: StateSnapshot | None) -> Holdings:
    """Return what the creates of a plan may meet: what the shard's state has."""
    tags = {"Service": shard.service, "Environment": shard.environment, "ManagedBy": "holdfast"}
    return replace(holdings_in(None if snapshot is None else snapshot.document), tags=tags)


def quiet(_event: "UiEvent") -> None:
    """Listen to nothing Terraform says: a preview shows its result, not each object it reads."""
