"""What the shards of a run share while it changes things: who deploys, owners, checks made once."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.decisions.reversibility import Approval
from holdfast_orchestrator.ownership.bucket_owners import BucketOwners
from holdfast_orchestrator.record.actor import Actor, aws_caller, find_actor, git_revision
from holdfast_orchestrator.state.conditional_writes import ConditionalWrites
from holdfast_orchestrator.state.lease import Leases
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.system.workers import WorkerPool

_HANDS = 16

OnFirstFailure = Literal["keep", "destroy-created"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployPolicy:
    """What a deploy may do when things go wrong, and what somebody has agreed to beforehand.

    `rollback` False keeps whatever a failed deploy has left. `on_first_failure` is for a shard that was
    never good. `approvals` name what may be lost or changed one way; `allowed` addresses may be lost as
    they are. `rebaseline` accepts a state that Holdfast did not write, `take_over_app` the shards of an app
    that was called so. `adopt` are addresses whose objects are there already and are taken over.
    `lease_wait` is in seconds. `redeploy` are runs whose versions may be
    deployed again although they were rolled back from by hand. `operator` says that a person asked for the
    shard; `together` that what it depends on goes back as well.
    """

    rollback: bool = True
    on_first_failure: OnFirstFailure = "keep"
    approvals: tuple[Approval, ...] = ()
    allowed: frozenset[str] = frozenset()
    rebaseline: bool = False
    take_over_app: str | None = None
    adopt: frozenset[str] = frozenset()
    lease_wait: float = 0.0
    redeploy: frozenset[str] = frozenset()
    operator: bool = False
    together: bool = False

    @property
    def consents(self) -> tuple[Approval, ...]:
        """Every approval; what may be lost as it is needs no snapshot."""
        return (*self.approvals, *(Approval(name, snapshot="none wanted") for name in sorted(self.allowed)))


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Made once for a run. The actor and the revision are looked up in the background.

    `taken_over` says that another process may have begun a shard for this very run, and died.
    `owners` knows what every state has. `hands` are for requests to a bucket that a shard makes at the same
    time; none waits for another.
    """

    runtime: Runtime
    policy: DeployPolicy
    found_actor: "Future[Actor]"
    found_git: "Future[str | None]"
    taken_over: bool = False
    conditional: ConditionalWrites = field(default_factory=ConditionalWrites)
    owners: BucketOwners = field(default_factory=BucketOwners)
    hands: WorkerPool = field(default_factory=lambda: WorkerPool(_HANDS, "hand"))

    @classmethod
    def open(cls, run: Run, shards: tuple[Shard, ...], policy: DeployPolicy) -> Self:
        """Start looking up the AWS caller and the git revision in the background."""
        runtime = run.runtime
        with_helpers = WorkerPool(2, thread_name_prefix="run-context")
        try:
            return cls(
                runtime=runtime,
                policy=policy,
                found_actor=with_helpers.submit(find_actor, runtime, aws_caller=_caller(run, shards)),
                found_git=with_helpers.submit(git_revision, runtime, Path(runtime.cwd)),
            )
        finally:
            with_helpers.shutdown(wait=False)

    @classmethod
    def of(cls, runtime: Runtime, policy: DeployPolicy, *, actor: Actor, git: str | None) -> Self:
        """Return the context of a run whose actor and revision are known."""
        found_actor: Future[Actor] = Future()
        found_actor.set_result(actor)
        found_git: Future[str | None] = Future()
        found_git.set_result(git)
        return cls(runtime=runtime, policy=policy, found_actor=found_actor, found_git=found_git)

    @property
    def actor(self) -> Actor:
        """Who deploys."""
        return self.found_actor.result()

    @property
    def git(self) -> str | None:
        """The app's revision, None outside of git."""
        return self.found_git.result()

    def leases(self, store: DurableStore) -> Leases:
        """The leases of a bucket."""
        return Leases(store, self.runtime)


def _caller(run: Run, shards: tuple[Shard, ...]) -> Callable[[], str | None]:
    """Looks the AWS caller up; nobody where all shards are of the local cloud."""
    shard = next((shard for shard in shards if shard.cloud == "aws"), None)
    if shard is None:
        return lambda: None
    return lambda: aws_caller(run.runtime, region=shard.region, environ=run.tools.environ(shard.cloud))
