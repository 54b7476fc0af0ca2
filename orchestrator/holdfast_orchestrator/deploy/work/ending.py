"""What the work on a shard is for, and how it ended."""

from dataclasses import dataclass, field

from holdfast_orchestrator.deploy.decisions.apply_progress import StepCounts
from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.task import Verb
from holdfast_orchestrator.record.last_good import Rejected
from holdfast_orchestrator.terraform.accepted import AcceptedUse
from holdfast_orchestrator.terraform.reads import ReadCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a run does to a shard, as its records say it.

    `target` is the run that a rollback goes back to, `rejected` the version that it rejects by that.
    """

    verb: Verb
    target: str | None = None
    rejected: Rejected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How it ended: `failure` says why and what to do where it is not committed.

    `accepted` is what the last verify still showed, as somebody accepted; `verify` counts what it read.
    `done` is what the applies of a shard that is left half done have changed, `put_back` how many objects a
    rollback has.
    """

    outcome: Outcome
    exit_code: int = 0
    failure: Failure | None = None
    accepted: tuple[AcceptedUse, ...] = ()
    verify: ReadCount | None = None
    done: StepCounts = field(default_factory=StepCounts)
    put_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """How it ended, the serial of the state it left, and the backup made before."""

    ending: Ending
    serial: int | None
    backup: str | None
