"""Workers of another process or machine, and how work is taken over from one that died."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import ShardResult
from holdfast_orchestrator.deploy.resume import go_on
from holdfast_orchestrator.deploy.run_context import RunContext
from holdfast_orchestrator.deploy.shard.deploy import ShardDeploy
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.state.lease import EXPIRES_AFTER

PATIENCE_SECONDS = EXPIRES_AFTER + 30.0
"""How long the lease of a dead worker is waited for: it expires a minute after it was last renewed."""


class Workers(Protocol):
    """Work on one shard at a time for each thread that asks."""

    def listening(self, run: Run) -> AbstractContextManager[None]:
        """Return what is entered around all the work for a run."""

    def work(self, shard: Shard, run: Run, intent: Intent, run_context: RunContext) -> ShardResult:
        """Work on a shard as its intent says; whatever happens is the result."""


def take_over(shard: Shard, run: Run, intent: Intent, run_context: RunContext) -> ShardResult:
    """Work on a shard that another process may have begun for this very run: go on from there, or begin."""
    policy = replace(
        run_context.policy,
        # The run that asked for the shard is the one to take it from its own dead.
        operator=True,
        lease_wait=max(run_context.policy.lease_wait, PATIENCE_SECONDS),
    )
    ended = go_on(shard, run, replace(run_context, policy=policy))
    return ended or ShardDeploy(shard, run, intent, replace(run_context, taken_over=True)).result()
