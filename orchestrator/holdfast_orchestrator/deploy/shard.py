"""Deploy or destroy one shard: init, plan, gates, backup, apply that plan, record.

In goes a shard and what was shown and allowed; out comes a result, whatever happens: an error of any
step is the shard's outcome and nobody else's.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast_orchestrator.deploy.outcome import Outcome, ShardResult
from holdfast_orchestrator.errors import (
    GateError,
    HoldfastError,
    InterruptedSafelyError,
    NeedsPersonError,
)
from holdfast_orchestrator.events import ShardStep, StateBackedUp
from holdfast_orchestrator.gate import Proposal, pass_gates
from holdfast_orchestrator.manifest import Shard
from holdfast_orchestrator.plan.document import PlanDocument
from holdfast_orchestrator.plan.preview import ShardPlan, StateStamp, configuration_sha256
from holdfast_orchestrator.plan.shard import Run, plan_with
from holdfast_orchestrator.plan.upstream import waits_for
from holdfast_orchestrator.state.backup import back_up
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot
from holdfast_orchestrator.stop import Urgency

if TYPE_CHECKING:
    from holdfast_orchestrator.engine.outcomes import ApplyOutcome
    from holdfast_orchestrator.engine.terraform import Terraform
    from holdfast_orchestrator.engine.ui_events import UiEvent

_KEPT_PLAN = "kept.tfplan"
_INTERRUPTED = "interrupted before anything was applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is wanted of a shard: deploy or `destroy`; `allowed` addresses may be lost.

    `shown` is the plan that was looked at. It is applied as it is while `upstream_changed` says that
    nothing above the shard has changed since; otherwise the shard is planned again.
    """

    destroy: bool = False
    allowed: frozenset[str] = frozenset()
    shown: ShardPlan | None = None
    upstream_changed: bool = False


