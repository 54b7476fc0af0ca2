"""Runs the health checks after the apply, and answers with yes or no."""

from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import correct_and_deploy, deploy_after_all
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.health.checks import output_values, parse_checks
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.readiness import ready_before
from holdfast_orchestrator.health.watch import CheckProgress, pinned, watch


def refuse_unready(leased: LeasedShard, attempt: Attempt) -> None:
    """Raise GateError where a health check would fail before anything is changed."""
    if not leased.shard.health_checks or attempt.verb == "destroy":
        return
    snapshot = attempt.before.snapshot
    outputs = output_values({} if snapshot is None else snapshot.outputs)
    problems = ready_before(parse_checks(leased.shard), outputs, _doors(leased))
    if problems:
        raise GateError("; ".join(problems), next_step="correct that first, then deploy")


def gate_health(leased: LeasedShard, attempt: Attempt) -> None:
    """Watch the shard's checks to their end and put the answer into the attempt."""
    attempt.health.began = True
    if not leased.shard.health_checks:
        return
    snapshot = attempt.verification.standing or leased.snapshot()
    if snapshot is None:
        return
    leased.step("checking health")
    outputs = output_values(snapshot.outputs)
    checks = pinned(parse_checks(leased.shard), snapshot.document, outputs)
    verdict = watch(
        checks,
        outputs,
        _doors(leased),
        stop=leased.run.stop,
        on_progress=lambda progress: _tell(leased, progress),
    )
    # A check says what a program or a server answered, and the answers go into records.
    attempt.health.answers = tuple(leased.run.redactor.value(answer.to_json()) for answer in verdict.answers)
    attempt.health.healthy = bool(verdict)
    if not verdict:
        reason = "interrupted while health was being checked" if verdict.stopped else "not healthy"
        why = "; ".join(str(answer) for answer in verdict.failures) or reason
        advice = deploy_after_all if verdict.stopped else correct_and_deploy
        attempt.failure = Failure(
            reason=why,
            next_step=advice(leased.shard),
            evidence=verdict.evidence,
            lasts=verdict.stopped,
        )


def _tell(leased: LeasedShard, progress: CheckProgress) -> None:
    leased.step(f"checking health: {progress.check}: {progress.what}")


def _doors(leased: LeasedShard) -> CheckContext:
    runtime = leased.run.runtime
    environ = leased.run.tools.environ(leased.shard.cloud)
    return CheckContext.of(leased.shard, runtime, environ=environ, project=runtime.cwd)
