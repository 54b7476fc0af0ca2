"""The one way to a plan, for a preview as for a deploy: initialize, plan, read the plan, judge it.

A deploy holds the lease of the shard, imports what moves here, and refuses. A preview only reads: it says
what moves, and lists what a deploy would be refused for.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.errors import EngineError, GateError, HoldfastError
from holdfast_orchestrator.events import ShardPlanned, ShardStep
from holdfast_orchestrator.gate.adopted import refuse_absent, refuse_unknown_instance
from holdfast_orchestrator.gate.base import Finding, Proposal
from holdfast_orchestrator.gate.gates import findings
from holdfast_orchestrator.gate.rejected import rejected_version
from holdfast_orchestrator.gate.takeover import adoptions, takeovers
from holdfast_orchestrator.ownership.settle import PlannedShard, Settled, Turn, settle_ownership
from holdfast_orchestrator.plan.document import PlanDocument, parse_plan
from holdfast_orchestrator.plan.looks import absent_of, look_by_import
from holdfast_orchestrator.plan.settled import with_accepted
from holdfast_orchestrator.plan.shard import MadePlan, holdings_for
from holdfast_orchestrator.system.private_files import write_private
from holdfast_orchestrator.system.secret_places import secrets_in_state
from holdfast_orchestrator.terraform.import_ids import ImportBlock, with_imports
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.ownership import Sighting, Sightings
from holdfast_orchestrator.terraform.plan import read_plan
from holdfast_orchestrator.terraform.reads import Reading
from holdfast_orchestrator.terraform.references import declares

if TYPE_CHECKING:
    from holdfast_orchestrator.app.manifest import Shard
    from holdfast_orchestrator.engine.terraform import Terraform
    from holdfast_orchestrator.plan.result import ShardPlan
    from holdfast_orchestrator.record.last_good import LastGood
    from holdfast_orchestrator.state.snapshot import StateSnapshot

_KEPT_PLAN = "kept.tfplan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What somebody agreed to: to lose addresses, to take others over, to deploy rejected runs again."""

    allowed: frozenset[str] = frozenset()
    adopt: frozenset[str] = frozenset()
    redeploy: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """What to plan a shard for.

    Attributes:
        snapshot: the state there is, read just now.
        turn: what the shard is about to do.
        agreement: what no gate refuses, because somebody agreed to it.
        good: reads the last good deployment, whose rejected versions are not deployed again; by default, none
            is asked about.
        shown: the plan that somebody looked at before.
        kept: the same, where it is applied as it is and nothing is planned.
        judges_empty: judge a plan that changes nothing, too.
        settle: hold the plan against the owners of its objects, in place of what a deploy does.
        on_document: called with what is planned, as soon as that is known.
        reading: what becomes of the reads of the plan.
    """

    snapshot: "StateSnapshot | None"
    turn: Turn = field(default_factory=Turn)
    agreement: Agreement = field(default_factory=Agreement)
    good: "Callable[[], LastGood | None]" = lambda: None
    shown: PlanDocument | None = None
    kept: "ShardPlan | None" = None
    judges_empty: bool = False
    settle: "Callable[[PlannedShard, MadePlan, PlanTask], Settled] | None" = None
    on_document: Callable[[PlanDocument], object] = lambda _document: None
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class JudgedPlan:
    """A plan in which everything belongs to its shard, and what the gates have against it.

    A plan that changes nothing was judged only where the task says so. `terraform` works in the folder in
    which the plan lies.
    """

    settled: Settled
    terraform: "Terraform"
    findings: tuple[Finding, ...] = ()

    @property
    def made(self) -> MadePlan:
        """The plan."""
        return self.settled.made

    @property
    def document(self) -> PlanDocument:
        """What is going to be done: without the deletes that are not made."""
        return self.settled.document


def plan_shard(place: PlannedShard, task: PlanTask) -> JudgedPlan:
    """Plan a shard and judge the plan.

    Raises HoldfastError where Terraform fails, GateError where a deploy would take what another shard has,
    UsageError for an address to take over that is none.
    """
    terraform = place.bare_terraform()
    made = _made(place, terraform, task) if task.kept is None else _kept(place, terraform, task)
    if task.settle is None and task.agreement.adopt and not task.turn.destroy:
        made, terraform = _adopting(place, made, terraform, task)
    task.on_document(made.document)
    if made.document.is_empty and not task.judges_empty:
        return JudgedPlan(Settled(made), terraform)
    if task.settle is not None:
        settled = task.settle(place, made, task)
    else:
        settled, terraform = _settled(place, made, terraform, task)
    task.on_document(settled.document)
    return JudgedPlan(settled, terraform, tuple(_findings(place, settled, task)))


def _made(place: PlannedShard, terraform: "Terraform", task: PlanTask) -> MadePlan:
    """Init, plan and show, and emit events of it."""
    shard, run, snapshot, destroy = place.shard, place.run, task.snapshot, task.turn.destroy
    with run.stop.interrupting(terraform.cancel):
        run.emit(ShardStep(shard=shard.name, step="initialising"))
        terraform.init()
        run.emit(ShardStep(shard=shard.name, step="planning"))
        if snapshot is not None:
            run.redactor.learn([*secrets_in_state(snapshot.document)])
        holdings = None if destroy else holdings_for(shard, snapshot)
        outcome = terraform.plan(destroy=destroy, holdings=holdings, reading=task.reading)
        raw = terraform.show_plan(outcome.plan) if outcome.changes else {}
        document = parse_plan(raw, run.redactor) if raw else PlanDocument()
        if not destroy:
            document = with_accepted(document, raw, shard=shard, run=run) if raw else document
            raw = raw if document.changes or document.outputs else {}
        run.emit(_planned(shard, document))
        watched = outcome.watched
        if watched is None and holdings is not None and raw:
            watched = look_by_import(terraform, shard, raw, holdings)
    return MadePlan(
        file=outcome.plan,
        state=None if snapshot is None else snapshot.stamp,
        raw=raw,
        document=document,
        watched=watched or Sightings(),
        guarded=outcome.watched is not None,
    )


