"""Plan one shard: init, plan, show. In goes a shard, out comes its plan and the Terraform that made it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.events import Event, RunStarted, ShardPlanned, ShardStep
from holdfast_orchestrator.manifest import Manifest, Shard
from holdfast_orchestrator.plan.document import PlanDocument, parse_plan
from holdfast_orchestrator.plan.looks import look_by_import
from holdfast_orchestrator.plan.preview import (
    ShardPlan,
    StateStamp,
    configuration_sha256,
)
from holdfast_orchestrator.plan.refusals import Agreed, refusals_of
from holdfast_orchestrator.plan.settled import with_accepted
from holdfast_orchestrator.plan.upstream import undeployed_upstreams, waits_for
from holdfast_orchestrator.private_files import read_source
from holdfast_orchestrator.redaction import Redactor
from holdfast_orchestrator.rollback.holdings import holdings_in
from holdfast_orchestrator.rollback.imports import ImportBlock
from holdfast_orchestrator.runtime import Clock, Runtime
from holdfast_orchestrator.secret_places import secrets_in_state
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot
from holdfast_orchestrator.stop import StopSignal
from holdfast_orchestrator.terraform.ownership import Holdings, Sightings
from holdfast_orchestrator.tools import Tools
from holdfast_orchestrator.unchanged.inputs import Upstreams

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.planned_ownership import PlannedOwnership
    from holdfast_orchestrator.engine.terraform import Terraform
    from holdfast_orchestrator.engine.ui_events import UiEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What every shard of a run shares.

    `label` gives the name a person reads; `project` is the app's name for itself;
    without `is_named` only its folder is called so.
    """

    id: str
    manifest: Manifest
    tools: Tools
    runtime: Runtime
    redactor: Redactor
    emit: Callable[[Event], None]
    stop: StopSignal
    label: Callable[[str], str]
    project: str = ""
    is_named: bool = True

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.runtime.clock

    def started(self, verb: str, shards: tuple[Shard, ...]) -> RunStarted:
        """Return the event that opens the run."""
        return RunStarted(
            run=self.id,
            verb=verb,
            shards=tuple(shard.name for shard in shards),
            labels=tuple(self.label(shard.name) for shard in shards),
            environments=tuple(sorted({shard.environment for shard in shards})),
            accounts=tuple(sorted({shard.account for shard in shards})),
            regions=tuple(sorted({shard.region for shard in shards})),
        )


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


def plan_shard(
    shard: Shard, run: Run, agreed: Agreed | None = None, ownership: "PlannedOwnership | None" = None
) -> ShardPlan:
    """Plan for a preview: what goes wrong is part of the answer, and nothing is kept on disk."""
    began = run.clock.monotonic()
    try:
        refuse_unknown_checks(shard)
        waiting = waits_for(shard, run.manifest, run.tools)
        if waiting:
            return _waiting(shard, run, waiting)
        with run.tools.folder(shard):
            terraform = run.tools.terraform(shard, quiet)
            with run.stop.interrupting(terraform.cancel):
                return plan_with(terraform, shard, run, keep=True, agreed=agreed, ownership=ownership)
    except HoldfastError as error:
        upstreams = undeployed_upstreams(error, shard, run.manifest, run.tools)
        if upstreams:
            waiting_plan = _waiting(shard, run, upstreams)
            reason = run.redactor.text(str(error).splitlines()[0])
            return replace(waiting_plan, waiting=f"{waiting_plan.waiting} ({reason})")
        return ShardPlan(
            shard=shard.name,
            label=run.label(shard.name),
            configuration_sha256=configuration_sha256(shard),
            failure=run.redactor.text(str(error)),
            exit_code=error.exit_code,
            seconds=run.clock.monotonic() - began,
        )


def refuse_unknown_checks(shard: Shard) -> None:
    """Raise SettingsError for a health check that a deploy could not make."""
    if shard.health_checks:
        from holdfast_orchestrator.health.checks import parse_checks  # noqa: PLC0415 - pydantic, rarely needed

        parse_checks(shard)


def plan_with(
    terraform: "Terraform",
    shard: Shard,
    run: Run,
    *,
    destroy: bool = False,
    keep: bool = False,
    agreed: Agreed | None = None,
    ownership: "PlannedOwnership | None" = None,
) -> ShardPlan:
    """Plan with a Terraform already at hand; its plan file stays where `terraform` works.

    With `keep` the file's content becomes part of the answer. Raises HoldfastError where Terraform
    fails.
    """
    began = run.clock.monotonic()
    snapshot = read_snapshot(run.tools.store(shard), shard.state.key)
    if ownership is not None:
        ownership.refuse_strange(shard, snapshot)
    # Asked before the plan reads them: what changes meanwhile makes this plan stale, never good.
    inputs = Upstreams(manifest=run.manifest, tools=run.tools).digests(shard)
    made = make_plan(terraform, shard, run, snapshot=snapshot, destroy=destroy)
    judged, refusals = (made, ()) if ownership is None else ownership.judge(shard, made, snapshot)
    return ShardPlan(
        shard=shard.name,
        label=run.label(shard.name),
        configuration_sha256=configuration_sha256(shard),
        state=made.state,
        inputs=inputs,
        reads=shard.inputs.digests,
        document=judged.document,
        content=read_source(made.file) if keep and made.raw else None,
        seen=tuple(one.to_json() for one in made.watched.by_key.values()),
        guarded=made.guarded,
        refusals=refusals or (() if destroy else refusals_of(judged, shard, run, agreed or Agreed())),
        seconds=run.clock.monotonic() - began,
    )


def make_plan(
    terraform: "Terraform",
    shard: Shard,
    run: Run,
    *,
    snapshot: StateSnapshot | None,
    destroy: bool = False,
) -> MadePlan:
    """Init, plan and show, and tell of it. `snapshot` is the state there is, read just now.

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


def _waiting(shard: Shard, run: Run, upstreams: tuple[str, ...]) -> ShardPlan:
    return ShardPlan(
        shard=shard.name,
        label=run.label(shard.name),
        configuration_sha256=configuration_sha256(shard),
        waits_for=upstreams,
        waiting=f"waits for {', '.join(f'`{run.label(name)}`' for name in upstreams)}",
    )


def quiet(_event: "UiEvent") -> None:
    """Listen to nothing Terraform says: a preview shows its result, not each object it reads."""
