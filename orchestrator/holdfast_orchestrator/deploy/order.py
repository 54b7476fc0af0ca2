"""What a run is to do."""

from dataclasses import dataclass, field

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.run_recorder import Transcribe
from holdfast_orchestrator.deploy.shard.intent import RollbackTarget
from holdfast_orchestrator.plan.result import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The shards of a run, and what to do with them.

    `shown` are the plans that were looked at. `policy` says what may be lost and what happens after a
    failure; `back` that shards are to go back, and where to; `atomic` that all shards go back when one
    fails. `refresh` looks at reality where nothing else has changed. `per_account` is the most
    shards of one account at once. `command` is the command line and `transcribe` makes the transcript of what
    is shown, for the records.
    """

    shards: tuple[Shard, ...]
    max_parallel: int
    transcribe: Transcribe
    destroy: bool = False
    policy: DeployPolicy = field(default_factory=DeployPolicy)
    shown: Plan | None = None
    back: RollbackTarget | None = None
    atomic: bool = False
    refresh: bool = False
    per_account: int | None = None
    command: str = ""

    @property
    def verb(self) -> str:
        """What is done: deploy, destroy or rollback."""
        if self.back is not None:
            return "rollback"
        return "destroy" if self.destroy else "deploy"

    @property
    def names(self) -> tuple[str, ...]:
        """The shards' names, in dependency order."""
        return tuple(shard.name for shard in self.shards)
