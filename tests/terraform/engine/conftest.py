"""A shard's Terraform in a folder of its own, with a local state."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.engine_shards import Shard

from holdfast_orchestrator.engine.runner import Listener, ignore
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.engine.workdir import prepare
from holdfast_orchestrator.system.runtime import Runtime, real_runtime


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    (tmp_path / "project").mkdir()
    return dataclasses.replace(real_runtime(), cache=tmp_path / "cache", cwd=tmp_path / "project")


@pytest.fixture
def shard(runtime: Runtime, tmp_path: Path) -> Shard:
    """Return a function that makes a shard's Terraform from its configuration."""
    engine = find_engine(runtime, project=tmp_path)

    def make(
        configuration: Mapping[str, Any],
        *,
        on_event: Listener = ignore,
        environ: Mapping[str, str] | None = None,
        name: str = "orders",
    ) -> Terraform:
        backend = {"local": {"path": str(tmp_path / f"{name}.tfstate")}}
        document = json.loads(json.dumps(configuration))
        document.setdefault("terraform", {}).setdefault("backend", backend)
        files = {"cdk.tf.json": json.dumps(document, indent=2).encode()}
        world = dataclasses.replace(runtime, environ={**runtime.environ, **(environ or {})})
        return Terraform(engine, world, prepare(tmp_path / "work", name, files), world.environ, on_event)

    return make
