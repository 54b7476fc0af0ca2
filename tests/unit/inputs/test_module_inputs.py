"""What a stack's modules read: the same rules as for its own configuration, from the text of their files."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.captured_inputs import captured

from holdfast_orchestrator.app.inputs import Inputs, differing
from holdfast_orchestrator.inputs.modules import fetched_doubts, read_module

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOPIC = 'resource "aws_sns_topic" "t" {\n  name = "t"\n}\n'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A project in a folder of a repository that has modules beside it too."""
    project = tmp_path / "repository" / "app"
    write(
        project,
        {
            "mod/main.tf": TOPIC,
            "../modules/shared/main.tf": 'module "deep" {\n  source = "./deep"\n}\n',
            "../modules/shared/deep/main.tf": TOPIC,
            "cdktf.out/stacks/shop/assets/code/AB12/archive.zip": "zip",
            "cdktf.out/stacks/shop/assets/__cdktf_module_asset_26CE565C/AB12/main.tf": TOPIC,
        },
    )
    (project.parent / ".git").mkdir()
    return project


def write(project: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)


def read(app: Path, source: str = "../../../mod", **arguments: str) -> Inputs:
    return captured(app, {"module": {"m": {"source": source, **arguments}}}).inputs


def reasons(app: Path, text: str, name: str = "main.tf", **arguments: str) -> tuple[str, ...]:
    """Why a stack with this module text is never skipped, or not surely gone back to."""
    write(app, {f"mod/{name}": text})
    inputs = read(app, **arguments)
    return (*inputs.moving, *inputs.doubts)


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("../../../mod", "mod/main.tf"),
        ("../../../../modules/shared", "../modules/shared/main.tf"),
        ("../../../../modules/shared", "../modules/shared/deep/main.tf"),
        (
            "./assets/__cdktf_module_asset_26CE565C/AB12",
            "cdktf.out/stacks/shop/assets/__cdktf_module_asset_26CE565C/AB12/main.tf",
        ),
    ],
)
def test_every_byte_of_a_folder_of_the_repository_counts_and_nothing_is_in_doubt(
    app: Path, source: str, changed: str
) -> None:
    before = read(app, source)
    assert (before.moving, before.doubts) == ((), ())
    assert all(file.kept for file in before.files)
    write(app, {changed: TOPIC + "\n"})
    after = read(app, source)
    write(app, {str(Path(changed).with_name("new-file.txt")): ""})

    assert differing(before, after)
    assert differing(after, read(app, source))


@given(content=st.binary(max_size=20), other=st.binary(max_size=20))
def test_two_contents_of_a_file_in_a_module_are_two_inputs(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, other: bytes
) -> None:
    app = tmp_path_factory.mktemp("app")
    write(app, {"mod/deep/er/main.tf": "", "cdktf.out/stacks/shop/x": ""})
    found = []
    for each in (content, other):
        (app / "mod" / "deep" / "er" / "file").write_bytes(each)
        found.append(read(app))

    assert bool(differing(*found)) is (content != other)


def test_a_module_outside_of_the_repository_is_fingerprinted_and_read_in_place(
    app: Path, tmp_path: Path
) -> None:
    write(tmp_path, {"elsewhere/main.tf": TOPIC})
    before = read(app, str(tmp_path / "elsewhere"))
    write(tmp_path, {"elsewhere/main.tf": ""})

    assert [file.in_place for file in before.files] == [True]
    assert differing(before, read(app, str(tmp_path / "elsewhere")))


DATA = [
    ("main.tf", 'data "aws_ami" "a" {\n}\n'),
    ("main.tf", "data aws_ami a {\n}\n"),
    ("main.tofu", 'check "c" {\n  data "aws_ami" "a" {}\n}\n'),
    ("main.tf.json", '{"data": {"aws_ami": {"a": {}}}}'),
    ("main.tf.json", '{"data": [{"aws_ami": [{"a": {}}]}]}'),
    ("main.tf.json", '{"check": {"c": {"data": {"aws_ami": {"a": {}}}}}}'),
]


@pytest.mark.parametrize(("name", "text"), DATA)
def test_a_data_source_that_may_say_something_else_is_found_in_every_form(
    app: Path, name: str, text: str
) -> None:
    (reason,) = reasons(app, text, name)

    assert reason == "its module ../../../mod reads aws_ami, which may say something else by now"


