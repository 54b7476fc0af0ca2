"""The JSON documents of the command line: what `--json` prints, as values.

Each has a `schema` of its own and only ever grows within v1; `schemas.py` publishes them.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.terraform.accepted import AcceptedUse

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.outcome import RunResult
    from holdfast_orchestrator.plan.result import Plan, ShardPlan
    from holdfast_orchestrator.report.adopt_documents import AdoptDocument
    from holdfast_orchestrator.report.advice_documents import AdviseDocument
    from holdfast_orchestrator.report.ci_documents import MatrixDocument
    from holdfast_orchestrator.report.history_documents import (
        AuditRecordsDocument,
        AuditVerificationDocument,
        RunsDocument,
        ShowDocument,
    )
    from holdfast_orchestrator.report.machine_documents import DoctorDocument, LocalStatusDocument
    from holdfast_orchestrator.report.move_documents import MoveDocument
    from holdfast_orchestrator.report.new_documents import NewDocument
    from holdfast_orchestrator.report.state_documents import (
        StateBackupsDocument,
        StateRestoreDocument,
        StateUnlockDocument,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedShard:
    """A shard; `key` is the S3 key of its state in `bucket`."""

    name: str
    key: str
    bucket: str
    service: str
    environment: str
    account: str
    region: str
    cloud: str
    depends_on: tuple[str, ...]
    owners: tuple[str, ...]
    protected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDocument:
    """`holdfast list --json`: shards in dependency order."""

    schema: Literal["holdfast/list/v1"] = "holdfast/list/v1"
    shards: tuple[ListedShard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A shard and what it depends on."""

    name: str
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphDocument:
    """`holdfast graph --json`; `waves` are the shards that can be deployed at the same time."""

    schema: Literal["holdfast/graph/v1"] = "holdfast/graph/v1"
    shards: tuple[GraphNode, ...]
    waves: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthDocument:
    """`holdfast synth --json`; `output` is the folder, `shards` are names in dependency order."""

    schema: Literal["holdfast/synth/v1"] = "holdfast/synth/v1"
    output: str
    shards: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAttribute:
    """An attribute that changes; sensitive values are masked."""

    path: str
    before: Any
    after: Any
    replaces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """What happens to one object: create, update, replace, delete, forget or no-op (a move)."""

    address: str
    type: str
    action: str
    attributes: tuple[PlannedAttribute, ...]
    replaced_because: tuple[str, ...]
    ownership: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBecause:
    """Why a shard was planned: a kind, the words for it, and what it is about (resources, outputs)."""

    why: str
    words: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedChange:
    """A difference that never settles, and who accepted it; `expires` is the last day that counts."""

    resource: str
    attribute: str
    reason: str
    owner: str
    expires: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRefusal:
    """Why a deploy of this plan would be refused, and what lifts that."""

    what: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShard:
    """A shard's plan; `outcome` is changes, unchanged, deferred or failed, `reason` says why.

    `skipped` is true where nothing has changed since the last good deploy, so that no plan was made;
    `reasons` say why a shard was planned.
    """

    name: str
    outcome: str
    reason: str | None
    waits_for: tuple[str, ...]
    added: int
    changed: int
    destroyed: int
    changes: tuple[PlannedChange, ...]
    outputs: tuple[str, ...]
    skipped: bool = False
    reasons: tuple[PlannedBecause, ...] = ()
    accepted_differences: tuple[AcceptedChange, ...] = ()
    refusals: tuple[PlannedRefusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLoss:
    """An object that would be lost; `action` is delete or replace."""

    shard: str
    address: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """`holdfast plan --json`; `retired` are stacks that are not in the app any more and still stand.

    `not_selected` are the shards of the app that the plan is not about.
    """

    schema: Literal["holdfast/plan/v1"] = "holdfast/plan/v1"
    run: str
    has_changes: bool
    shards: tuple[PlannedShard, ...]
    destroys: tuple[PlannedLoss, ...]
    seconds: float
    retired: tuple[str, ...] = ()
    not_selected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedShard:
    """How a shard ended; `serial` is its state's now, `backup` the key of the copy made before.

    `skipped` is true where nothing has changed since the last good deploy, so that nothing was planned.
    `put_off` is what was not removed yet because others still read it.
    """

    name: str
    outcome: str
    reason: str | None
    next_step: str | None
    evidence: tuple[str, ...]
    added: int
    changed: int
    destroyed: int
    serial: int | None
    backup: str | None
    seconds: float
    skipped: bool = False
    accepted_differences: tuple[AcceptedChange, ...] = ()
    put_off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployDocument:
    """`holdfast deploy --json` and `holdfast destroy --json`."""

    schema: Literal["holdfast/deploy/v1", "holdfast/destroy/v1"]
    run: str
    interrupted: bool
    shards: tuple[DeployedShard, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDocument:
    """What `--json` prints where a command could not do what it was asked."""

    schema: Literal["holdfast/error/v1"] = "holdfast/error/v1"
    error: str
    next_step: str | None
    exit_code: int


Document: TypeAlias = (
    "ListDocument | GraphDocument | MatrixDocument | SynthDocument | PlanReport | DeployDocument"
    " | AdviseDocument | RunsDocument | ShowDocument | AuditRecordsDocument | AuditVerificationDocument"
    " | DoctorDocument | LocalStatusDocument | NewDocument | AdoptDocument | MoveDocument"
    " | StateBackupsDocument | StateRestoreDocument | StateUnlockDocument | ErrorDocument"
)


def list_document(shards: Iterable[Shard]) -> ListDocument:
    """Return the document that lists `shards`."""
    return ListDocument(shards=tuple(_listed(shard) for shard in shards))


def graph_document(graph: Graph) -> GraphDocument:
    """Return the document that shows `graph`."""
    nodes = (GraphNode(name=name, depends_on=graph.dependencies[name]) for name in graph.order)
    return GraphDocument(shards=tuple(nodes), waves=graph.waves)


def synth_document(manifest: Manifest, output: str) -> SynthDocument:
    """Return the document that says what was synthesized to the folder `output`."""
    return SynthDocument(output=output, shards=tuple(shard.name for shard in manifest.shards))


def plan_report(plan: "Plan") -> PlanReport:
    """Return the document that shows `plan`."""
    return PlanReport(
        run=plan.run,
        has_changes=plan.has_changes,
        shards=tuple(_planned(shard) for shard in plan.shards),
        destroys=tuple(
            PlannedLoss(shard=loss.shard, address=loss.address, action=loss.action) for loss in plan.destroys
        ),
        seconds=round(plan.seconds, 3),
        retired=plan.retired,
        not_selected=plan.not_selected,
    )


def deploy_document(result: "RunResult") -> DeployDocument:
    """Return the document that says how a deploy or destroy ended."""
    return DeployDocument(
        schema="holdfast/destroy/v1" if result.verb == "destroy" else "holdfast/deploy/v1",
        run=result.run,
        interrupted=result.interrupted,
        shards=tuple(
            DeployedShard(
                name=shard.shard,
                outcome=shard.outcome,
                reason=shard.reason,
                next_step=shard.next_step,
                evidence=shard.evidence,
                added=shard.added,
                changed=shard.changed,
                destroyed=shard.destroyed,
                serial=shard.serial,
                backup=shard.backup,
                seconds=round(shard.seconds, 3),
                skipped=shard.skipped,
                accepted_differences=_accepted(shard.accepted),
                put_off=shard.put_off,
            )
            for shard in result.shards
        ),
        seconds=round(result.seconds, 3),
    )


def error_document(error: HoldfastError) -> ErrorDocument:
    """Return the document for an error."""
    return ErrorDocument(error=error.what, next_step=error.next_step, exit_code=error.exit_code)


def as_json(document: Document) -> dict[str, Any]:
    """Return a document as what `json.dumps` takes; `schema` comes first."""
    plain = asdict(document)
    return {"schema": plain.pop("schema"), **plain}


def _listed(shard: Shard) -> ListedShard:
    return ListedShard(
        name=shard.name,
        key=shard.state.key,
        bucket=shard.state.bucket,
        service=shard.service,
        environment=shard.environment,
        account=shard.account,
        region=shard.region,
        cloud=shard.cloud,
        depends_on=shard.depends_on,
        owners=shard.owners,
        protected=shard.guarded,
    )


def _planned(plan: "ShardPlan") -> PlannedShard:
    document = plan.document
    return PlannedShard(
        name=plan.shard,
        outcome=plan.outcome,
        reason=plan.summary if document is None else None,
        waits_for=plan.waits_for,
        added=0 if document is None else document.added,
        changed=0 if document is None else document.changed,
        destroyed=0 if document is None else document.destroyed,
        changes=() if document is None else tuple(_changes(plan)),
        outputs=() if document is None else document.outputs,
        skipped=plan.skipped,
        reasons=tuple(
            PlannedBecause(why=reason.why, words=reason.words, names=reason.names) for reason in plan.reasons
        ),
        accepted_differences=_accepted(plan.accepted),
        refusals=tuple(PlannedRefusal(what=one.what, next_step=one.next_step) for one in plan.refusals),
    )


def _accepted(uses: Iterable[AcceptedUse]) -> tuple[AcceptedChange, ...]:
    return tuple(AcceptedChange(**asdict(use)) for use in uses)


def _changes(plan: "ShardPlan") -> Iterable[PlannedChange]:
    for change in plan.document.changes if plan.document is not None else ():
        yield PlannedChange(
            address=change.address,
            type=change.type,
            action=change.action,
            attributes=tuple(
                PlannedAttribute(path=one.path, before=one.before, after=one.after, replaces=one.replaces)
                for one in change.attributes
            ),
            replaced_because=change.replace_paths,
            ownership=change.ownership,
        )
