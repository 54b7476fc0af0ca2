"""What `holdfast new` writes is a project that synthesizes, whatever kinds of service it has."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from holdfast_orchestrator.api.new import TaskKind, init_project, new_database, new_service, new_task

KINDS: Mapping[str, TaskKind] = {
    "my-worker": "worker",
    "my-job": "job",
    "my-consumer": "consumer",
}
# What each is known by.
RESOURCES = {
    "my-worker": "aws_sqs_queue",
    "my-job": "aws_scheduler_schedule",
    "my-consumer": "aws_cloudwatch_event_rule",
    "my-web": "aws_lb_listener_rule",
}


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "shop"
    init_project(folder)
    for name, kind in KINDS.items():
        new_task(name, folder, kind=kind)
    new_service("my-web", folder)
    new_service("my-shop", folder)
    new_database("my-shop", folder)
    new_database("my-data", folder)
    chosen = {"HOLDFAST_ENV": "prod", "CDKTF_OUTDIR": str(folder / "out"), "PYTHONSAFEPATH": ""}
    environ = {**os.environ, **chosen}
    subprocess.run([sys.executable, "-m", "stacks"], cwd=folder, env=environ, check=True)
    return folder


@pytest.mark.parametrize("name", RESOURCES)
def test_its_stack_has_what_it_is_for_and_what_production_asks_for(synthesized: Path, name: str) -> None:
    stack = json.loads((synthesized / f"out/stacks/{name}-prod-eu-west-1/cdk.tf.json").read_bytes())

    assert RESOURCES[name] in stack["resource"]
    [task] = stack["resource"]["aws_ecs_task_definition"].values()
    assert f"/{name}@sha256:" in task["container_definitions"]


def test_the_settings_are_in_each_environment(synthesized: Path) -> None:
    for environment in ("local", "prod"):
        text = (synthesized / f"environments/{environment}.toml").read_text()
        assert [name for name in RESOURCES if f"[services.{name}]" not in text] == []


def test_a_service_is_connected_to_the_database_that_it_was_given(synthesized: Path) -> None:
    data, shop = (
        json.loads((synthesized / f"out/stacks/{name}-prod-eu-west-1/cdk.tf.json").read_bytes())
        for name in ("data", "my-shop")
    )

    assert [name for name in data["resource"]["aws_db_instance"] if name.startswith("my-shop")]
    [task] = shop["resource"]["aws_ecs_task_definition"].values()
    assert "DATABASE_HOST" in task["container_definitions"]


def test_a_database_in_a_stack_of_its_own_has_a_standby_in_production(synthesized: Path) -> None:
    stack = json.loads((synthesized / "out/stacks/my-data-prod-eu-west-1/cdk.tf.json").read_bytes())

    [database] = stack["resource"]["aws_db_instance"].values()
    assert database["multi_az"] is True
    assert database["allocated_storage"] == 20


def test_what_was_written_passes_our_own_checks(synthesized: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    files = [f"stacks/{name}.py" for name in ("my_data", "my_shop")]
    checks = [
        ["ruff", "check", "--config", str(root / "pyproject.toml"), "--ignore", "I001", *files],
        ["ruff", "format", "--check", "--config", str(root / "pyproject.toml"), *files],
    ]

    for check in checks:
        subprocess.run([sys.executable, "-m", *check], cwd=synthesized, check=True)
