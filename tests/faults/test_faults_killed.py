"""Rows 1 to 10: what runs is killed, interrupted, or hangs."""

import json
import os
import signal
import subprocess
import time
from itertools import product

import pytest
from tests.faults.lab.invariant import assert_safe
from tests.faults.lab.matches import asks, puts
from tests.faults.lab.proxy import Answer, Delay, Meanwhile, Rule
from tests.faults.lab.scenarios import (
    AS_FIRST,
    AS_SECOND,
    FAILING,
    FIRST,
    PLAIN,
    SECOND,
    app,
    data,
    parameter,
)
from tests.faults.lab.world import DEPLOY, HOLDFAST, Started, World

KILLED = 137
FORWARD = (
    "prepared",
    "applying",
    "settle",
    "verify",
    "health",
    "contract",
    "verify#2",
    "promoted",
)
BACK = (
    "classify",
    "partial_snapshot",
    "rb_build",
    "rb_planned",
    "rb_applying",
    "rb_settle",
    "rb_verify",
    "rolled_back",
)
EDGES = ("before", "after")
# The moments at which most is at stake; the others are as many again, and long.
QUICK = {
    ("prepared", "after"),
    ("applying", "before"),
    ("applying", "after"),
    ("contract", "before"),
    ("promoted", "before"),
    ("rb_applying", "before"),
    ("rb_applying", "after"),
}


def moments(phases: tuple[str, ...]) -> list[object]:
    return [
        pytest.param(phase, edge, marks=() if (phase, edge) in QUICK else pytest.mark.long)
        for phase, edge in product(phases, EDGES)
    ]


@pytest.mark.parametrize(("phase", "edge"), moments(FORWARD))
def test_row_01_a_runner_killed_at_any_point_of_a_deploy_is_resumed(
    world: World, phase: str, edge: str
) -> None:
    world.begin(FIRST)
    killed = world.deploy(SECOND, HOLDFAST_CRASH_AT=f"{phase}:{edge}")

    resumed = world.resume()

    assert killed.code == KILLED, str(killed)
    assert_safe(world, resumed, code={0, 1, 5})
    assert world.cloud.names() == (AS_SECOND if resumed.code == 0 else AS_FIRST), str(resumed)
    assert_safe(world, world.deploy(SECOND), code=0)


@pytest.mark.parametrize(("phase", "edge"), moments(BACK))
def test_row_01_a_runner_killed_at_any_point_of_a_rollback_is_resumed(
    world: World, phase: str, edge: str
) -> None:
    world.begin(FIRST)
    killed = world.deploy(FAILING, HOLDFAST_CRASH_AT=f"{phase}:{edge}")

    resumed = world.resume()

    assert killed.code == KILLED, str(killed)
    assert_safe(world, resumed, code={0, 5})
    assert world.cloud.names() == AS_FIRST
    assert world.cloud.value("/shop/changed") == "1"


def test_row_01_the_next_deploy_names_the_run_a_dead_one_left(world: World) -> None:
    """The lease of a dead process is kept until it expires, unless somebody asks for that run."""
    world.begin(FIRST)
    killed = world.deploy(SECOND, HOLDFAST_CRASH_AT="settle:before")
    run = world.newest_run()

    ended = world.deploy(SECOND)

    assert killed.code == KILLED, str(killed)
    assert ended.code == 7, str(ended)
    assert f"holdfast resume {run}" in ended.text


@pytest.mark.long
def test_row_01_a_deploy_after_the_lease_expired_finishes_what_a_dead_run_left(world: World) -> None:
    world.begin(FIRST)
    killed = world.deploy(SECOND, HOLDFAST_CRASH_AT="settle:before")
    time.sleep(65)

    ended = world.deploy(SECOND)

    assert killed.code == KILLED, str(killed)
    assert_safe(world, ended, code=0)
    assert world.cloud.names() == AS_SECOND


def kill_holdfast(running: list[Started]) -> None:
    running[0].process.kill()


def kill_both(world: World, running: list[Started]) -> None:
    kill_holdfast(running)
    world.kill_terraform()


