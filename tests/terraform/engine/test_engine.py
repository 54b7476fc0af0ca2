"""The engine's verbs with a real Terraform: outcomes, events, diagnostics, locks, interruption."""

import json
import stat
import threading
from pathlib import Path

import pytest
from tests.support.engine_shards import Shard, data, slow

from holdfast_orchestrator.app.manifest import Source
from holdfast_orchestrator.engine.diagnostics import CommandFailedError, locate
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.engine.ui_events import ApplyComplete, ApplyStart, PlannedChange, UiEvent
from holdfast_orchestrator.engine.workdir import prepare
from holdfast_orchestrator.errors import EngineError, InterruptedSafelyError, NeedsPersonError
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.terraform.json_values import managed


def addresses(state: Path) -> list[str]:
    return [address for address, _, _ in managed(json.loads(state.read_bytes()))]


def test_a_first_deploy_is_planned_and_applied_and_told_as_events(shard: Shard, tmp_path: Path) -> None:
    heard: list[UiEvent] = []
    configuration = {**data(a={"input": "x"}), "output": {"o": {"value": "v"}}}
    terraform = shard(configuration, on_event=heard.append)
    terraform.init()
    plan = terraform.plan()

    outcome = terraform.apply(plan.plan)

    assert plan.changes
    assert [(change.address, change.action) for change in plan.planned] == [("terraform_data.a", "create")]
    assert outcome
    assert [(address, key) for address, key, _ in outcome.created] == [("terraform_data.a", "id")]
    assert (outcome.started, outcome.completed, outcome.errored, outcome.in_doubt) == (1, 1, 0, ())
    assert [type(event) for event in heard if isinstance(event, ApplyStart | ApplyComplete)] == [
        ApplyStart,
        ApplyComplete,
    ]
    assert terraform.outputs() == {"o": "v"}
    assert addresses(tmp_path / "orders.tfstate") == ["terraform_data.a"]


def test_a_plan_without_changes_says_so(shard: Shard) -> None:
    terraform = shard(data(a={"input": "x"}))
    terraform.init()
    terraform.apply(terraform.plan().plan)

    plan = terraform.plan()

    assert not plan.changes
    assert plan.planned == ()


def test_a_plan_can_be_read_as_json(shard: Shard) -> None:
    terraform = shard(data(a={"input": "x"}))
    terraform.init()

    shown = terraform.show_plan(terraform.plan().plan)

    assert [change["address"] for change in shown["resource_changes"]] == ["terraform_data.a"]


def test_a_state_that_does_not_exist_is_empty(shard: Shard) -> None:
    terraform = shard(data(a={"input": "x"}))
    terraform.init()

    assert terraform.outputs() == {}


def test_a_plan_is_applied_once(shard: Shard) -> None:
    terraform = shard(data(a={"input": "x"}))
    terraform.init()
    plan = terraform.plan().plan
    terraform.apply(plan)

    with pytest.raises(EngineError, match="a plan is applied once"):
        terraform.apply(plan)

    assert not plan.exists()
    assert list(terraform.workdir.glob("*.tfplan")) == []


def test_a_failing_apply_is_an_outcome_with_the_place_in_the_python_source(shard: Shard) -> None:
    fails = [{"local-exec": {"command": "exit 3"}}]
    broken = {"input": "y", "depends_on": ["terraform_data.a"], "provisioner": fails}
    terraform = shard(data(a={"input": "x"}, b=broken))
    terraform.init()
    sources = {"terraform_data.b": Source(path="o/b", construct='Task "b"', file="stacks/orders.py", line=31)}

    outcome = terraform.apply(terraform.plan().plan)

    assert not outcome
    assert outcome.code == 1
    assert [address for address, _, _ in outcome.created] == ["terraform_data.a"]
    assert [start.address for start in outcome.in_doubt] == ["terraform_data.b"]
    (error,) = outcome.diagnostics
    assert error.summary == "local-exec provisioner error"
    place = locate(error, sources, (terraform.workdir / "cdk.tf.json").read_bytes())
    assert str(place) == 'stacks/orders.py:31 (Task "b")'


