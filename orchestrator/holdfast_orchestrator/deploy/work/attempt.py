"""One run's work on one shard, as far as it has come.

Everything a restart needs is in the journal (`begun` and `reopened` are each other's inverse), in the
bucket, or in the event files on the machine where Terraform ran.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from holdfast_orchestrator.app.inputs import Inputs
from holdfast_orchestrator.deploy.decisions.apply_progress import (
    ApplyStep,
    Progress,
    Step,
    measure,
    planned_steps,
)
from holdfast_orchestrator.deploy.decisions.deferred_deletes import Staging
from holdfast_orchestrator.deploy.decisions.imports import planned_values_by_address
from holdfast_orchestrator.deploy.decisions.reversibility import Approval
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.work.apply_evidence import evidence_of
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.rollback_attempt import RollbackAttempt
from holdfast_orchestrator.deploy.work.task import (
    Baseline,
    LastGoodDeployment,
    OperatorDecision,
    Task,
    Verb,
)
from holdfast_orchestrator.record.fingerprint import Fingerprint, VerifiedInputs
from holdfast_orchestrator.record.state_record import KeptRecord, Leftovers
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.accepted import AcceptedUse
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.import_ids import ImportBlock, with_imports
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.owners import Ownership
from holdfast_orchestrator.terraform.ownership import Sightings
from holdfast_orchestrator.terraform.plan import PlannedChanges, read_plan
from holdfast_orchestrator.terraform.reads import ReadCount
from holdfast_orchestrator.terraform.references import declares


@dataclass(slots=True, kw_only=True)
class Planning:
    """The plans: those that were gated, and those to go back by, the newest last of each.

    `plan_file` is what `terraform` applies next. `deletes_begun`: those that were put off are being made, or
    are made.
    """

    plans: list[Document] = field(default_factory=list, repr=False)
    rollback_plans: list[Document] = field(default_factory=list, repr=False)
    staging: Staging = field(default_factory=lambda: Staging(stage_one=None))
    plan_file: Path | None = None
    terraform: Any = field(default=None, repr=False)
    deletes_begun: bool = False


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What the applies said: the records of their events, and the answer of the last one.

    `code` is its exit code, None after a restart. `assumed` are steps that no record tells.
    """

    records: list[Path] = field(default_factory=list)
    assumed: list[ApplyStep] = field(default_factory=list)
    code: int | None = 0
    errors: tuple[str, ...] = ()
    diagnostics: tuple[Any, ...] = ()
    interrupted: bool = False
    lock_stolen: bool = False


@dataclass(slots=True, kw_only=True)
class Verification:
    """What a verify has shown.

    `standing` is the state that was proven to be what was wanted, as long as nothing but health has been
    looked at since. `remaining` are the addresses that a destroy has left, None where nobody knows. `reads`
    counts what the verify read, None where nobody counted.
    """

    verified: Literal["proven", "differs", "failed"] | None = None
    residual: str | None = None
    accepted: tuple[AcceptedUse, ...] = ()
    accepted_mark: str | None = None
    proven: VerifiedInputs | None = None
    standing: StateSnapshot | None = field(default=None, repr=False)
    fingerprint: Fingerprint | None = field(default=None, repr=False)
    remaining: tuple[str, ...] | None = None
    reads: ReadCount | None = None


@dataclass(slots=True, kw_only=True)
class Health:
    """What the health checks said; `began` once they may have let traffic in."""

    healthy: bool = True
    answers: tuple[Mapping[str, Any], ...] = ()
    began: bool = False


@dataclass(slots=True, kw_only=True)
class Objects:
    """What is known of single objects.

    `adopted` are those whose creates were in doubt, `proved` those of them that were absent before their
    create, `looked_for` those that were looked for, `let_go` those that stay in the cloud and left the state.
    `tagged_before` are ARNs that carried the shard's tags before anything was made that carries them, None
    where nobody asked. `sightings` is what was seen of objects before their creates. `ownership` was settled
    about the gated plan; `handed_over` left the state because another has it, by address.
    """

    adopted: set[Identity] = field(default_factory=set)
    proved: set[Identity] = field(default_factory=set)
    let_go: set[tuple[str, str]] = field(default_factory=set)
    looked_for: set[tuple[str, str | None]] = field(default_factory=set)
    tagged_before: frozenset[str] | None = None
    sightings: Sightings = field(default_factory=Sightings)
    ownership: Ownership = field(default_factory=Ownership)
    handed_over: dict[str, TrackedObject] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Course:
    """What was tried, how often. With `goes_on`, a destroy that was killed is carried on."""

    retries: int = 0
    recoveries: int = 0
    rollback_retries: int = 0
    blocked: bool = False
    goes_on: bool = True