@dataclass(slots=True, kw_only=True)
class _Progress:
    """What is known so far, for the result."""

    document: PlanDocument = field(default_factory=PlanDocument)
    backup: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardDeploy:
    """One shard's way through the steps."""

    shard: Shard
    run: Run
    intent: Intent = Intent()
    progress: _Progress = field(default_factory=_Progress)

    def result(self) -> ShardResult:
        """Go through the steps and say how it ended."""
        began = self.run.clock.monotonic()
        try:
            ended = self._steps()
        except HoldfastError as error:
            ended = self._stopped(error)
        return replace(ended, seconds=self.run.clock.monotonic() - began)

    def _steps(self) -> ShardResult:
        self._go_on()
        waiting = () if self.intent.destroy else waits_for(self.shard, self.run.manifest, self.run.tools)
        if waiting:
            names = ", ".join(f"`{self.run.label(name)}`" for name in waiting)
            raise HoldfastError(
                f"waits for {names}, whose outputs it refers to are not there",
                next_step=f"deploy {names} first, or together with it",
            )
        with self.run.tools.folder(self.shard):
            snapshot = self._snapshot()
            if self.intent.destroy and (snapshot is None or not snapshot.manages_something):
                return self._ended(Outcome.UNCHANGED)
            if self._was_shown_empty(snapshot):
                return self._ended(Outcome.UNCHANGED, serial=snapshot.serial if snapshot else None)
            terraform = self.run.tools.terraform(self.shard, self._tell)
            with self.run.stop.interrupting(terraform.interrupt):
                return self._with_terraform(terraform)

    def _with_terraform(self, terraform: "Terraform") -> ShardResult:
        plan = self._shown_plan(terraform) or plan_with(
            terraform, self.shard, self.run, destroy=self.intent.destroy
        )
        document = plan.document or PlanDocument()
        self.progress.document = document
        if document.is_empty:
            return self._ended(Outcome.UNCHANGED, serial=plan.state.serial if plan.state else None)
        pass_gates(self._proposal(document))
        self._go_on()
        self._back_up()
        self._go_on()
        self.run.emit(ShardStep(shard=self.shard.name, step="applying"))
        return self._applied(terraform.apply(terraform.workdir / self._plan_file(plan)))

    def _applied(self, applied: "ApplyOutcome") -> ShardResult:
        if applied.errored_state is not None:
            raise NeedsPersonError(
                f"Terraform could not save the state; {applied.errored_state} is the only copy of it",
                next_step=f"terraform -chdir={applied.errored_state.parent} state push errored.tfstate",
            )
        from holdfast_orchestrator.deploy.narration import failure_of  # noqa: PLC0415 - only with Terraform

        snapshot = self._snapshot()
        serial = None if snapshot is None else snapshot.serial
        if applied:
            return self._ended(Outcome.COMMITTED, serial=serial)
        failure = failure_of(applied, self.shard, interrupted=self.run.stop.urgency is Urgency.INTERRUPT)
        return self._ended(
            Outcome.FAILED,
            serial=serial,
            reason=failure.reason,
            next_step=failure.next_step,
            evidence=failure.evidence,
        )

    def _shown_plan(self, terraform: "Terraform") -> ShardPlan | None:
        """The plan that was looked at, put where Terraform works, if it may still be applied as it is."""
        shown = self.intent.shown
        if shown is None or shown.content is None or self.intent.upstream_changed:
            return None
        if shown.configuration_sha256 != configuration_sha256(self.shard):
            return None
        if shown.state != StateStamp.of(self._snapshot()):
            return None
        self.run.emit(ShardStep(shard=self.shard.name, step="initialising"))
        terraform.init()
        file = terraform.workdir / _KEPT_PLAN
        file.touch(mode=0o600)
        file.write_bytes(shown.content)
        return shown

    def _was_shown_empty(self, snapshot: StateSnapshot | None) -> bool:
        shown = self.intent.shown
        return (
            shown is not None
            and not self.intent.upstream_changed
            and shown.document is not None
            and shown.document.is_empty
            and shown.state == StateStamp.of(snapshot)
        )

    def _plan_file(self, plan: ShardPlan) -> str:
        return _KEPT_PLAN if plan is self.intent.shown else "plan.tfplan"

    def _proposal(self, document: PlanDocument) -> Proposal:
        shown = self.intent.shown
        return Proposal(
            shard=self.shard,
            document=document,
            allowed=self.intent.allowed,
            shown=None if shown is None else shown.document,
        )

    def _back_up(self) -> None:
        snapshot = self._snapshot()
        if snapshot is None:
            return
        self.run.emit(ShardStep(shard=self.shard.name, step="backing up"))
        self.progress.backup = back_up(self.run.tools.store(self.shard), snapshot)
        self.run.emit(StateBackedUp(shard=self.shard.name, key=self.progress.backup, serial=snapshot.serial))

    def _snapshot(self) -> StateSnapshot | None:
        return read_snapshot(self.run.tools.store(self.shard), self.shard.state.key)

    def _go_on(self) -> None:
        if self.run.stop.asked:
            raise InterruptedSafelyError(_INTERRUPTED)

    def _stopped(self, error: HoldfastError) -> ShardResult:
        if self.run.stop.urgency is Urgency.INTERRUPT and not isinstance(error, NeedsPersonError):
            error = InterruptedSafelyError(_INTERRUPTED)
        match error:
            case InterruptedSafelyError():
                outcome = Outcome.SKIPPED
            case GateError():
                outcome = Outcome.BLOCKED
            case NeedsPersonError():
                outcome = Outcome.NEEDS_HUMAN
            case _:
                outcome = Outcome.FAILED
        return self._ended(outcome, reason=error.what, next_step=error.next_step, exit_code=error.exit_code)

    def _ended(
        self,
        outcome: Outcome,
        *,
        serial: int | None = None,
        reason: str | None = None,
        next_step: str | None = None,
        evidence: tuple[str, ...] = (),
        exit_code: int | None = None,
    ) -> ShardResult:
        seen = self.run.redactor.text
        document = self.progress.document
        return ShardResult(
            shard=self.shard.name,
            label=self.run.label(self.shard.name),
            outcome=outcome,
            reason=None if reason is None else seen(reason),
            next_step=None if next_step is None else seen(next_step),
            evidence=tuple(map(seen, evidence)),
            added=document.added,
            changed=document.changed,
            destroyed=document.destroyed,
            serial=serial,
            backup=self.progress.backup,
            exit_code=(0 if outcome.is_good else 1) if exit_code is None else exit_code,
        )

    def _tell(self, event: "UiEvent") -> None:
        from holdfast_orchestrator.deploy.narration import progress_of  # noqa: PLC0415 - only with Terraform

        if (progress := progress_of(event, self.shard.name)) is not None:
            self.run.emit(progress)
