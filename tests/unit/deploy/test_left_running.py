"""A Terraform that a dead run left running is waited for, and whoever waits can be stopped."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.dead_runs import died, held_elsewhere, holds, open_run, run_context
from tests.support.deploy_world import CHAIN, Deployment, FakeProcesses, World

from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.deploy.outcome import Outcome
from holdfast_orchestrator.deploy.resume import ResumeRequest, go_on, take_up_run
from holdfast_orchestrator.deploy.shard.deploy import ShardDeploy, at_work
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.deploy.work.task import OperatorDecision
from holdfast_orchestrator.deploy.work.terraform_locks import wait_for_children
from holdfast_orchestrator.engine.children import children, note_interrupt
from holdfast_orchestrator.engine.runner import Runner, ignore
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.engine.workdir import OUTPUT
from holdfast_orchestrator.events import Event, Notice
from holdfast_orchestrator.report.transcript import Transcript
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import real_runtime
from holdfast_orchestrator.testing import FrozenClock

NETWORK = CHAIN[0]
PID = 4711
RECORD = f"{OUTPUT}/20260101T000000-00-apply.jsonl"


class Left(FakeProcesses):
    """One Terraform lives, until it is interrupted."""

    lives = True

    def birth(self, pid: int) -> str | None:
        if pid != PID:
            return "born"
        return "then" if self.lives else None

    def interrupt(self, pid: int, *, born: str) -> bool:
        assert (pid, born) == (PID, "then")
        self.lives = False
        return True


@dataclass
class Asking(FrozenClock):
    """A clock under which a stop is asked for, once in each of the first sleeps."""

    ask: Callable[[], object] = field(default=lambda: None)
    asks: int = 1
    at_once: int = 1

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        assert len(self.slept) < 100, "it is waited for without end"
        if len(self.slept) <= self.asks:
            for _ in range(self.at_once):
                self.ask()


def left_running(world: World) -> None:
    record = world.folder / "network" / RECORD
    record.parent.mkdir(parents=True)
    record.touch()
    note = {"pid": PID, "birth": "then", "began": "2026-01-01T00:00:00+00:00"}
    record.with_suffix(".child.json").write_text(json.dumps(note))


def later(world: World, run: str | None = None, *, asks: int = 1, at_once: int = 1) -> Run:
    """A run that finds that Terraform, and is asked to stop while it waits."""
    left_running(world)
    one = Deployment(world, (NETWORK,)).run()
    clock = Asking(ask=one.stop.ask, asks=asks, at_once=at_once)
    processes = Left(cast("Any", one.runtime.processes).answer)
    return replace(one, id=run or one.id, runtime=replace(one.runtime, clock=clock, processes=processes))


def left(run: Run) -> Left:
    return cast("Left", run.runtime.processes)


@pytest.mark.parametrize("lock", [b"{}", None])
def test_a_stop_ends_the_wait_of_a_resume_for_a_terraform_that_a_dead_run_left(
    world: World, lock: bytes | None
) -> None:
    first = died(world)
    run = later(world, first)
    world.calls.clear()
    if lock is not None:
        world.store.create(f"{NETWORK.state.key}.tflock", lock)

    result = take_up_run(ResumeRequest(run=first, decision=OperatorDecision()), run, (NETWORK,), Transcript)

    network = result.results["network"]
    assert (network.outcome, network.reason) == (Outcome.SKIPPED, "interrupted; still open")
    assert (network.next_step, result.exit_code) == (f"holdfast resume {first}", 130)
    assert open_run(world) == first
    assert holds(world, run) is None
    assert left(run).lives
    assert world.calls == []


def test_a_stop_ends_the_wait_of_the_next_deploy_too(world: World) -> None:
    first = died(world)
    run = later(world)
    world.calls.clear()

    result = ShardDeploy(NETWORK, run, Intent(), run_context(run)).result()

    assert (result.outcome, result.exit_code) == (Outcome.SKIPPED, 130)
    assert f"waited for the apply (process {PID})" in str(result.reason)
    assert result.next_step == f"holdfast resume {first}"
    assert open_run(world) == first
    assert holds(world, run) is None
    assert left(run).lives
    assert world.calls == []


def test_who_asks_twice_before_the_wait_has_ended_interrupts_what_is_waited_for(world: World) -> None:
    first = died(world)
    run = later(world, first, at_once=2)

    result = take_up_run(ResumeRequest(run=first, decision=OperatorDecision()), run, (NETWORK,), Transcript)

    assert result.results["network"].reason is not None
    assert not left(run).lives
    assert (world.folder / "network" / RECORD).with_suffix(".interrupted").exists()


def test_a_worker_that_takes_over_waits_on_and_the_second_demand_interrupts_terraform(world: World) -> None:
    first = died(world)
    run = later(world, first, asks=2)
    held_elsewhere(world, first)

    result = go_on(NETWORK, run, run_context(run))

    assert result is not None
    assert result.outcome is not Outcome.SKIPPED
    assert not left(run).lives
    assert open_run(world) is None


def test_what_was_begun_is_not_left_half_done_because_of_a_stop(world: World) -> None:
    run = later(world, asks=2)
    said: list[Event] = []
    run = replace(run, emit=said.append)

    with at_work(NETWORK, run, run_context(run), doing="deploying network") as leased:
        wait_for_children(replace(leased, journal=cast("Any", object())))

    assert not left(run).lives
    assert len(run.runtime.clock.slept) == 2  # type: ignore[attr-defined]
    assert [one.message for one in said if isinstance(one, Notice)] == [
        f"network: waits for the apply (process {PID}) that a dead run left running"
    ]


def test_a_terraform_gets_one_sigint_in_its_life_whoever_sends_it(world: World) -> None:
    run = later(world)
    assert note_interrupt(world.folder / "network" / RECORD)
    (child,) = children(world.folder / "network", since=FrozenClock().now())

    assert not child.interrupt(left(run))
    assert left(run).lives


def test_a_process_that_only_has_the_id_is_no_terraform_of_ours(world: World) -> None:
    run = later(world)
    (child,) = children(world.folder / "network", since=FrozenClock().now())

    assert not replace(child, birth="another time").interrupt(left(run))
    assert left(run).lives


def test_who_interrupts_its_own_terraform_leaves_a_note_of_it(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, time\n"
        "try:\n"
        "    pathlib.Path('ready').touch()\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    while not pathlib.Path('go').exists(): time.sleep(0.01)\n"
    )
    program.chmod(0o700)
    runner = Runner(
        Engine(program, "terraform", (1, 11, 4)), real_runtime(), workdir=tmp_path, on_event=ignore
    )
    applying = threading.Thread(target=runner.stream, args=("apply",), kwargs={"environ": {**os.environ}})
    applying.start()
    while not (tmp_path / "ready").exists():
        assert applying.is_alive()
        time.sleep(0.01)

    assert runner.interrupt()
    (child,) = children(tmp_path, since=FrozenClock().now())
    again = child.lives(SystemProcesses()), child.interrupt(SystemProcesses())
    (tmp_path / "go").touch()
    applying.join()

    assert again == (True, False)