def test_an_invalid_configuration_is_told_once_and_with_its_address(shard: Shard) -> None:
    terraform = shard(data(a={"inptu": "x"}))
    terraform.init()

    with pytest.raises(CommandFailedError) as failure:
        terraform.plan()

    (error,) = failure.value.diagnostics
    assert "inptu" in error.detail
    place = locate(error, {}, (terraform.workdir / "cdk.tf.json").read_bytes())
    assert place is not None
    assert place.address == "terraform_data.a"


def test_what_terraform_leaves_behind_is_private(shard: Shard) -> None:
    terraform = shard(data(a={"input": "x"}))
    terraform.init()
    terraform.plan()

    files = [path for path in terraform.workdir.rglob("*") if path.is_file() and not path.is_symlink()]

    assert terraform.workdir / "plan.tfplan" in files
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_an_interrupted_apply_is_waited_for_and_its_state_is_saved(shard: Shard, tmp_path: Path) -> None:
    started = threading.Event()

    def hear(event: UiEvent) -> None:
        if isinstance(event, ApplyStart) and event.address == "terraform_data.b":
            started.set()

    terraform = shard(
        data(a={"input": "x"}, b={**slow(30), "depends_on": ["terraform_data.a"]}), on_event=hear
    )
    terraform.init()
    plan = terraform.plan().plan
    sent: list[bool] = []
    stopper = threading.Thread(
        target=lambda: sent.extend([started.wait(60), terraform.interrupt(), terraform.interrupt()])
    )
    stopper.start()

    outcome = terraform.apply(plan)
    stopper.join()

    assert sent == [True, True, False]
    assert not outcome
    assert outcome.interrupted
    assert "terraform_data.a" in addresses(tmp_path / "orders.tfstate")


def test_an_interrupted_plan_changes_nothing_and_says_so(runtime: Runtime, tmp_path: Path) -> None:
    fake = tmp_path / "terraform"
    fake.write_text("#!/bin/sh\ntrap 'exit 1' INT\necho '{}'\nsleep 30 & wait\n")
    fake.chmod(0o755)
    said = threading.Event()
    workdir = prepare(tmp_path / "work", "orders", {"cdk.tf.json": b"{}"})
    engine = Engine(fake, "terraform", (1, 11, 4))
    terraform = Terraform(engine, runtime, workdir, runtime.environ, lambda event: said.set())
    stopper = threading.Thread(target=lambda: said.wait(60) and terraform.interrupt())
    stopper.start()

    with pytest.raises(InterruptedSafelyError, match="plan was interrupted; nothing was changed"):
        terraform.plan()

    stopper.join()


def test_whoever_plans_begins_nothing_more_once_it_was_cancelled_between_two_commands(shard: Shard) -> None:
    terraform = shard({"resource": {"terraform_data": {"a": {}}}})
    terraform.init()

    terraform.cancel()

    with pytest.raises(InterruptedSafelyError, match="plan was interrupted; nothing was changed"):
        terraform.plan()
    assert not (terraform.workdir / "plan.tfplan").exists()


def test_an_engine_that_crashes_is_told_with_its_last_words(runtime: Runtime, tmp_path: Path) -> None:
    fake = tmp_path / "terraform"
    fake.write_text("#!/bin/sh\necho 'panic: nil map' >&2\nkill -KILL $$\n")
    fake.chmod(0o755)
    workdir = prepare(tmp_path / "work", "orders", {"cdk.tf.json": b"{}"})
    terraform = Terraform(Engine(fake, "terraform", (1, 11, 4)), runtime, workdir, runtime.environ)
    (workdir / "plan.tfplan").touch()

    outcome = terraform.apply(workdir / "plan.tfplan")

    (death,) = outcome.diagnostics
    assert outcome.code == -9
    assert "ended by signal 9: panic: nil map" in death.summary
    assert death.detail == "panic: nil map"


