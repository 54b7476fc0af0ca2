"""What a deploy says beside how its shards end: its outputs, and what the local cloud only simulates."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from holdfast_orchestrator.app.manifest import LOCAL, Shard
from holdfast_orchestrator.context.tools import Tools
from holdfast_orchestrator.deploy.outcome import Outcome, RunResult
from holdfast_orchestrator.record.outputs import ShardOutputs, declares_outputs, deployed
from holdfast_orchestrator.state.shard_objects import read_each

SIMULATED = "the local cloud runs no ECS tasks: the health of tasks and targets is simulated, not checked"


def simulates_tasks(shard: Shard) -> bool:
    """Return whether the local cloud will answer for tasks of this shard that do not run."""
    return shard.cloud == LOCAL and b'"aws_ecs_service"' in shard.configuration


def with_outputs(result: RunResult, shards: Iterable[Shard], tools: Tools) -> RunResult:
    """Return the result with the outputs of each committed shard that declares any for people to read.

    A shard whose outputs cannot be read is left out: the deploy has ended as it has.
    """
    return replace(result, outputs=tuple(_outputs(result, shards, tools)))


def _outputs(result: RunResult, shards: Iterable[Shard], tools: Tools) -> Iterator[ShardOutputs]:
    committed = {
        shard.state.folder: shard
        for shard in shards
        if result.outcome.get(shard.name) is Outcome.COMMITTED and declares_outputs(shard.configuration)
    }

    def read(folder: str) -> ShardOutputs | None:
        shard = deployed(tools.store(committed[folder]), folder)
        return None if shard is None else shard.outputs()

    return (outputs for _, outputs in read_each(committed, read))
