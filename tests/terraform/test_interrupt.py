"""Ctrl-C in the middle of a deploy: every state stays valid and no lock is left behind."""

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.terraform.conftest import App

# Longer than any test waits for anything else; the tests let go of it when they are ready.
PATIENCE_SECONDS = 120


def app(gate: Path) -> dict[str, Any]:
    wait = f"touch {gate}.begun; while [ ! -e {gate} ]; do sleep 0.1; done"
    reference = "${data.terraform_remote_state.cross-stack-reference-input-slow.outputs.value}"
    return {
        "slow": {
            "resource": {
                "terraform_data": {
                    "first": {"input": "made before"},
                    "waiting": {
                        "depends_on": ["terraform_data.first"],
                        "provisioner": [{"local-exec": {"command": wait}}],
                    },
                }
            },
            "output": {"value": {"value": "x"}},
        },
        "later": {
            "dependencies": ["slow"],
            "resource": {"terraform_data": {"after": {"input": reference}}},
        },
    }


def wait_until_applying(gate: Path, deploying: "subprocess.Popen[str]") -> None:
    begun = gate.with_name(f"{gate.name}.begun")
    for _ in range(PATIENCE_SECONDS * 10):
        if begun.exists():
            return
        assert deploying.poll() is None, deploying.communicate()[0]
        time.sleep(0.1)
    pytest.fail("Terraform did not begin to apply")


def wait_for_line(deploying: "subprocess.Popen[str]", text: str) -> None:
    assert deploying.stdout is not None
    for line in deploying.stdout:
        if text in line:
            return
    pytest.fail(f"holdfast did not say {text!r}")


def locks(app: "App") -> list[str]:
    found = app.object_keys()
    return [key for key in found if key.endswith(".tflock")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_terraform_finish_and_begins_nothing_new(
    plain_app: "App", gate: Path, number: signal.Signals
) -> None:
    plain_app.write(app(gate))
    deploying = plain_app.start("deploy", "--yes")
    wait_until_applying(gate, deploying)

    deploying.send_signal(number)
    wait_for_line(deploying, "nothing new starts")
    gate.touch()
    said, _ = deploying.communicate(timeout=PATIENCE_SECONDS)

    assert deploying.returncode == 130
    assert {one["name"] for one in plain_app.state("slow")["resources"]} == {"first", "waiting"}
    assert locks(plain_app) == []
    assert "not begun: later" in said


def test_the_second_signal_ends_terraform_early_with_its_state_saved(plain_app: "App", gate: Path) -> None:
    plain_app.write(app(gate))
    deploying = plain_app.start("deploy", "--yes")
    wait_until_applying(gate, deploying)

    deploying.send_signal(signal.SIGINT)
    wait_for_line(deploying, "nothing new starts")
    deploying.send_signal(signal.SIGINT)
    # Somebody leans on the key: from here on no signal may do anything, whatever is being written just then,
    # until the process has ended.
    while deploying.poll() is None:
        deploying.send_signal(signal.SIGINT)
        time.sleep(0.01)
    deploying.communicate(timeout=PATIENCE_SECONDS)

    state = plain_app.state("slow")
    assert deploying.returncode == 130
    assert "first" in {resource["name"] for resource in state["resources"]}
    assert state["version"] == 4
    assert locks(plain_app) == []


def test_a_deploy_after_an_interrupt_goes_on_where_it_ended(plain_app: "App", gate: Path) -> None:
    plain_app.write(app(gate))
    deploying = plain_app.start("deploy", "--yes")
    wait_until_applying(gate, deploying)
    for said in ("nothing new starts", "interrupting"):
        deploying.send_signal(signal.SIGINT)
        wait_for_line(deploying, said)
    deploying.communicate(timeout=PATIENCE_SECONDS)
    gate.touch()

    ran = plain_app.run("deploy", "--yes", "--json")

    assert ran.returncode == 0
    assert {one["name"]: one["outcome"] for one in json.loads(ran.stdout)["shards"]} == {
        "slow": "committed",
        "later": "committed",
    }