def test_a_state_dumped_because_it_could_be_saved_nowhere_is_saved_and_not_shown(
    runtime: Runtime, tmp_path: Path
) -> None:
    dump = json.dumps({"@level": "error", "@message": "Emergency state dump", "state": {"serial": 7}})
    fake = tmp_path / "terraform"
    fake.write_text(f"#!/bin/sh\necho '{dump}'\nexit 1\n")
    fake.chmod(0o755)
    workdir = prepare(tmp_path / "work", "orders", {"cdk.tf.json": b"{}"})
    heard: list[UiEvent] = []
    engine = Engine(fake, "terraform", (1, 11, 4))
    terraform = Terraform(engine, runtime, workdir, runtime.environ, heard.append)
    (workdir / "plan.tfplan").touch()

    outcome = terraform.apply(workdir / "plan.tfplan")

    assert heard == []
    assert outcome.errored_state is not None
    assert json.loads(outcome.errored_state.read_text()) == {"serial": 7}
    assert stat.S_IMODE(outcome.errored_state.stat().st_mode) == 0o600


def test_a_listener_that_breaks_does_not_break_the_apply(shard: Shard) -> None:
    def broken(event: UiEvent) -> None:
        if isinstance(event, ApplyStart):
            raise BrokenPipeError

    terraform = shard(data(a={"input": "x"}), on_event=broken)
    terraform.init()

    outcome = terraform.apply(terraform.plan().plan)

    assert outcome
    assert outcome.completed == 1
    assert [one.summary for one in outcome.diagnostics] == ["showing the events failed: BrokenPipeError()"]


def test_ctrl_c_during_an_apply_interrupts_once_and_still_tells_the_outcome(shard: Shard) -> None:
    def ctrl_c(event: UiEvent) -> None:
        if isinstance(event, ApplyStart):
            raise KeyboardInterrupt

    terraform = shard(data(a=slow(30)), on_event=ctrl_c)
    terraform.init()

    outcome = terraform.apply(terraform.plan().plan)

    assert outcome.interrupted
    assert not outcome
    assert not terraform.interrupt()


def test_ctrl_c_during_a_plan_is_passed_on_after_terraform_has_ended(shard: Shard) -> None:
    def ctrl_c(event: UiEvent) -> None:
        if isinstance(event, PlannedChange):
            raise KeyboardInterrupt

    terraform = shard(data(a={"input": "x"}), on_event=ctrl_c)
    terraform.init()

    with pytest.raises(KeyboardInterrupt):
        terraform.plan()

    assert terraform.interrupted


def test_variables_that_would_change_our_commands_are_not_passed_on(shard: Shard, tmp_path: Path) -> None:
    hostile = {
        "TF_CLI_ARGS": "-no-such-flag",
        "TF_CLI_ARGS_plan": "-destroy",
        "TF_DATA_DIR": str(tmp_path / "elsewhere"),
        "TF_WORKSPACE": "other",
        "TF_REATTACH_PROVIDERS": "{}",
        "TF_CLI_CONFIG_FILE": str(tmp_path / "missing.tfrc"),
        "TF_LOG": "debug",
        "TF_VAR_word": "hello",
    }
    configuration = {
        "variable": {"word": {"type": "string"}},
        **data(a={"input": "x"}),
        "output": {"o": {"value": "${var.word}"}},
    }
    terraform = shard(configuration, environ=hostile)
    terraform.init()

    outcome = terraform.apply(terraform.plan().plan)

    assert outcome
    assert outcome.diagnostics == ()
    assert terraform.outputs() == {"o": "hello"}
    assert not (tmp_path / "elsewhere").exists()


def test_a_state_that_was_never_saved_stops_the_next_deploy(shard: Shard) -> None:
    terraform = shard(data(a={"input": "x"}))
    (terraform.workdir / "errored.tfstate").write_text("{}")

    with pytest.raises(NeedsPersonError, match=r"errored\.tfstate is the only copy"):
        shard(data(a={"input": "x"}))

    assert (terraform.workdir / "errored.tfstate").read_text() == "{}"
