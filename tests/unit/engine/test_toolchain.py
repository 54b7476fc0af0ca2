"""Which engine is taken: choice before search path before the project's own; old ones are named."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.engine.environment import engine_environ
from holdfast_orchestrator.engine.toolchain import Engine, find_engine
from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.testing import RefusedError, refusing_runtime


def program(folder: Path, name: str, words: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nprintf '{words}\\non linux_amd64\\n'\n")
    path.chmod(0o755)
    return path


def world(tmp_path: Path, **environ: str) -> Runtime:
    return refusing_runtime(
        processes=SystemProcesses(), environ={"PATH": str(tmp_path / "bin"), **environ}, cwd=tmp_path
    )


def test_terraform_comes_before_tofu(tmp_path: Path) -> None:
    program(tmp_path / "bin", "tofu", "OpenTofu v1.12.0")
    path = program(tmp_path / "bin", "terraform", "Terraform v1.11.4")

    engine = find_engine(world(tmp_path), project=tmp_path)

    assert engine == Engine(path, "terraform", (1, 11, 4))
    assert engine.registry == "registry.terraform.io"


def test_tofu_does_where_terraform_is_too_old(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", "Terraform v1.5.7")
    program(tmp_path / "bin", "tofu", "OpenTofu v1.10.0-beta1")

    engine = find_engine(world(tmp_path), project=tmp_path)

    assert (engine.kind, engine.version) == ("tofu", (1, 10, 0))
    assert engine.registry == "registry.opentofu.org"


def test_the_search_path_comes_before_the_projects_own(tmp_path: Path) -> None:
    program(tmp_path / ".holdfast" / "bin", "terraform", "Terraform v1.11.4")
    path = program(tmp_path / "bin", "terraform", "Terraform v1.13.0")

    assert find_engine(world(tmp_path), project=tmp_path).path == path


def test_the_projects_own_is_taken_where_nothing_else_fits(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", "Terraform v1.9.8")
    path = program(tmp_path / ".holdfast" / "bin", "terraform", "Terraform v1.11.4")

    assert find_engine(world(tmp_path), project=tmp_path).path == path


def test_a_chosen_engine_is_the_only_one_taken(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", "Terraform v1.11.4")

    with pytest.raises(ToolchainError, match=r"no tofu of version 1\.10\.0 or newer .*; found none"):
        find_engine(world(tmp_path), choice="tofu", project=tmp_path)


def test_a_path_from_the_environment_starts_at_the_current_folder(tmp_path: Path) -> None:
    path = program(tmp_path / "tools", "my-engine", "OpenTofu v1.11.0")

    engine = find_engine(world(tmp_path, HOLDFAST_ENGINE="tools/my-engine"), project=tmp_path)

    assert (engine.path, engine.kind) == (path, "tofu")


def test_the_projects_cdktf_json_may_choose(tmp_path: Path) -> None:
    program(tmp_path / "bin", "terraform", "Terraform v1.11.4")
    path = program(tmp_path / "bin", "tofu", "OpenTofu v1.11.0")
    (tmp_path / "cdktf.json").write_text(json.dumps({"context": {"holdfast": {"engine": "tofu"}}}))

    assert find_engine(world(tmp_path), project=tmp_path).path == path


@pytest.mark.parametrize("content", ["", "[]", '{"context": []}', '{"context": {"holdfast": {"engine": 1}}}'])
def test_a_cdktf_json_that_says_nothing_chooses_nothing(tmp_path: Path, content: str) -> None:
    path = program(tmp_path / "bin", "terraform", "Terraform v1.11.4")
    (tmp_path / "cdktf.json").write_text(content)

    assert find_engine(world(tmp_path), project=tmp_path).path == path


def test_everything_found_and_why_it_will_not_do_is_listed_with_what_to_do(tmp_path: Path) -> None:
    old = program(tmp_path / "bin", "terraform", "Terraform v0.12.31")
    other = program(tmp_path / "bin", "tofu", "hello")

    with pytest.raises(ToolchainError) as refusal:
        find_engine(world(tmp_path), project=tmp_path)

    assert f"terraform 0.12.31 ({old})" in refusal.value.what
    assert f"{other} does not answer `version`" in refusal.value.what
    assert refusal.value.next_step == "make install, or set HOLDFAST_ENGINE to the path of one"


def test_an_engine_is_not_asked_on_the_network_for_newer_versions(tmp_path: Path) -> None:
    path = program(tmp_path / "bin", "terraform", "Terraform v1.11.4")
    path.write_text('#!/bin/sh\n[ "$CHECKPOINT_DISABLE" = 1 ] && echo Terraform v1.11.4\n')

    assert find_engine(world(tmp_path), project=tmp_path).version == (1, 11, 4)


def test_the_default_test_runtime_refuses_to_start_it_and_says_what_was_asked(tmp_path: Path) -> None:
    path = program(tmp_path / "bin", "terraform", "Terraform v1.11.4")
    runtime = refusing_runtime(environ={"PATH": str(tmp_path / "bin")}, cwd=tmp_path)

    with pytest.raises(RefusedError, match=f"run {path} version"):
        find_engine(runtime, project=tmp_path)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"TF_CLI_ARGS": "-x", "TF_CLI_ARGS_plan": "-destroy", "TF_WORKSPACE": "w", "TF_DATA_DIR": "d"}, {}),
        ({"TF_REATTACH_PROVIDERS": "{}", "TF_STATE_PERSIST_INTERVAL": "600"}, {}),
        ({"TF_VAR_a": "1", "TF_LOG": "debug"}, {"TF_VAR_a": "1", "TF_LOG": "debug"}),
        ({"TF_TOKEN_a_b": "t", "AWS_PROFILE": "p"}, {"TF_TOKEN_a_b": "t", "AWS_PROFILE": "p"}),
    ],
)
def test_an_engine_sees_only_what_does_not_change_our_commands(
    given: Mapping[str, str], kept: Mapping[str, Any]
) -> None:
    environ = engine_environ(given)

    ours = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1", "LC_ALL": "C.UTF-8"}
    assert environ == {**kept, **ours}
