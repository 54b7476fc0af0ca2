"""Nothing in the platform's stacks keeps one from telling, without Terraform, that they are unchanged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast_orchestrator.app.foreign import ForeignDefaults
from holdfast_orchestrator.app.manifest import Manifest
from holdfast_orchestrator.app.manifest_loader import load_manifest
from holdfast_orchestrator.app.project_file import ForeignSettings
from holdfast_orchestrator.change_detection.normalize import configuration_digest, doubts, normal
from holdfast_orchestrator.change_detection.upstream import strangers
from holdfast_orchestrator.inputs.capture import capture
from holdfast_orchestrator.inputs.variables import Given

PROJECT = Path(__file__).resolve().parents[2]


def nobody(region: str, cloud: str) -> str:
    raise AssertionError("holdfast.json says which account it is")


def synthesized(folder: Path) -> Manifest:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    subprocess.run(
        (sys.executable, "-m", "holdfast_stacks"),
        cwd=PROJECT,
        env={**environ, "CDKTF_OUTDIR": str(folder), "HOLDFAST_ENV": "prod,local"},
        capture_output=True,
        check=True,
    )
    nothing = ForeignSettings()
    defaults = ForeignDefaults(settings=nothing, options=nothing, find_account=nobody, custom_endpoint=False)
    return load_manifest(folder, defaults)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return synthesized(tmp_path_factory.mktemp("once"))


def test_every_stack_can_be_judged_from_its_configuration(app: Manifest) -> None:
    documents = {shard.name: normal(shard.configuration) for shard in app.shards}

    doubted = {name: doubts(one) for name, one in documents.items()}
    assert {name: found for name, found in doubted.items() if found} == {}
    assert {name: found for name, one in documents.items() if (found := strangers(one, app))} == {}
    assert {
        shard.name for shard in capture(app, PROJECT, Given()).shards if not shard.inputs.is_empty
    } == set()
    assert {shard.inputs.moving for shard in capture(app, PROJECT, Given()).shards} == {()}


def test_synthesizing_twice_gives_the_same_digests(app: Manifest, tmp_path: Path) -> None:
    again = synthesized(tmp_path)

    assert {shard.name: configuration_digest(shard.configuration) for shard in app.shards} == {
        shard.name: configuration_digest(shard.configuration) for shard in again.shards
    }
