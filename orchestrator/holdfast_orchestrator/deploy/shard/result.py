"""Builds a shard's result from what is known so far; turns errors into results."""

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.errors import (
    EngineError,
    GateError,
    HoldfastError,
    InterruptedSafelyError,
    LeasedError,
    NeedsPersonError,
)
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.plan.document import PlanDocument
from holdfast_orchestrator.system.stop import Urgency
from holdfast_orchestrator.terraform.accepted import AcceptedUse

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.work.ending import Ending, Launched
    from holdfast_orchestrator.deploy.work.failure import Failure

INTERRUPTED = "interrupted before anything was applied"


@dataclass(slots=True, kw_only=True)
class ResultBuilder:
    """What is known of one shard's deploy.

    `begun` says that it may have changed something; `over` is how it ended, once it has.
    """

    shard: Shard
    run: Run
    document: PlanDocument = field(default_factory=PlanDocument)
    backup: str | None = None
    begun: bool = False
    over: ShardResult | None = None
    accepted: tuple[AcceptedUse, ...] = ()
    put_off: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()

    def planned(self, document: PlanDocument) -> None:
        """Note what is planned."""
        self.document = document

    def good(self, outcome: Outcome, *, serial: int | None = None) -> ShardResult:
        """Return the result of a shard that ended well."""
        self.accepted = self.document.accepted
        self.over = replace(self._result(outcome), serial=serial)
        return self.over

    def failed(self, failure: "Failure", *, serial: int | None = None) -> ShardResult:
        """Return the result of a shard whose plan or apply failed."""
        redacted = self.run.redactor.text
        return replace(
            self._result(Outcome.FAILED),
            serial=serial,
            reason=redacted(failure.reason),
            next_step=redacted(failure.next_step),
            evidence=tuple(map(redacted, failure.evidence)),
            exit_code=1,
        )

    def launched(self, launched: "Launched") -> ShardResult:
        """Return the result of a shard that was deployed, or taken up."""
        self.backup = launched.backup
        return self.ended(launched.ending, serial=launched.serial)

    def ended(self, ending: "Ending", *, serial: int | None = None) -> ShardResult:
        """Return the result of a shard whose machine came to an end."""
        redacted, failure = self.run.redactor.text, ending.failure
        self.accepted = ending.accepted
        if not ending.outcome.is_good:
            # What was planned is not what was done.
            self.document = PlanDocument()
        done = {} if ending.outcome.is_good else asdict(ending.done)
        self.over = replace(
            self._result(ending.outcome),
            **done,
            put_back=ending.put_back,
            serial=serial,
            reason=None if failure is None else redacted(failure.reason),
            next_step=None if failure is None else redacted(failure.next_step) or None,
            evidence=() if failure is None else tuple(map(redacted, failure.evidence)),
            exit_code=ending.exit_code,
            verify=ending.verify,
        )
        return self.over

    def stopped(self, error: HoldfastError) -> ShardResult:
        """Return the result of a shard that an error put an end to; one that had ended stays as it is."""
        if self.over is not None:
            sentence = f"{self.over.label} had ended ({self.over.outcome.value}), and then: {error}"
            self.run.emit(Notice(shard=self.shard.name, message=sentence))
            return self.over
        if self._is_interrupted(error):
            error = InterruptedSafelyError(INTERRUPTED)
        if isinstance(error, EngineError):
            from holdfast_orchestrator.deploy.work.failure import failure_before_apply  # noqa: PLC0415 - engine only

            return self.failed(failure_before_apply(error, self.shard))
        redacted = self.run.redactor.text
        result = self._result(_outcome_of(error))
        return replace(
            # Of what was planned nothing was done.
            result if self.begun else replace(result, added=0, changed=0, destroyed=0),
            reason=redacted(error.what),
            next_step=None if error.next_step is None else redacted(error.next_step),
            exit_code=error.exit_code,
        )

    def _is_interrupted(self, error: HoldfastError) -> bool:
        if self.begun or isinstance(error, NeedsPersonError | LeasedError | InterruptedSafelyError):
            return False
        return self.run.stop.urgency is Urgency.INTERRUPT

    def _result(self, outcome: Outcome) -> ShardResult:
        """A result of what is known so far; the caller adds why and with which exit code."""
        return ShardResult(
            shard=self.shard.name,
            label=self.run.label(self.shard.name),
            outcome=outcome,
            added=self.document.added,
            changed=self.document.changed,
            destroyed=self.document.destroyed,
            backup=self.backup,
            accepted=self.accepted,
            put_off=self.put_off,
            waits_for=self.waits_for,
        )


def _outcome_of(error: HoldfastError) -> Outcome:
    match error:
        case InterruptedSafelyError():
            return Outcome.SKIPPED
        case GateError():
            return Outcome.BLOCKED
        case NeedsPersonError():
            return Outcome.NEEDS_HUMAN
        case _:
            return Outcome.FAILED