@dataclass(kw_only=True)
class Attempt:
    """The work on a shard as far as it has come.

    `kept` is the shard's state record, `leftovers` what failed runs before it left. `rollback` is the try to
    go back; only `phases.rollback` replaces it. `notes` are sentences for the result.
    """

    task: Task
    kept: KeptRecord | None
    leftovers: Leftovers = field(default_factory=Leftovers)
    planning: Planning = field(default_factory=Planning)
    evidence: Evidence = field(default_factory=Evidence)
    verification: Verification = field(default_factory=Verification)
    health: Health = field(default_factory=Health)
    objects: Objects = field(default_factory=Objects)
    course: Course = field(default_factory=Course)
    rollback: RollbackAttempt | None = field(default=None, repr=False)
    failure: Failure | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def run(self) -> str:
        """The run."""
        return self.task.run

    @property
    def verb(self) -> Verb:
        """What is done."""
        return self.task.verb

    @property
    def policy(self) -> DeployPolicy:
        """What was agreed to."""
        return self.task.policy

    @property
    def artifact(self) -> str:
        """The artifact that is deployed, by its SHA-256."""
        return self.task.artifact

    @property
    def configuration(self) -> Document:
        """The configuration that is deployed."""
        return self.task.configuration

    @property
    def before(self) -> Baseline:
        """What was there when the run began."""
        return self.task.before

    @property
    def good(self) -> LastGoodDeployment | None:
        """The deployment to go back to."""
        return self.task.good

    @property
    def good_index(self) -> IdentityIndex:
        """The objects of that deployment; none where there is none."""
        return IdentityIndex() if self.good is None else self.good.record.index

    @property
    def health_began(self) -> bool:
        """Whether this run, or a failed one before it, may have let traffic in."""
        return self.health.began or self.leftovers.health_began

    @property
    def imports(self) -> tuple[ImportBlock, ...]:
        """Objects that are taken over on purpose."""
        return self.task.imports

    @property
    def decision(self) -> OperatorDecision:
        """What a person decided."""
        return self.task.decision

    @property
    def plan(self) -> Document:
        """The plan that was gated last."""
        return self.planning.plans[-1]

    @property
    def planned(self) -> PlannedChanges:
        """Its changes."""
        return read_plan(self.plan)

    @property
    def wanted(self) -> Document:
        """The configuration, with an import block for each object that is taken over on purpose."""
        return with_imports(self.configuration, self.imports) if self.imports else self.configuration

    @property
    def stage_configuration(self) -> Document:
        """What is applied before the deletes."""
        return self.wanted if self.planning.staging.stage_one is None else self.planning.staging.stage_one

    @property
    def final_configuration(self) -> Document:
        """What is to be deployed in the end; with what waits for its receiver."""
        return self.configuration if self.planning.staging.final is None else self.planning.staging.final

    def inputs_for(self, configuration: Document) -> Inputs | None:
        """What a configuration of this work reads, None for what the shard itself does."""
        back = self.rollback
        return back.inputs if back is not None and configuration is back.configuration else None

    def declaring(self, address: str) -> Document:
        """The configuration to read or import an object with: what is gone back to, where it has it."""
        back: Document = {} if self.rollback is None else self.rollback.configuration
        return back if declares(back, address) else self.stage_configuration

    def planned_values(self) -> Mapping[str, Document]:
        """What the plans knew beforehand of each object, the newest last; the rollback's plans too."""
        return {
            address: values
            for plan in (*self.planning.plans, *self.planning.rollback_plans)
            for address, values in planned_values_by_address(plan).items()
        }

    @cached_property
    def tainted(self) -> frozenset[str]:
        """Addresses whose object was never made to the end."""
        instances = managed(self.before.document or {})
        return frozenset(address for address, _, instance in instances if instance.get("status") == "tainted")

    @cached_property
    def consents(self) -> tuple[Approval, ...]:
        """What somebody approved by name, and what was never good: half made since the last good deploy."""
        good = self.good_index
        unused = () if self.leftovers.health_began else self.before.index.objects
        never_good = (
            Approval(tracked.address, snapshot="none: it was never good")
            for tracked in unused
            if tracked.address in self.tainted and tracked.identity not in good
        )
        kept = (
            Approval(address, snapshot="none: not deleted") for address in sorted(self.objects.ownership.kept)
        )
        return (*self.policy.consents, *never_good, *kept)

    @property
    def touched(self) -> frozenset[str]:
        """Every address this run's plans touched, and those failed runs before it touched."""
        mine = (read_plan(plan).touched for plan in self.planning.plans)
        return frozenset(self.leftovers.touched).union(*mine)

    @property
    def imported(self) -> frozenset[str]:
        """Addresses this run imported."""
        return frozenset(
            change.address for plan in self.planning.plans for change in read_plan(plan) if change.importing
        )

    @property
    def forgotten(self) -> frozenset[str]:
        """Addresses whose objects this run's plans let go of."""
        return frozenset(
            change.address
            for plan in self.planning.plans
            for change in read_plan(plan)
            if change.action.value == "forget"
        )

    def progress(self) -> Progress:
        """How far the applies of this run came, by their own events.

        Each apply is measured by itself: a step one of them left open was not ended by the next.
        """
        events_of_applies = [
            *(evidence_of(record).steps for record in self.evidence.records),
            tuple(self.evidence.assumed),
        ]
        each = [measure((), events) for events in events_of_applies]
        every = measure(
            planned_steps(self.planned), [event for events in events_of_applies for event in events]
        )
        return Progress(
            done=tuple(step for progress in each for step in progress.done),
            unfinished=tuple(step for progress in each for step in progress.unfinished),
            not_started=tuple(step for step in every.not_started if not self._waits(step)),
        )

    @property
    def put_back(self) -> int:
        """How many objects the rollback has changed, as its plans say."""
        changed = (read_plan(plan) for plan in self.planning.rollback_plans)
        return len({change.address for changes in changed for change in changes if change.touches})

    def begun(self) -> Iterator[Step]:
        """Yield each create that the events of this run's applies say was begun and not ended."""
        for record in self.evidence.records:
            yield from evidence_of(record).begun

    def refused(self) -> frozenset[str]:
        """Addresses whose create was refused, because their object was there before."""
        return frozenset[str]().union(*(evidence_of(record).refused for record in self.evidence.records))

    def _waits(self, step: Step) -> bool:
        """Whether this is a delete whose turn has not come."""
        return (
            step.action == "delete"
            and step.address in self.planning.staging.put_off
            and not self.planning.deletes_begun
        )
