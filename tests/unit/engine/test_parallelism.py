"""How many objects Terraform reads or changes at once: what was asked for, or what suits the state."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.engine.parallelism import Parallelism
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import Engine
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.object_store import ObjectHead, StoredObject
from holdfast_orchestrator.state.snapshot import StateSnapshot, snapshot_of
from holdfast_orchestrator.system.runtime import real_runtime


def state(objects: int, **more: Any) -> Callable[[], StateSnapshot]:
    resource = {"mode": "managed", "type": "aws_sns_topic", "name": "t", "instances": [{}] * objects}
    document = {"version": 4, "lineage": "l", "serial": 1, "resources": [resource], **more}
    body = json.dumps(document).encode()
    head = ObjectHead(key="s", etag="", size=len(body))
    return lambda: snapshot_of(StoredObject(head=head, body=body))


def unreadable() -> StateSnapshot | None:
    raise NeedsPersonError("damaged")


@pytest.mark.parametrize(
    ("parallelism", "plan", "apply"),
    [
        (Parallelism(), (), ()),
        (Parallelism(read_state=state(100)), (), ()),
        (Parallelism(read_state=state(101)), ("-parallelism=20",), ()),
        (Parallelism(7, state(101)), ("-parallelism=7",), ("-parallelism=7",)),
        (Parallelism(7, unreadable), ("-parallelism=7",), ("-parallelism=7",)),
        (Parallelism(read_state=unreadable), (), ()),
    ],
)
def test_plans_of_many_objects_read_twenty_at_once_and_a_setting_is_for_all(
    parallelism: Parallelism, plan: tuple[str, ...], apply: tuple[str, ...]
) -> None:
    assert (parallelism.of_plan, parallelism.of_apply) == (plan, apply)


def test_data_sources_are_no_objects() -> None:
    data = {"mode": "data", "type": "aws_ami", "name": "a", "instances": [{}] * 200}

    assert Parallelism(read_state=state(0, resources=[data])).of_plan == ()


def commands(folder: Path, parallelism: Parallelism) -> Mapping[str, list[str]]:
    """The words with which the engine is started for a plan and an apply."""
    engine, noted = folder / "terraform", folder / "noted"
    engine.write_text(f'#!/bin/sh\necho "$@" >> {noted}\ntouch plan.tfplan\n')
    engine.chmod(0o755)
    (folder / "cdk.tf.json").write_text("{}")
    runtime = real_runtime()
    environ = dict(runtime.environ)
    terraform = Terraform(
        Engine(engine, "terraform", (1, 11, 4)), runtime, folder, environ, parallelism=parallelism
    )
    terraform.apply(terraform.plan().plan)
    lines = [line.split() for line in noted.read_text().splitlines()]
    return {words[0]: words[1:] for words in lines}


def test_terraform_is_told(tmp_path: Path) -> None:
    given = commands(tmp_path, Parallelism(3, state(200)))

    assert "-parallelism=3" in given["plan"]
    assert given["apply"][-2] == "-parallelism=3"


def test_terraform_is_told_nothing_by_default(tmp_path: Path) -> None:
    assert "-parallelism" not in str(commands(tmp_path, Parallelism()))
