"""The JSON documents that `--json` prints, as frozen values.

Each has its own `schema`. Within v1, a document may only gain fields; `schemas.py` publishes the schemas.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from holdfast_orchestrator.app.graph import Graph
from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.report.copying import copied
from holdfast_orchestrator.terraform.accepted import AcceptedUse

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from holdfast_orchestrator.deploy.outcome import RunResult
    from holdfast_orchestrator.plan.result import Plan, ShardPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedShard:
    """A shard; `key` is the S3 key of its state in `bucket`, `tenant` whom it is for alone."""

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
    tenant: str | None


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
    """What happens to one object; `action` is create, update, replace, delete, forget or no-op (a move)."""

    address: str
    type: str
    action: str
    attributes: tuple[PlannedAttribute, ...]
    replaced_because: tuple[str, ...]
    ownership: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBecause:
    """Why a shard was planned: `why` is a kind, `words` say it, `names` are resources or outputs."""

    why: str
    words: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedChange:
    """A lasting difference that somebody accepted; `expires` is the last day on which it is accepted."""

    resource: str
    attribute: str
    reason: str
    owner: str
    expires: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRefusal:
    """Why a deploy of this plan would be refused, and how to allow it."""

    what: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShard:
    """A shard's plan; `outcome` is changes, unchanged, deferred or failed, `reason` says why.

    A shard is `skipped`, without a plan, if nothing has changed since its last good deploy. `reasons` say why
    a shard was planned.
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
    """`holdfast plan --json`; `retired` are stacks that left the app and still have resources.

    `not_selected` are the shards of the app that were not planned.
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
class VerifyReads:
    """How many objects the verify `read` again; for the `remembered` ones it used what the plan had read."""

    read: int
    remembered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedShard:
    """How a shard ended; `serial` is that of its state now, `backup` the key of the copy made before.

    A shard is `skipped`, without a plan, if nothing has changed since its last good deploy. `put_off` was not
    removed yet, because other shards still read it. `verify` is null where its reads were not counted.
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
    verify: VerifyReads | None = None


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
    """What `--json` prints when a command fails."""

    schema: Literal["holdfast/error/v1"] = "holdfast/error/v1"
    error: str
    next_step: str | None
    exit_code: int


def list_document(shards: Iterable[Shard]) -> ListDocument:
    """Return the document that lists `shards`."""
    return ListDocument(shards=tuple(map(_listed, shards)))


def graph_document(graph: Graph) -> GraphDocument:
    """Return the document that shows `graph`."""
    nodes = (GraphNode(name=name, depends_on=graph.dependencies[name]) for name in graph.order)
    return GraphDocument(shards=tuple(nodes), waves=graph.waves)


def synth_document(manifest: Manifest, output: str) -> SynthDocument:
    """Return the document of an app that was synthesized to the folder `output`."""
    return SynthDocument(output=output, shards=tuple(shard.name for shard in manifest.shards))


def plan_report(plan: "Plan") -> PlanReport:
    """Return the document that shows `plan`."""
    return copied(
        PlanReport,
        plan,
        shards=tuple(map(_planned, plan.shards)),
        destroys=tuple(copied(PlannedLoss, loss) for loss in plan.destroys),
        seconds=round(plan.seconds, 3),
    )


def deploy_document(result: "RunResult") -> DeployDocument:
    """Return the document that says how a deploy or destroy ended."""
    shards = (
        copied(
            DeployedShard,
            shard,
            name=shard.shard,
            seconds=round(shard.seconds, 3),
            accepted_differences=_accepted(shard.accepted),
            verify=None if shard.verify is None else copied(VerifyReads, shard.verify),
        )
        for shard in result.shards
    )
    return copied(
        DeployDocument,
        result,
        schema="holdfast/destroy/v1" if result.verb == "destroy" else "holdfast/deploy/v1",
        shards=tuple(shards),
        seconds=round(result.seconds, 3),
    )


def error_document(error: HoldfastError) -> ErrorDocument:
    """Return the document for an error."""
    return ErrorDocument(error=error.what, next_step=error.next_step, exit_code=error.exit_code)


def as_json(document: "DataclassInstance") -> dict[str, Any]:
    """Return a document as a dictionary for `json.dumps`; `schema` comes first."""
    plain = asdict(document)
    return {"schema": plain.pop("schema"), **plain}


def _listed(shard: Shard) -> ListedShard:
    return copied(
        ListedShard,
        shard,
        key=shard.state.key,
        bucket=shard.state.bucket,
        protected=shard.guarded,
        tenant=None if shard.tenant is None else shard.tenant.name,
    )


def _planned(plan: "ShardPlan") -> PlannedShard:
    from holdfast_orchestrator.plan.document import PlanDocument  # noqa: PLC0415 - after a plan only

    document = plan.document or PlanDocument()
    return PlannedShard(
        name=plan.shard,
        outcome=plan.outcome,
        reason=plan.summary if plan.document is None else None,
        waits_for=plan.waits_for,
        added=document.added,
        changed=document.changed,
        destroyed=document.destroyed,
        changes=tuple(
            copied(
                PlannedChange,
                change,
                attributes=tuple(copied(PlannedAttribute, attribute) for attribute in change.attributes),
                replaced_because=change.replace_paths,
            )
            for change in document.changes
        ),
        outputs=document.outputs,
        skipped=plan.skipped,
        reasons=tuple(copied(PlannedBecause, reason) for reason in plan.reasons),
        accepted_differences=_accepted(plan.accepted),
        refusals=tuple(copied(PlannedRefusal, refusal) for refusal in plan.refusals),
    )


def _accepted(uses: Iterable[AcceptedUse]) -> tuple[AcceptedChange, ...]:
    return tuple(copied(AcceptedChange, use) for use in uses)