def test_row_02_terraform_ends_and_saves_when_only_the_runner_is_killed(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    running: list[Started] = []
    world.proxy.add(Rule(what=puts("fresh"), fault=Meanwhile(lambda: kill_holdfast(running)), times=1))
    running.append(world.start(*DEPLOY))
    killed = running[0].wait()

    world.wait_until(lambda: not world.terraform(), "Terraform to end by itself")
    addresses = {resource["name"] for resource in world.state()["resources"]}
    resumed = world.resume()

    assert killed.code == -signal.SIGKILL
    assert "fresh" in addresses
    assert_safe(world, resumed, code=0)
    assert world.cloud.names() == AS_SECOND


def test_row_02_a_resume_waits_for_a_terraform_that_still_runs(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    running: list[Started] = []
    world.proxy.add(Rule(what=puts("changed"), fault=Meanwhile(lambda: kill_holdfast(running)), times=1))
    world.proxy.add(Rule(what=puts("fresh"), fault=Delay(4.0), times=1))
    running.append(world.start(*DEPLOY))
    running[0].wait()
    applying = world.terraform()

    resumed = world.holdfast("resume", world.newest_run(), "--json")

    assert applying, "Terraform did not run any more"
    assert_safe(world, resumed, code=0)
    assert world.cloud.names() == AS_SECOND


def test_row_02_ctrl_c_ends_the_wait_for_a_terraform_that_still_runs(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    running: list[Started] = []
    world.proxy.add(Rule(what=puts("changed"), fault=Meanwhile(lambda: kill_holdfast(running)), times=1))
    world.proxy.add(Rule(what=puts("fresh"), fault=Delay(15.0), times=1))
    running.append(world.start(*DEPLOY))
    running[0].wait()
    run = world.newest_run()
    waiting = world.start("resume", run, "--json")
    world.wait_until(lambda: "that a dead run left running" in waiting.err.read_text(), "it to wait")

    waiting.send(signal.SIGINT)
    stopped = waiting.wait(10)
    applying = world.terraform()
    world.wait_until(lambda: not world.terraform(), "Terraform to end by itself")
    resumed = world.resume()

    assert stopped.code == 130, str(stopped)
    assert applying, "Terraform did not run any more"
    assert f"holdfast resume {run}" in stopped.text
    assert_safe(world, resumed, code=0)
    assert world.cloud.names() == AS_SECOND


def test_row_03_runner_and_terraform_are_killed_together(world: World) -> None:
    world.begin(FIRST)
    world.write(SECOND)
    running: list[Started] = []

    world.proxy.add(
        Rule(what=puts("fresh"), fault=Meanwhile(lambda: kill_both(world, running), after=True), times=1)
    )
    running.append(world.start(*DEPLOY))
    running[0].wait()

    resumed = world.resume()

    assert_safe(world, resumed, code={0, 5})
    assert world.cloud.names() in (AS_SECOND, AS_FIRST)
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_03_what_a_rollback_made_on_a_machine_that_was_lost_is_adopted_by_the_next(
    cold_world: World,
) -> None:
    world = cold_world
    gateway = ("aws_internet_gateway", "made", {"tags": {"Name": "made"}})
    assert world.deploy(app(parameter("kept"), parameter("gone"), gateway)).code == 0
    world.write(app(parameter("kept")))
    running: list[Started] = []

    # The gateway is deleted, the parameter is not: the rollback makes the gateway again.
    refused = Rule(what=asks("DeleteParameter"), fault=Answer(400, "ValidationException"))
    lost = Rule(
        what=asks("CreateInternetGateway"),
        fault=Meanwhile(lambda: kill_both(world, running), after=True),
        times=1,
    )
    world.proxy.add(refused)
    world.proxy.add(lost)
    running.append(world.start(*DEPLOY))
    died = running[0].wait()
    assert lost.hits == 1, died.text
    world.proxy.heal()
    elsewhere = {"HOLDFAST_CACHE_DIR": str(world.folder / "another-machine")}
    shown = json.loads(world.holdfast("state", "unlock", "shop", "--json", **elsewhere).out)
    world.holdfast("state", "unlock", "shop", "--confirm", shown["lock"]["id"], **elsewhere)

    resumed = world.holdfast("resume", world.newest_run(), "--json", **elsewhere)

    there = world.cloud.client("ec2").describe_internet_gateways()["InternetGateways"]
    assert_safe(world, resumed, code=5)
    assert [one["InternetGatewayId"] for one in there] == world.ids("aws_internet_gateway")


def test_row_04_a_first_terraform_killed_before_any_state_was_saved_loses_nothing(world: World) -> None:
    world.write(app(parameter("a"), parameter("b", after="a"), parameter("c", after="b")))
    world.proxy.add(Rule(what=puts("c"), fault=Meanwhile(world.kill_terraform), times=1))

    ended = world.deploy()

    assert_safe(world, ended, code={0, 1})
    assert {"/shop/a", "/shop/b"} <= world.cloud.names()
    assert_safe(world, world.deploy(), code=0)
    assert world.cloud.names() == {"/shop/a", "/shop/b", "/shop/c"}


def test_row_04_a_later_terraform_killed_before_the_state_was_saved_loses_nothing(world: World) -> None:
    world.begin(FIRST)
    version = app(
        parameter("kept"),
        parameter("changed", "2"),
        parameter("x", after="changed"),
        parameter("y", after="x"),
    )
    world.proxy.add(Rule(what=puts("y"), fault=Meanwhile(world.kill_terraform), times=1))

    ended = world.deploy(version)

    assert_safe(world, ended, code={0, 5})
    assert_safe(world, world.deploy(version), code=0)


@pytest.mark.long
def test_row_05_a_terraform_killed_after_an_intermediate_save_loses_nothing(world: World) -> None:
    world.begin(FIRST)
    version = app(
        parameter("kept"),
        parameter("changed", "2"),
        parameter("x", after="changed"),
        parameter("y", after="x"),
    )
    world.proxy.add(Rule(what=puts("x"), fault=Delay(24.0), times=1))
    world.proxy.add(Rule(what=puts("y"), fault=Meanwhile(world.kill_terraform, after=True), times=1))

    ended = world.deploy(version)

    assert_safe(world, ended, code={0, 5})
    assert_safe(world, world.deploy(version), code=0)


def test_row_06_a_terraform_killed_while_planning_leaves_no_lock(world: World) -> None:
    world.begin(FIRST)
    world.proxy.add(Rule(what=asks("GetParameter", "kept"), fault=Meanwhile(world.kill_terraform), times=1))

    ended = world.deploy(SECOND)

    assert_safe(world, ended, code={0, 1})
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_07_an_interrupted_call_that_the_cloud_completes_is_no_orphan(cold_world: World) -> None:
    world = cold_world
    world.begin(FIRST)
    world.write(SECOND)
    running: list[Started] = []

    def interrupt_terraform() -> None:
        running[0].send(signal.SIGINT)
        time.sleep(0.3)
        running[0].send(signal.SIGINT)
        # The provider gives the call up; the cloud gets it all the same.
        time.sleep(1.5)

    world.proxy.add(Rule(what=puts("fresh"), fault=Meanwhile(interrupt_terraform), times=1))
    running.append(world.start(*DEPLOY))

    ended = running[0].wait()

    assert_safe(world, ended, code=130)
    assert world.cloud.names() in (AS_SECOND, AS_FIRST, AS_FIRST | AS_SECOND)
    world.proxy.heal()
    assert_safe(world, world.deploy(SECOND), code=0)


def test_row_08_a_hammered_ctrl_c_reaches_terraform_once(world: World) -> None:
    world.begin(PLAIN)
    slow = data("slow", provisioner=[{"local-exec": {"command": "sleep 3"}}])
    world.write(app(data("kept"), data("changed"), data("gone"), slow))
    started = world.start(*DEPLOY)
    world.wait_for_event("apply_start", "slow")

    for _ in range(5):
        os.killpg(started.process.pid, signal.SIGINT)
        time.sleep(0.1)
    ended = started.wait()

    assert "please wait" in ended.text
    assert "Two interrupts received" not in str(world.events()) + ended.text
    assert_safe(world, ended, code=130)


def test_row_08_sigterm_is_like_ctrl_c_because_ci_cancels_so(world: World) -> None:
    world.begin(PLAIN)
    slow = data("slow", provisioner=[{"local-exec": {"command": "sleep 2"}}])
    world.write(app(data("kept"), data("changed"), data("gone"), slow))
    started = world.start(*DEPLOY)
    world.wait_for_event("apply_start", "slow")

    started.send(signal.SIGTERM)
    ended = started.wait()

    assert_safe(world, ended, code=130)


def test_row_09_a_closed_terminal_stops_nothing(world: World) -> None:
    world.begin(PLAIN)
    slow = data("fresh", provisioner=[{"local-exec": {"command": "sleep 2"}}])
    world.write(app(data("kept"), data("changed"), slow))
    started = world.start(*DEPLOY)
    world.wait_for_event("apply_start", "fresh")

    os.killpg(started.process.pid, signal.SIGHUP)
    ended = started.wait()

    assert_safe(world, ended, code=0)


def test_row_10_nobody_reading_the_output_any_more_stops_nothing(world: World) -> None:
    world.begin(PLAIN)
    slow = data("fresh", provisioner=[{"local-exec": {"command": "sleep 1"}}])
    world.write(app(data("kept"), data("changed"), slow))
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as output:
        process = subprocess.Popen(
            [str(HOLDFAST), *DEPLOY],
            cwd=world.folder,
            env=world.environ(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    world.wait_for_event("apply_start", "fresh")

    os.close(reading)
    code = process.wait(90)

    again = world.deploy()
    assert_safe(world, again, code=0)
    assert again.outcome() == "unchanged", str(again)
    assert code == 0
