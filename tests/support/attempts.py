"""Attempts for tests: every field that is not named has the value of a deploy that just began."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.work.attempt import Attempt, Evidence, Objects, Planning, Verification
from holdfast_orchestrator.deploy.work.task import Baseline, Task
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.stateful_types import Protection

_PARTS: dict[str, Any] = {
    "task": Task,
    "planning": Planning,
    "evidence": Evidence,
    "verification": Verification,
    "objects": Objects,
}


def an_attempt(**given: Any) -> Attempt:
    """Return an attempt with these fields, each put into the part that has it."""
    task = {
        "run": "R",
        "verb": "deploy",
        "policy": DeployPolicy(),
        "artifact": "a",
        "configuration": {},
        "before": Baseline(snapshot=None, index=IdentityIndex()),
        "good": None,
        "began": datetime(2026, 1, 1, tzinfo=UTC),
    }
    given = {"kept": None, **task, **given}
    parts = {
        name: part(**{field.name: given.pop(field.name) for field in fields(part) if field.name in given})
        for name, part in _PARTS.items()
    }
    return Attempt(**parts, **given)


def state(kind: str, **attributes: dict[str, Any]) -> dict[str, Any]:
    resources = [
        {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": each}]}
        for name, each in attributes.items()
    ]
    return {"version": 4, "lineage": "L", "serial": 1, "outputs": {}, "resources": resources}


def attempt_at(document: dict[str, Any], **known: Any) -> Attempt:
    index = index_state(document, protection=Protection())
    return an_attempt(artifact="", before=Baseline(snapshot=None, index=index), **known)


def cut_off_attempt(**more: Any) -> Attempt:
    """Return an attempt whose apply lost its connection."""
    return an_attempt(plans=[{}], errors=("connection reset by peer",), **more)