@pytest.mark.parametrize(
    "text",
    [
        'data "aws_region" "r" {}\ndata "aws_iam_policy_document" "p" {}\n',
        'provider "aws" {\n  region = "us-east-1"\n}\n',
        'locals {\n  text = file("${path.module}/x.txt")\n}\n',
        'locals {\n  texts = [for x in fileset(path.module, "*") : file("${path.module}/${x}")]\n}\n',
        'locals {\n  t = templatefile("${path.module}/x", { a = upper(var.x) })\n}\n',
        'resource "aws_lambda_function" "f" {\n  filename = "${path.module}/code/${var.name}.zip"\n}\n',
        'resource "aws_ecs_task_definition" "t" {\n  command = ["/bin/sh", "-c", "x > /dev/null"]\n}\n',
        f'module "v" {{\n  source = "git::https://example.com/v.git?ref={COMMIT}"\n}}\n',
        'module "v" {\n  source  = "acme/vpc/aws"\n  version = "1.2.3"\n}\n',
        '# data "aws_ami" "a" {}\n',
    ],
)
def test_what_its_own_files_decide_leaves_no_doubt(app: Path, text: str) -> None:
    assert reasons(app, text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('data "terraform_remote_state" "s" {}\n', "terraform_remote_state"),
        ('provider "aws" {\n  alias = "x"\n}\n', "provider aws without a region"),
        ('locals {\n  x = "${path.root}/x"\n}\n', "builds a path with path.root"),
        ("locals {\n  x = path.cwd\n}\n", "builds a path with path.cwd"),
        ('locals {\n  x = join("/", [path.module, "..", "x"])\n}\n', "builds a path with path.module"),
        ('locals {\n  x = abspath("x")\n}\n', "builds a path with abspath"),
        ('locals {\n  x = "${path.module}/${var.x}/../../x"\n}\n', "builds a path"),
        ("locals {\n  x = file(var.x)\n}\n", "by a computed path"),
        ('resource "aws_lambda_function" "f" {\n  filename = local.code\n}\n', "computed path: local.code"),
        ('resource "terraform_data" "d" {\n  provisioner "local-exec" {}\n}\n', "runs commands"),
        ('module "v" {\n  source  = "acme/vpc/aws"\n  version = "~> 1.2"\n}\n', "acme/vpc/aws ~> 1.2"),
        ('module "v" {\n  source = "git::https://example.com/v.git?ref=main"\n}\n', "not pinned"),
        ('module "v" {\n  source = var.source\n}\n', "not written out"),
        ('resource "local_file" "f" {\n  content = "/etc/hostname"\n}\n', "which lies on this machine"),
    ],
)
def test_what_may_be_another_thing_tomorrow_is_said(app: Path, text: str, said: str) -> None:
    (reason,) = reasons(app, text)

    assert said in reason


@pytest.mark.parametrize(
    "document",
    [
        {"module": {"v": {"source": "acme/vpc/aws"}}},
        {"provider": {"aws": {}}},
        {"locals": {"x": "${path.root}/x"}},
        {"resource": {"terraform_data": {"d": {"provisioner": [{"local-exec": {"command": "x"}}]}}}},
        {"resource": {"aws_lambda_function": {"f": {"filename": "${local.code}"}}}},
        {"locals": {"x": "${file(var.x)}"}},
    ],
)
def test_a_module_in_json_is_read_by_the_same_rules(app: Path, document: object) -> None:
    assert len(reasons(app, json.dumps(document), "main.tf.json")) == 1


def test_a_file_of_a_variable_is_known_where_the_stack_names_it(app: Path) -> None:
    text = 'resource "aws_lambda_function" "f" {\n  filename = var.code\n}\n'

    assert reasons(app, text, code="assets/code/AB12/archive.zip") == ()
    inputs = read(app, code="assets/code/AB12/archive.zip")
    assert inputs.provider_reads
    assert "assets/code/AB12/archive.zip" in {file.path for file in inputs.files}
    assert len(reasons(app, text, code="${aws_s3_object.o.key}")) == 1
    write(app, {"outer/main.tf": 'module "m" {\n  source = "../mod"\n  code = var.code\n}\n'})
    assert read(app, "../../../outer").doubts == (
        "its module ../../../mod reads a file by a computed path: var.code",
    )


def test_a_path_from_a_module_to_its_neighbour_is_an_input_too(app: Path) -> None:
    write(app, {"shared/x.zip": "1"})
    text = 'resource "aws_lambda_function" "f" {\n  filename = "${path.module}/../shared/x.zip"\n}\n'
    assert reasons(app, text) == ()
    before = read(app)
    write(app, {"shared/x.zip": "2"})

    assert differing(before, read(app))


def test_a_relative_path_in_a_module_that_leads_to_a_file_of_the_stack_is_an_input(app: Path) -> None:
    write(
        app, {"mod/main.tf": 'resource "aws_s3_object" "o" {\n  source = "assets/code/AB12/archive.zip"\n}\n'}
    )

    inputs = read(app)

    assert "assets/code/AB12/archive.zip" in {file.path for file in inputs.files}
    assert inputs.provider_reads