def _kept(place: PlannedShard, terraform: "Terraform", task: PlanTask) -> MadePlan:
    """The plan that was kept, laid where Terraform applies it from."""
    shown = task.kept
    assert shown is not None and shown.content is not None and shown.document is not None  # noqa: PT018, S101 - kept
    with place.run.stop.interrupting(terraform.cancel):
        place.run.emit(ShardStep(shard=place.shard.name, step="initialising"))
        terraform.init()
        file = terraform.workdir / _KEPT_PLAN
        write_private(file, shown.content)
        raw = terraform.show_plan(file)
    place.run.emit(_planned(place.shard, shown.document))
    watched = Sightings()
    watched.add(Sighting.of(sighting) for sighting in shown.seen)
    if not shown.guarded:
        # Nothing guards the creates: what was seen may be long ago.
        watched = look_by_import(terraform, place.shard, raw, holdings_for(place.shard, task.snapshot))
    return MadePlan(file=file, state=shown.state, raw=raw, document=shown.document, watched=watched)


def _planned(shard: "Shard", document: PlanDocument) -> ShardPlanned:
    return ShardPlanned(
        shard=shard.name,
        added=document.added,
        changed=document.changed,
        destroyed=document.destroyed,
        destroys=document.destroys,
    )


def _adopting(
    place: PlannedShard, made: MadePlan, terraform: "Terraform", task: PlanTask
) -> tuple[MadePlan, "Terraform"]:
    """Plan again, with an import block for each object that is to be taken over."""
    shard, adopt = place.shard, task.agreement.adopt
    configuration = json.loads(shard.configuration)
    state = {} if task.snapshot is None else task.snapshot.document
    addresses = {address for address, _, _ in managed(state)}
    refuse_unknown_instance(
        [address for address in adopt if declares(configuration, address)],
        addresses.union(change.address for change in read_plan(made.raw)),
        shard,
    )
    blocks = adoptions(made.raw, made.watched, shard, adopted=adopt)
    for block in blocks:
        place.say(f"{block.address} takes over {block.import_id}, as was asked for")
    if not blocks:
        return made, terraform
    try:
        return _importing(place, blocks, task)
    except EngineError as error:
        refuse_absent(absent_of(blocks, error), adopt, shard)
        raise


def _importing(
    place: PlannedShard, blocks: tuple[ImportBlock, ...], task: PlanTask
) -> tuple[MadePlan, "Terraform"]:
    terraform = place.bare_terraform(with_imports(json.loads(place.shard.configuration), blocks))
    return replace(_made(place, terraform, replace(task, turn=Turn())), imports=blocks), terraform


def _settled(
    place: PlannedShard, made: MadePlan, terraform: "Terraform", task: PlanTask
) -> tuple[Settled, "Terraform"]:
    """Hold the plan against the owners of its objects, and plan again where something moves here."""
    settling = settle_ownership(place, made, snapshot=task.snapshot, turn=task.turn)
    if settling.conflicts:
        raise GateError(
            " ".join(conflict.sentence for conflict in settling.conflicts),
            next_step="; ".join(dict.fromkeys(conflict.next_step for conflict in settling.conflicts)),
        )
    if not settling.blocks:
        return Settled(made, settling.ownership), terraform
    made, terraform = _importing(place, (*made.imports, *settling.blocks), task)
    _refuse_other_than_imports(made)
    return Settled(made, replace(settling.ownership, received=settling.received)), terraform


def _refuse_other_than_imports(made: MadePlan) -> None:
    """Raise GateError where a plan replaces what it is to import, HoldfastError where it makes it."""
    wanted = {block.address for block in made.imports}
    planned = {change.address: change for change in read_plan(made.raw)}
    replaced = [address for address in wanted if address in planned and planned[address].deletes]
    if replaced:
        raise GateError(
            f"{', '.join(sorted(replaced))} would be replaced as it moves: its settings differ too much",
            next_step="declare it as it is, deploy, and change it afterwards",
        )
    missing = wanted - {address for address, change in planned.items() if change.importing}
    if missing:
        raise HoldfastError(f"{', '.join(sorted(missing))} would not be imported")


def _findings(place: PlannedShard, settled: Settled, task: PlanTask) -> Iterator[Finding]:
    """What the gates have against a plan; nothing more where it takes what another shard has."""
    shard, made, agreement = place.shard, settled.made, task.agreement
    if settled.conflicts:
        return
    if not task.turn.destroy:
        yield from takeovers(made.raw, made.watched, shard, adopted=agreement.adopt)
    yield from findings(
        Proposal(shard=shard, document=settled.document, allowed=agreement.allowed, shown=task.shown)
    )
    rejected = rejected_version(task.good(), shard, agreement.redeploy)
    if rejected is not None:
        yield rejected
