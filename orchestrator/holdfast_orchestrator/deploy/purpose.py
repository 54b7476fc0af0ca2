"""What a run does to a shard, as its records say it, and the refusal to deploy a rejected version again."""

from dataclasses import dataclass

from holdfast_orchestrator.deploy.attempt import Verb
from holdfast_orchestrator.deploy.bench import Bench
from holdfast_orchestrator.deploy.commands import deploy_command
from holdfast_orchestrator.deploy.preflight import Known
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.record.last_good import Rejected
from holdfast_orchestrator.rollback.documents import Document, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a run does.

    `target` is the run that a rollback goes back to, `rejected` the version that it rejects by that.
    """

    verb: Verb
    target: str | None = None
    rejected: Rejected | None = None


def refuse_rejected(bench: Bench, known: Known, configuration: Document) -> None:
    """Raise GateError where this very version was rolled back from by hand, and nobody asks for it again."""
    rejected = () if known.good is None else known.good.record.rejected
    found = next((each for each in rejected if each.configuration == digest(configuration)), None)
    if found is None or found.run in bench.desk.policy.redeploy:
        return
    raise GateError(
        f"this is exactly the version of run {found.run}, which was rolled back from by hand",
        next_step="correct it in the app; or, to deploy it all the same: "
        + deploy_command(bench.shard, "--redeploy", found.run),
    )
