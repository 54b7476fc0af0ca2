"""From the engine's words to ours: progress as events, a failed apply as reason, evidence and advice."""

from dataclasses import dataclass, replace

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.decisions.guard import Violation
from holdfast_orchestrator.deploy.work.next_commands import correct_and_deploy, deploy_after_all
from holdfast_orchestrator.engine import ui_events as ui
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, Diagnostic, places
from holdfast_orchestrator.engine.outcomes import ApplyOutcome
from holdfast_orchestrator.errors import EngineError, HoldfastError, NeedsPersonError
from holdfast_orchestrator.events import ResourceProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an apply failed: a sentence, what to do, and the engine's own words with places in the source.

    `lasts` says that the next step is the same once everything is undone.
    """

    reason: str
    next_step: str
    evidence: tuple[str, ...]
    lasts: bool = False


def failure_of(applied: ApplyOutcome, shard: Shard, *, interrupted: bool) -> Failure:
    """Return what a failed apply has to say for itself."""
    errors = [diagnostic for diagnostic in applied.diagnostics if diagnostic.is_error]
    why = errors[0].summary if errors else "it gave no reason"
    cause = "the apply was interrupted" if interrupted else f"the apply failed: {why}"
    advice = next((error.advice for error in errors if error.advice), correct_and_deploy(shard))
    return Failure(
        reason=f"{cause} ({applied.completed} of {applied.started} changes that had begun were done)",
        next_step=deploy_after_all(shard) if interrupted else advice,
        evidence=tuple(line for error in errors for line in _told(error, shard)),
        lasts=interrupted,
    )


def failure_before_apply(error: EngineError, shard: Shard) -> Failure:
    """Return what a command has to say that failed before anything was applied."""
    failure = _failure_of_command(error, shard)
    return (
        failure
        if error.next_step
        else replace(failure, next_step=f"nothing was applied; {failure.next_step}")
    )


def _failure_of_command(error: EngineError, shard: Shard) -> Failure:
    diagnostics = error.diagnostics if isinstance(error, CommandFailedError) else ()
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
    command = error.command if isinstance(error, CommandFailedError) else "Terraform"
    return Failure(
        reason=f"{command} failed: {errors[0].summary}" if errors else error.what,
        next_step=error.next_step or correct_and_deploy(shard),
        evidence=tuple(line for diagnostic in errors for line in _told(diagnostic, shard)),
    )


def failure_of_error(error: HoldfastError, shard: Shard) -> Failure:
    """Return what any error has to say; something may have been applied before."""
    if isinstance(error, EngineError):
        return _failure_of_command(error, shard)
    return Failure(reason=error.what, next_step=error.next_step or "", evidence=())


def progress_of(event: ui.UiEvent, shard: str) -> ResourceProgress | None:
    """Return what an engine's event means for somebody watching, None for nothing."""
    match event:
        case ui.ApplyStart():
            state = "started"
        case ui.ApplyProgress():
            state = "running"
        case ui.ApplyComplete():
            state = "done"
        case ui.ApplyErrored():
            state = "failed"
        case _:
            return None
    return ResourceProgress(
        shard=shard, address=event.address, action=event.action, state=state, seconds=event.seconds
    )


def _told(diagnostic: Diagnostic, shard: Shard) -> tuple[str, ...]:
    where = places(diagnostic, shard.sources, shard.configuration)
    return (*diagnostic.text.splitlines(), *(f"where: {place}" for place in where))


class BlockedRollbackError(NeedsPersonError):
    """The rollback is refused; nothing of it was applied. Carries what the guard found."""

    def __init__(self, what: str, *, next_step: str, violations: tuple[Violation, ...]) -> None:
        super().__init__(what, next_step=next_step)
        self.violations = violations
