"""What the commands of one run share: the app, the tools, the clock, where events go."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.context.tools import Tools
from holdfast_orchestrator.events import Event, RunStarted
from holdfast_orchestrator.run_id import new_run_id
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.runtime import Clock, Runtime
from holdfast_orchestrator.system.stop import StopSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What every shard of a run shares.

    `label` gives the name a person reads; `project` is the app's name for itself;
    without `is_named` only its folder is called so.
    """

    id: str
    manifest: Manifest
    tools: Tools
    runtime: Runtime
    redactor: Redactor
    emit: Callable[[Event], None]
    stop: StopSignal
    label: Callable[[str], str]
    project: str = ""
    is_named: bool = True

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.runtime.clock

    def anew(self) -> "Run":
        """Return the same run under a new id: for another turn of a shard whose journal is closed."""
        return replace(self, id=new_run_id(self.clock.now()))

    def started(self, verb: str, shards: tuple[Shard, ...]) -> RunStarted:
        """Return the event that opens the run."""
        names = frozenset(shard.name for shard in shards)
        waits_for = {shard.name: tuple(names & set(shard.depends_on)) for shard in shards}
        if verb == "destroy":
            waits_for = {
                name: tuple(other for other in names if name in waits_for[other]) for name in waits_for
            }
        return RunStarted(
            run=self.id,
            verb=verb,
            shards=tuple(shard.name for shard in shards),
            labels=tuple(self.label(shard.name) for shard in shards),
            environments=tuple(sorted({shard.environment for shard in shards})),
            accounts=tuple(sorted({shard.account for shard in shards})),
            regions=tuple(sorted({shard.region for shard in shards})),
            waits_for=tuple(tuple(sorted(waits_for[shard.name])) for shard in shards),
        )
