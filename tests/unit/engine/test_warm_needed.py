import json
from pathlib import Path

import pytest

from holdfast_orchestrator.engine.modules import ModulesUnknownError
from holdfast_orchestrator.engine.warm.module_words import need_no_folder, needs_no_folder, words_of_modules
from holdfast_orchestrator.engine.warm.schema_filter import types_of, words_of


def words(document: object) -> frozenset[str]:
    return words_of(json.dumps(document).encode())


def test_types_are_found_wherever_a_configuration_may_name_them() -> None:
    found = words(
        {
            "resource": {"aws_sqs_queue": {"q": {"name": "${data.aws_region.here.name}"}}},
            "ephemeral": [{"aws_secretsmanager_secret_version": {"s": {}}}],
            "moved": [{"from": "aws_old.a", "to": "aws_new.a"}],
            "import": [{"to": "aws_imported.b", "id": "b"}],
            "removed": [{"from": "aws_removed.c"}],
            "output": {"o": {"value": "${provider::aws::arn_parse(var.arn).account}"}},
        }
    )

    assert {
        "aws_sqs_queue",
        "aws_region",
        "aws_secretsmanager_secret_version",
        "aws_old",
        "aws_new",
        "aws_imported",
        "aws_removed",
        "arn_parse",
    } <= found


def test_a_name_written_with_escapes_is_found() -> None:
    assert "aws_sqs_queue" in words_of(rb'{"resource": {"aws_sq\u0073_queue": {}}}')


def test_the_types_of_a_state_are_those_of_its_objects_data_sources_too() -> None:
    state = {"resources": [{"type": "aws_a", "mode": "managed"}, {"type": "aws_b", "mode": "data"}]}

    assert types_of(state) == {"aws_a", "aws_b"}
    assert types_of({}) == frozenset()


def laid_out(folder: Path, *folders: str) -> None:
    modules = [{"Key": "", "Source": "", "Dir": "."}, *({"Key": one, "Dir": one} for one in folders)]
    (folder / ".terraform" / "modules").mkdir(parents=True)
    (folder / ".terraform" / "modules" / "modules.json").write_text(json.dumps({"Modules": modules}))


def test_every_type_of_the_modules_files_is_kept_and_of_no_other_files(tmp_path: Path) -> None:
    workdir = tmp_path / "work"
    laid_out(workdir, "../near", str(tmp_path / "far"))
    (tmp_path / "near").mkdir()
    (tmp_path / "far" / "examples").mkdir(parents=True)
    (tmp_path / "near" / "main.tf").write_text('resource "aws_sns_topic" "t" {}\ndata"aws_vpc""v"{}')
    (tmp_path / "far" / "a.tf.json").write_text('{"resource": {"aws_sqs_queue": {"q": {}}}}')
    (tmp_path / "far" / "b.tofu").write_bytes(b'resource "aws_ecr_repository" "\xff" {}')
    (tmp_path / "far" / "examples" / "c.tf").write_text('resource "aws_eks_cluster" "c" {}')
    (tmp_path / "far" / "README.md").write_text("aws_lb")

    words = words_of_modules(workdir)

    assert {"aws_sns_topic", "aws_vpc", "aws_sqs_queue", "aws_ecr_repository"} <= words
    assert not {"aws_eks_cluster", "aws_lb"} & words


def test_modules_whose_files_are_not_there_are_an_error_and_not_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModulesUnknownError):
        words_of_modules(tmp_path)
    laid_out(tmp_path, "gone")
    with pytest.raises(ModulesUnknownError):
        words_of_modules(tmp_path)


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ('resource "aws_sns_topic" "t" {\n  name = var.name\n}\n', True),
        ('module "inner" {\n  source = "./inner"\n}\n', True),
        ('resource "terraform_data" "d" {}\ndata "aws_region" "r" {}\n', True),
        ('resource "aws_sns_topic" "t" {\n  provisioner "local-exec" {}\n}\n', False),
        ('resource "aws_lambda_function" "f" {\n  filename = "code.zip"\n}\n', False),
        ('resource "aws_s3_object" "o" {\n  source = "x.html"\n}\n', False),
        ('locals {\n  x = "${path.module}/x"\n}\n', False),
        ('locals {\n  x = abspath("x")\n}\n', False),
        ('resource "random_pet" "p" {}\n', False),
        ("resource random_pet p {}\n", False),
        ('ephemeral "vault_secret" "s" {}\n', False),
        ('resource "aws_emr_cluster" "e" {\n  configurations = "c.json"\n}\n', False),
    ],
)
def test_a_module_shares_a_process_only_where_nothing_in_it_can_name_a_file(
    text: str, *, shared: bool
) -> None:
    assert needs_no_folder("main.tf", text.encode()) is shared
    assert not needs_no_folder("main.tf.json", b"{}")


def test_one_module_of_many_that_needs_a_folder_decides_for_all(tmp_path: Path) -> None:
    laid_out(tmp_path, "a", "b")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text('resource "aws_sns_topic" "t" {}\n')
    assert need_no_folder(tmp_path)
    (tmp_path / "b" / "more.tf").write_text('resource "random_pet" "p" {}\n')

    assert not need_no_folder(tmp_path)
