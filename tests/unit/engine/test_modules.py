"""The modules that `init` has laid out: which they are, what they require, when they are others."""

import json
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.lockfile import LockedProvider
from holdfast_orchestrator.engine.module_requirements import modules_allow
from holdfast_orchestrator.engine.modules import (
    ModulesUnknownError,
    has_modules,
    laid_out_modules,
    modules_digest,
)

REGISTRY = "registry.terraform.io"
AWS = f"{REGISTRY}/hashicorp/aws"
LOCKS = {AWS: LockedProvider("5.100.0", "", ("h1:a",))}
ALIASED = """
terraform {
  required_providers {
    amazon = {
      source                = "hashicorp/aws"
      version               = "~> 4.0"
      configuration_aliases = [amazon.a]
    }
  }
}
"""
VPC = ".terraform/modules/vpc"


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """A folder with a module beside it that calls another one, and one from a registry with one in it."""
    folder = tmp_path / "up" / "work"
    listed = [
        {"Key": "", "Source": "", "Dir": "."},
        {"Key": "near", "Source": "../near", "Dir": "../near"},
        {"Key": "near.inner", "Source": "./inner", "Dir": "../near/inner"},
        {"Key": "vpc", "Source": f"{REGISTRY}/acme/vpc/aws", "Version": "1.2.3", "Dir": VPC},
        {"Key": "vpc.log", "Source": "./modules/log", "Dir": f"{VPC}/modules/log"},
    ]
    for name, text in {
        ".terraform/modules/modules.json": json.dumps({"Modules": listed}),
        "../near/main.tf": 'module "inner" {\n  source = "./inner"\n}\n',
        "../near/script.sh": "echo 1",
        "../near/inner/main.tf.json": '{"resource": {"aws_sqs_queue": {"q": {}}}}',
        f"{VPC}/main.tf": 'resource "aws_vpc" "v" {}\n',
        f"{VPC}/modules/log/main.tf": 'resource "aws_flow_log" "l" {}\n',
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_modules_are_known_by_key_and_by_where_they_came_from(workdir: Path) -> None:
    fetched = {module.key: module.is_fetched for module in laid_out_modules(workdir)}

    assert fetched == {"near": False, "near.inner": False, "vpc": True, "vpc.log": True}


@pytest.mark.parametrize(
    "name", ["../near/main.tf", "../near/inner/main.tf.json", f"{VPC}/main.tf", f"{VPC}/modules/log/main.tf"]
)
def test_the_digest_is_another_one_once_any_terraform_file_is(workdir: Path, name: str) -> None:
    before = modules_digest(workdir)
    assert modules_digest(workdir) == before
    file = workdir / name
    file.write_text(file.read_text() + "\n")
    changed = modules_digest(workdir)
    file.with_name("new.tofu").write_text("")

    assert len({before, changed, modules_digest(workdir)}) == 3


def test_what_init_does_not_read_is_not_in_the_digest(workdir: Path) -> None:
    before = modules_digest(workdir)
    (workdir / "../near/script.sh").write_text("echo 2")

    assert modules_digest(workdir) == before


def test_a_list_or_a_folder_that_is_not_there_is_an_error_and_not_nothing(
    workdir: Path, tmp_path: Path
) -> None:
    (workdir / "../near/inner/main.tf.json").unlink()
    (workdir / "../near/inner").rmdir()
    for folder in (workdir, tmp_path):
        with pytest.raises(ModulesUnknownError):
            modules_digest(folder)
    (workdir / ".terraform/modules/modules.json").write_text('{"Modules": [{"Key": "a"}]}')
    with pytest.raises(ModulesUnknownError):
        laid_out_modules(workdir)


def test_a_configuration_with_a_module_block_has_modules() -> None:
    assert has_modules(b'{"module": {"m": {"source": "./m"}}}')
    assert has_modules(b'{"module": [{"m": {"source": "./m"}}]}')
    assert not has_modules(b'{"resource": {}}')


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        (ALIASED, False),
        ('terraform {\n  required_providers {\n    aws = "6.0.0"\n  }\n}', False),
        ('terraform {\n  required_providers {\n    aws = "five"\n  }\n}', False),
        ("terraform {\n  required_providers {\n    aws = local.aws\n  }\n}", False),
        ('provider "aws" {\n  version = "~> 2.0"\n}', False),
        ('# required_providers { aws = "6.0.0" }\n', True),
    ],
)
def test_a_module_allows_the_locked_version_or_is_not_understood(
    workdir: Path, text: str, *, allowed: bool
) -> None:
    (workdir / "../near/inner/versions.tf").write_text(text)

    assert modules_allow(workdir, LOCKS, REGISTRY) is allowed


@pytest.mark.parametrize(("version", "allowed"), [(">= 5.0", True), ("~> 4.0", False)])
def test_a_json_module_requires_the_same_way(workdir: Path, version: str, *, allowed: bool) -> None:
    required = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": version}}}}
    (workdir / "../near/inner/versions.tf.json").write_text(json.dumps(required))

    assert modules_allow(workdir, LOCKS, REGISTRY) is allowed
    (workdir / "../near/inner/versions.tf.json").write_text("{")
    assert not modules_allow(workdir, LOCKS, REGISTRY)
