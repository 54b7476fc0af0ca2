"""Health checks after the apply, as a yes or no for the machine."""

from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.failure import Failure
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.deploy.work.next_commands import correct_and_deploy
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.health.checks import output_values, parse_checks
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.readiness import ready_before
from holdfast_orchestrator.health.watch import CheckProgress, pinned, watch


def refuse_unready(bench: LeasedShard, attempt: Attempt) -> None:
    """Raise GateError where a health check stands in the way before anything is changed."""
    if not bench.shard.health_checks or attempt.verb == "destroy":
        return
    snapshot = attempt.before.snapshot
    outputs = output_values({} if snapshot is None else snapshot.outputs)
    problems = ready_before(parse_checks(bench.shard), outputs, _doors(bench))
    if problems:
        raise GateError("; ".join(problems), next_step="correct that first, then deploy")


def gate_health(bench: LeasedShard, attempt: Attempt) -> None:
    """Watch the shard's checks to their end and put the answer into the attempt."""
    attempt.health_began = True
    if not bench.shard.health_checks:
        return
    snapshot = attempt.standing or bench.snapshot()
    if snapshot is None:
        return
    bench.step("checking health")
    outputs = output_values(snapshot.outputs)
    checks = pinned(parse_checks(bench.shard), snapshot.document, outputs)
    verdict = watch(
        checks,
        outputs,
        _doors(bench),
        stop=bench.run.stop,
        on_progress=lambda progress: _tell(bench, progress),
    )
    # A check says what a program or a server answered, and the answers go into records.
    attempt.health = tuple(bench.run.redactor.value(answer.to_json()) for answer in verdict.answers)
    attempt.healthy = bool(verdict)
    if not verdict:
        reason = "interrupted while health was being checked" if verdict.stopped else "not healthy"
        why = "; ".join(str(answer) for answer in verdict.failures) or reason
        attempt.failure = Failure(
            reason=why, next_step=correct_and_deploy(bench.shard), evidence=verdict.evidence
        )


def _tell(bench: LeasedShard, progress: CheckProgress) -> None:
    bench.step(f"checking health: {progress.check}: {progress.what}")


def _doors(bench: LeasedShard) -> CheckContext:
    runtime = bench.run.runtime
    environ = bench.run.tools.environ(bench.shard.cloud)
    return CheckContext.of(bench.shard, runtime, environ=environ, project=runtime.cwd)
