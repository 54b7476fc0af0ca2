"""What a run does to a shard, as its records say it."""

from dataclasses import dataclass

from holdfast_orchestrator.deploy.work.attempt import Verb
from holdfast_orchestrator.record.last_good import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a run does.

    `target` is the run that a rollback goes back to, `rejected` the version that it rejects by that.
    """

    verb: Verb
    target: str | None = None
    rejected: Rejected | None = None