def test_links_within_the_repository_are_followed_and_others_are_a_doubt(app: Path, tmp_path: Path) -> None:
    write(app, {"shared/deep/x.txt": "1"})
    write(tmp_path, {"outside/secret": "s"})
    (app / "mod" / "shared").symlink_to(app / "shared")
    (app / "mod" / "round").symlink_to(app / "mod")
    before = read(app)
    write(app, {"shared/deep/x.txt": "2"})
    assert (before.moving, before.doubts) == ((), ())
    assert differing(before, read(app))

    (app / "mod" / "out").symlink_to(tmp_path / "outside")
    (app / "mod" / "everything").symlink_to(app)

    assert read(app).doubts == (
        "folder everything in ../../../mod cannot be read, or holds the app itself",
        "out in ../../../mod is a link that leads out of the app",
    )


def test_a_huge_folder_is_a_doubt(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_orchestrator.inputs.reach.STACK_FILES", 5)
    write(app, {f"mod/data/{number}": "" for number in range(10)})

    assert read(app).doubts == ("../../../mod holds more than 5 files",)


def refusing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let nobody read files and folders of this name: the tests may run as root, whom no mode refuses."""

    def refused(original: Callable[..., object]) -> Callable[..., object]:
        def opened(path: object, *given: object, **more: object) -> object:
            if Path(str(path)).name == name:
                raise PermissionError(name)
            return original(path, *given, **more)

        return opened

    monkeypatch.setattr(os, "open", refused(os.open))
    monkeypatch.setattr(Path, "open", refused(Path.open))
    monkeypatch.setattr(Path, "iterdir", refused(Path.iterdir))


@pytest.mark.parametrize("name", ["notes.txt", "more.tf", "sub"])
def test_a_file_or_a_folder_that_cannot_be_read_is_a_doubt(
    app: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(app, {"mod/notes.txt": "", "mod/more.tf": TOPIC, "mod/sub/x": ""})
    assert read(app).doubts == ()
    refusing(monkeypatch, name)

    doubts = read(app).doubts

    assert doubts
    assert all(name in doubt and "cannot be read" in doubt for doubt in doubts)


def fetched(folder: Path, text: str, arguments: Mapping[str, object] | None = None) -> list[str]:
    write(folder, {"module/main.tf": text, "assets/x.zip": ""})
    return [*fetched_doubts(read_module(folder / "module"), folder, arguments)]


@pytest.mark.parametrize(
    "text",
    [
        TOPIC,
        'locals {\n  x = file("${path.module}/x")\n}\n',
        'module "deep" {\n  source = "./deep"\n}\n',
        'module "deep" {\n  source = "acme/vpc/aws"\n  version = "1.0.0"\n}\n',
        'resource "aws_lambda_function" "f" {\n  filename = var.code\n}\n',
    ],
)
def test_a_fetched_module_that_reads_only_itself_leaves_no_doubt(tmp_path: Path, text: str) -> None:
    assert fetched(tmp_path, text, {"code": "assets/x.zip"}) == []


@pytest.mark.parametrize(
    "text",
    [
        'data "aws_ami" "a" {}\n',
        'module "deep" {\n  source = "acme/vpc/aws"\n  version = ">= 1.0"\n}\n',
        'locals {\n  x = file("x")\n}\n',
        'locals {\n  x = file("/etc/hostname")\n}\n',
        'locals {\n  x = file("${path.module}/../x")\n}\n',
        'locals {\n  x = "${path.module}/../x"\n}\n',
        "locals {\n  x = file(var.x)\n}\n",
        'locals {\n  x = "${path.root}/x"\n}\n',
        'resource "aws_s3_object" "o" {\n  source = "assets/x.zip"\n}\n',
        'resource "aws_s3_object" "o" {\n  source = each.value\n}\n',
        'resource "aws_lambda_function" "f" {\n  filename = var.computed\n}\n',
        'resource "terraform_data" "d" {\n  provisioner "local-exec" {}\n}\n',
        'resource "terraform_data" "d" {\n  provisioner "local\\u002dexec" {}\n}\n',
        'data "aws\\u005fami" "a" {}\n',
        'resource "aws_s3_object" "o" {\n  source = "\\u002fetc/hostname"\n}\n',
        'provider "aws" {}\n',
    ],
)
def test_a_fetched_module_that_reads_anything_else_is_a_doubt(tmp_path: Path, text: str) -> None:
    assert len(fetched(tmp_path, text, {"computed": "${aws_sns_topic.t.arn}"})) == 1
    assert len(fetched(tmp_path, text)) == 1
