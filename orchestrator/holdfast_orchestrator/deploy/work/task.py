"""What is to be done to one shard, and what was there before."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.record.last_good import LastGood, Promoted, Rejected
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.json_values import Document

Verb = Literal["deploy", "destroy", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was there when the run began. `snapshot` None: no state; `backup` is where its copy lies."""

    snapshot: StateSnapshot | None
    index: IdentityIndex
    backup: str | None = None

    @property
    def document(self) -> Document | None:
        """The state's document."""
        return None if self.snapshot is None else self.snapshot.document


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGoodDeployment:
    """The deployment to go back to: its record, and the configuration of its artifact.

    `lost` says why the artifact cannot be had; then there is no way back to it.
    """

    promoted: Promoted
    configuration: Document = field(repr=False)
    lost: str | None = None

    @property
    def record(self) -> LastGood:
        """The record."""
        return self.promoted.record


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDecision:
    """What a person decided about a rollback that is stuck: which addresses to leave, which to let go."""

    skip: tuple[str, ...] = ()
    orphan: tuple[str, ...] = ()
    accept_forward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be done to a shard, and what there was when it began.

    `target` is the run that a rollback by hand goes back to, `rejected` the version that it rejects by that.
    `imports` are objects that are taken over on purpose.
    """

    run: str
    verb: Verb
    policy: DeployPolicy
    artifact: str
    configuration: Document = field(repr=False)
    before: Baseline
    good: LastGoodDeployment | None
    began: datetime
    target: str | None = None
    rejected: Rejected | None = None
    decision: OperatorDecision = field(default_factory=OperatorDecision)
    imports: tuple[ImportBlock, ...] = ()
