"""A folder in which a test drives Terraform by itself, and what its plans and applies say."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_orchestrator.deploy.decisions.apply_progress import (
    ApplyStep,
    Progress,
    measure,
    planned_steps,
)
from holdfast_orchestrator.deploy.decisions.guard import Bounds, Candidate, Written, judge_rollback
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.plan import Action, prior_stamp, read_plan
from holdfast_orchestrator.terraform.state_file import StateStamp
from holdfast_orchestrator.terraform.stateful_types import Protection

Config = dict[str, Any]

NO_PROTECTION = Protection()


@dataclass
class Workbench:
    """A folder with one configuration at a time and a local state."""

    folder: Path

    @property
    def state_file(self) -> Path:
        return self.folder / "terraform.tfstate"

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env={**os.environ, "TF_CLI_CONFIG_FILE": str(self.folder / "cli.tfrc"), "TF_IN_AUTOMATION": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in accept, done.stdout + done.stderr
        return done

    def configure(self, configuration: Mapping[str, Any]) -> None:
        (self.folder / "main.tf.json").write_text(json.dumps(configuration))
        self.run("init", "-input=false")

    def plan(self, configuration: Mapping[str, Any]) -> Config:
        self.configure(configuration)
        self.run("plan", "-input=false", "-out=saved.tfplan")
        shown: Config = json.loads(self.run("show", "-json", "saved.tfplan").stdout)
        return shown

    def refused(self, configuration: Mapping[str, Any]) -> str:
        (self.folder / "main.tf.json").write_text(json.dumps(configuration))
        init = self.run("init", "-input=false", accept=(0, 1))
        return init.stderr or self.run("plan", "-input=false", "-no-color", accept=(1,)).stderr

    def apply(self) -> list[ApplyStep]:
        done = self.run("apply", "-json", "saved.tfplan", accept=(0, 1))
        return [step for line in done.stdout.splitlines() if (step := step_of(json.loads(line)))]

    def deploy(self, configuration: Mapping[str, Any]) -> Progress:
        planned = read_plan(self.plan(configuration))
        return measure(planned_steps(planned), self.apply())

    def state(self) -> Config:
        document: Config = json.loads(self.state_file.read_text())
        return document

    def put(self, state: Mapping[str, Any]) -> None:
        self.state_file.write_text(json.dumps(state))

    def index(self, protection: Protection = NO_PROTECTION) -> IdentityIndex:
        return index_state(self.state(), protection=protection)

    def is_clean(self) -> bool:
        return self.run("plan", "-input=false", "-detailed-exitcode", accept=(0, 2)).returncode == 0


def step_of(event: Mapping[str, Any]) -> ApplyStep | None:
    phases = {"apply_start": "start", "apply_complete": "complete", "apply_errored": "errored"}
    if event["type"] not in phases:
        return None
    hook = event["hook"]
    return ApplyStep(
        address=hook["resource"]["addr"],
        action=hook["action"],
        phase=phases[event["type"]],  # type: ignore[arg-type]
        id_value=hook.get("id_value"),
    )


def data(**blocks: Any) -> Config:
    """A configuration of `terraform_data` blocks: a text is the input, a mapping the whole block."""
    return {
        "resource": {
            "terraform_data": {
                name: block if isinstance(block, dict) else {"input": block} for name, block in blocks.items()
            }
        }
    }


def actions(plan: Mapping[str, Any]) -> dict[str, Action]:
    return {change.address: change.action for change in read_plan(plan) if change.touches}


def violations(leased: Workbench, plan: Config, bounds: Bounds) -> list[str]:
    stamp = prior_stamp((leased.folder / "saved.tfplan").read_bytes())
    found = judge_rollback(Candidate(plan, stamp, Written("1.11.4")), bounds)
    return [violation.rule for violation in found]


def stamp_of(state: Mapping[str, Any]) -> StateStamp:
    return StateStamp(state["lineage"], state["serial"])
