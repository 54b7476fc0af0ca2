"""Runs over doubles that died, wait for somebody or are held elsewhere, and what takes them up."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_world import CHAIN, Deployment, World, shard

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import RunResult, ShardResult
from holdfast_orchestrator.deploy.resume import ResumeRequest, take_up_run
from holdfast_orchestrator.deploy.run_context import DeployPolicy, RunContext
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.deploy.workers import take_over
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.entry import Edge, Entry, JournalName
from holdfast_orchestrator.record.journal.journal import Journal, read_journal
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.report.transcript import Transcript
from holdfast_orchestrator.state.lease_record import Kind, LeaseRecord, lease_key
from holdfast_orchestrator.state.process_identity import ProcessIdentity
from holdfast_orchestrator.testing import FrozenClock

AUDIT, NETWORK = BOTH = (shard("audit"), CHAIN[0])
ELSEWHERE = ProcessIdentity(host="runner-9", boot="boot-9", namespace="pid:[9]", pid=9, born="then")


class DiedError(BaseException):
    """The runner is no more."""


def died(world: World, shards: tuple[Shard, ...] = BOTH) -> str:
    """A run whose runner died while it applied `network`, `audit` being done; returns its name."""

    def die(call: str) -> None:
        if call == "apply plan.tfplan of network":
            raise DiedError

    world.losses = {"network": "aws_sns_topic.old", **world.losses}
    world.on_call = die
    deployment = Deployment(world, shards)
    with pytest.raises(DiedError):
        deployment.carry_out()
    world.on_call = lambda _call: None
    run = open_run(world)
    assert run is not None
    return run


def open_run(world: World) -> str | None:
    kept = read_state_record(world.store, NETWORK.state.folder)
    return kept.record.run if kept is not None and kept.record.is_open else None


def died_everywhere(world: World) -> str:
    """A run whose runner died while it applied both shards at once; returns its name."""
    together = threading.Barrier(2)

    def die(call: str) -> None:
        if call.startswith("apply"):
            together.wait(10)
            raise DiedError

    world.losses = {one.name: "aws_sns_topic.old" for one in BOTH}
    world.on_call = die
    with pytest.raises(DiedError):
        Deployment(world, BOTH).carry_out(max_parallel=2)
    world.on_call = lambda _call: None
    run = open_run(world)
    assert run is not None
    return run


def stuck(world: World) -> str:
    """A run that waits for a person; returns its name."""
    name = died(world)
    runtime = Deployment(world).run().runtime
    with Journal.resume(JournalName(name, "network"), runtime=runtime, store=world.store) as journal:
        journal.append(Phase.NEEDS_OPERATOR, "after", epoch=1, data={"reason": "no idea what to do"})
    return name


def resumed(
    world: World, name: str, *, deployment: Deployment | None = None, decision: OperatorDecision | None = None
) -> RunResult:
    deployment = deployment or Deployment(world, BOTH)
    run = replace(deployment.run(), id=name)
    return take_up_run(
        ResumeRequest(run=name, decision=decision or OperatorDecision()), run, deployment.shards, Transcript
    )


def noted(world: World, run: str, *phases: Phase, edge: Edge = "before", **data: str) -> None:
    """What the journal of a run says of `network` beyond what it has."""
    runtime = Deployment(world).run().runtime
    with Journal.resume(JournalName(run, "network"), runtime=runtime, store=world.store) as journal:
        for phase in phases:
            journal.append(phase, edge, epoch=1, data=data)


def phases_after(world: World, run: str, last: Phase) -> list[Phase]:
    """What a resumed run did on `network` after it had died in `last`."""
    phases = [entry.phase for entry in read_journal(world.store, JournalName(run, "network"))]
    return phases[len(phases) - phases[::-1].index(last) :]


def held_elsewhere(
    world: World,
    run: str,
    *,
    of: Shard = NETWORK,
    kind: Kind = "run",
    expires_after: float = -10.0,
    held: bool = True,
) -> None:
    """The lease that a worker of a run has on another machine; as it is, it has expired."""
    record = LeaseRecord(
        run=run,
        owner="jane",
        process=ELSEWHERE,
        epoch=7,
        token="t",
        since=FrozenClock().now(),
        doing=f"deploying {of.name}",
        kind=kind,
        expires_after=expires_after,
        held=held,
    )
    key = lease_key(of.state.folder)
    found = world.store.head(key)
    if found is None:
        world.store.create(key, record.body())
    else:
        world.store.replace(key, record.body(), etag=found.etag)


def holds(world: World, run: Run) -> str | None:
    holder = run_context(run).leases(world.store).holder(NETWORK.state.folder)
    return None if holder is None else holder.run


def run_context(run: Run) -> RunContext:
    return RunContext.open(run, (NETWORK,), DeployPolicy(operator=True))


def worker(world: World, run: str, *, cache: Path | None = None) -> Run:
    new = Deployment(world, (NETWORK,)).run()
    return replace(new, id=run, runtime=replace(new.runtime, cache=cache or new.runtime.cache))


def works(run: Run) -> ShardResult:
    return take_over(NETWORK, run, Intent(), RunContext.open(run, (NETWORK,), DeployPolicy()))


def dies(run: Run, world: World, phase: Phase, edge: Edge) -> None:
    """Work until an entry is written, and leave the lease behind as the dead do."""

    def append(self: Journal, *words: Any, **named: Any) -> Entry:
        entry = written(self, *words, **named)
        if (entry.phase, entry.edge) == (phase, edge):
            raise DiedError
        return entry

    written = Journal.append
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Journal, "append", append)
        with pytest.raises(DiedError):
            works(run)
    key = lease_key(NETWORK.state.folder)
    found = world.store.head(key)
    assert found is not None
    world.store.replace(key, left_behind(run.id).body(), etag=found.etag)


def left_behind(run: str) -> LeaseRecord:
    return LeaseRecord(
        run=run,
        owner="jane",
        process=ProcessIdentity(host="h", boot="b", namespace="pid:[9]", pid=9, born="then"),
        epoch=7,
        token="t",
        since=FrozenClock().now(),
        doing="deploying network",
        expires_after=-10.0,
    )
