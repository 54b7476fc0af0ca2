"""What a stack reads: found in its configuration, laid out for Terraform, kept, and had again."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.captured_inputs import captured

from holdfast_orchestrator.app.inputs import Inputs, Variable, differing
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.cli._variables import variables_in, without_values
from holdfast_orchestrator.engine.workdir import prepare, workdir_of
from holdfast_orchestrator.errors import GateError, UsageError
from holdfast_orchestrator.inputs.compare import found_here, reads_something, uncertain
from holdfast_orchestrator.inputs.keep import described, fetcher, input_key, keep_inputs, read_inputs
from holdfast_orchestrator.inputs.place import Layout, environ_with, place, variable_files
from holdfast_orchestrator.inputs.variables import Given
from holdfast_orchestrator.state.memory import MemoryStore


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A project with a stack's folder and files of all sorts."""
    project = tmp_path / "repo" / "app"
    for name, text in {
        "templates/x.txt": "x",
        "templates/t.tpl": "hello ${name}",
        "mod/main.tf": 'module "i" {\n  source = "../inner"\n}\nlocals { x = file("${path.module}/x") }\n',
        "mod/x": "x",
        "inner/main.tf": 'data "aws_ami" "a" {}\n# file("no")\n',
        "cdktf.out/stacks/shop/assets/code/AB12/archive.zip": "zip",
        "cdktf.out/stacks/shop/assets/old/CD34/gone": "stale",
        "tool.sh": "#!/bin/sh",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    (project / "tool.sh").chmod(0o755)
    return project


def resource(kind: str = "aws_ssm_parameter", **arguments: Any) -> dict[str, Any]:
    return {"resource": {kind: {"p": arguments}}}


def value(shard: Shard, argument: str = "value") -> str:
    kinds = json.loads(shard.configuration)["resource"]
    found: str = next(iter(kinds.values()))["p"][argument]
    return found


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        (resource(value='${file("../../../templates/x.txt")}'), {"../../../templates/x.txt"}),
        (resource(value='${file("${path.root}/../../../templates/x.txt")}'), {"../../../templates/x.txt"}),
        (resource(value='${filemd5(abspath("../../../tool.sh"))}'), {"../../../tool.sh"}),
        (
            resource(value='${join(",", fileset("../../../templates", "*"))}'),
            {"../../../templates/x.txt", "../../../templates/t.tpl"},
        ),
        (
            resource(value='${file("../../../templates/${each.key}.txt")}'),
            {"../../../templates/x.txt", "../../../templates/t.tpl"},
        ),
        (resource("aws_s3_object", source="../../../tool.sh"), {"../../../tool.sh"}),
        (
            resource("aws_lambda_function", filename="assets/code/AB12/archive.zip"),
            {"assets/code/AB12/archive.zip"},
        ),
        (
            resource(value='${filemd5("${path.module}/assets/code/AB12/archive.zip")}'),
            {"assets/code/AB12/archive.zip"},
        ),
        (
            resource("terraform_data", provisioner=[{"local-exec": {"command": "sh ../../../tool.sh 1"}}]),
            {"../../../tool.sh"},
        ),
        (
            {"module": {"m": {"source": "../../../mod"}}},
            {"../../../mod/main.tf", "../../../mod/x", "../../../inner/main.tf"},
        ),
        (resource(value='say file("../../../templates/x.txt")'), set()),
        (resource(value='$${file("../../../templates/x.txt")}'), set()),
        (resource(value="/", path="."), set()),
    ],
)
def test_what_a_configuration_reads_is_found(app: Path, document: dict[str, Any], paths: set[str]) -> None:
    shard = captured(app, document)

    assert {file.path for file in shard.inputs.files} == paths
    assert shard.inputs.doubts == ()
    assert shard.configuration == json.dumps(document, indent=2).encode()
    assert all(file.kept for file in shard.inputs.files)


def test_an_absolute_path_into_the_app_becomes_one_that_any_machine_has(app: Path) -> None:
    functions = captured(app, resource(value=f'${{file("{app}/templates/x.txt")}}', other="1"))
    argument = captured(app, resource("aws_s3_object", source=f"{app}/tool.sh"))
    module = captured(app, {"module": {"m": {"source": f"{app}/mod"}}})

    assert value(functions) == '${file("../../../templates/x.txt")}'
    assert value(argument, "source") == "../../../tool.sh"
    assert json.loads(module.configuration)["module"]["m"]["source"] == "../../../mod"
    assert [file.path for file in functions.inputs.files] == ["../../../templates/x.txt"]


def test_where_an_absolute_path_may_be_a_plain_text_it_stays_and_is_fingerprinted(app: Path) -> None:
    shard = captured(app, resource(value=f"{app}/tool.sh"))

    assert value(shard) == f"{app}/tool.sh"
    assert [(file.path, file.kept) for file in shard.inputs.files] == [(f"{app}/tool.sh", False)]


def test_what_lies_outside_the_app_is_fingerprinted_and_read_in_place(app: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("1")
    (app / "templates" / "link.txt").symlink_to(outside)

    named = captured(app, resource(value=f'${{file("{outside}")}}'))
    linked = captured(app, resource(value='${file("../../../templates/link.txt")}'))

    for shard in (named, linked):
        assert [file.kept for file in shard.inputs.files] == [False]
        assert value(shard).startswith('${file("/')
    assert found_here(named.inputs, None)[1] == ()
    outside.write_text("2")
    assert found_here(named.inputs, None)[1] == (str(outside),)


def test_all_of_a_git_repository_is_the_apps(app: Path) -> None:
    (app.parent / ".git").mkdir()
    (app.parent / "shared.txt").write_text("1")

    shard = captured(app, resource(value=f'${{file("{app.parent}/shared.txt")}}'))

    assert value(shard) == '${file("../../../../shared.txt")}'
    assert [file.kept for file in shard.inputs.files] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "${file(var.path)}",
        '${file(format("%s/x", local.folder))}',
        '${file("../../../${each.key}")}',
        '${file("../../../templates/${each.key}/../../x")}',
        "${file(local.path)}",
        '${provider::local::direxists("x")}',
    ],
)
def test_a_computed_path_is_named_as_a_doubt(app: Path, text: str) -> None:
    shard = captured(app, resource(value=text))

    assert len(shard.inputs.doubts) == 1
    assert "by a computed path" in shard.inputs.doubts[0]
    assert uncertain(shard.inputs, reads=True) == shard.inputs.doubts


def test_what_a_module_reads_that_may_change_by_itself_is_a_reason_not_to_skip(app: Path) -> None:
    shard = captured(app, {"module": {"m": {"source": "../../../mod"}, "r": {"source": "a/b/aws"}}})

    assert len(shard.inputs.moving) == 2
    assert shard.inputs.doubts == ()


def test_a_changed_input_is_named(app: Path) -> None:
    document = {"module": {"m": {"source": "../../../mod"}}, "variable": {"v": {}}}
    before = captured(app, document, Given(environ={"TF_VAR_v": "1", "TF_VAR_other": "1"}))
    (app / "inner" / "main.tf").write_text("# other\n")
    after = captured(app, document, Given(environ={"TF_VAR_v": "2", "TF_VAR_other": "2"}))

    assert differing(before.inputs, after.inputs) == ("../../../inner", "var.v")
    assert "1" not in repr(before.inputs.variables)


def test_a_file_that_is_missing_and_comes_is_a_change(app: Path) -> None:
    document = resource(value='${fileexists("../../../new.txt")}')
    before = captured(app, document)
    (app / "new.txt").write_text("1")

    assert differing(before.inputs, captured(app, document).inputs) == ("../../../new.txt",)


def laid_out(app: Path, shard: Shard, root: Path, store: MemoryStore | None = None) -> Path:
    layout = Layout(folder=workdir_of(root, "shop"), tree=root / "shop", inputs=shard.inputs)
    folder = prepare(root, "shop", {"cdk.tf.json": shard.configuration}, placed=layout.stays)
    place(layout, fetcher(store or MemoryStore()))
    return folder


def test_files_lie_as_far_from_the_shards_folder_as_in_the_app(app: Path, tmp_path: Path) -> None:
    both = {
        **resource(value='${file("../../../templates/x.txt")}'),
        "module": {"m": {"source": "../../../mod"}},
    }
    shard = captured(app, both)

    folder = laid_out(app, shard, tmp_path / "work")

    assert (folder / "../../../templates/x.txt").read_text() == "x"
    assert (folder / "../../../inner/main.tf").exists()
    (app / "templates" / "x.txt").write_text("changed meanwhile")
    assert (laid_out(app, shard, tmp_path / "work") / "../../../templates/x.txt").read_text() == "x"
    plain = captured(app, resource(value="1"))
    assert not (laid_out(app, plain, tmp_path / "work") / "../../../templates").exists()


def test_a_file_that_changed_since_it_was_read_stops_the_deploy_unless_it_is_kept(
    app: Path, tmp_path: Path
) -> None:
    shard = captured(app, resource(value='${file("../../../templates/x.txt")}'))
    (app / "templates" / "x.txt").write_text("y")
    store = MemoryStore()

    with pytest.raises(GateError, match="is not what it was"):
        laid_out(app, shard, tmp_path / "work", store)
    store.create(input_key(hashlib.sha256(b"x").hexdigest()), b"x")

    folder = laid_out(app, shard, tmp_path / "work", store)
    assert (folder / "../../../templates/x.txt").read_text() == "x"


def test_kept_inputs_are_had_again_on_a_machine_that_has_nothing_else(app: Path, tmp_path: Path) -> None:
    document = {**resource(value='${file("../../../tool.sh")}'), "variable": {"v": {"sensitive": True}}}
    shard = captured(app, document, Given(environ={"TF_VAR_v": "canary"}))
    store = MemoryStore()
    keep_inputs(store, shard.inputs, {hashlib.sha256(b"#!/bin/sh").hexdigest(): b"#!/bin/sh"}.get)
    told = json.loads(json.dumps(described(shard.inputs)))

    again = read_inputs(store, told)

    assert "canary" not in json.dumps(told)
    assert again == shard.inputs
    (app / "tool.sh").unlink()
    folder = laid_out(app, replace(shard, inputs=again), tmp_path / "elsewhere", store)
    assert (folder / "../../../tool.sh").stat().st_mode & 0o100
    assert environ_with(again, {"TF_VAR_v": "2", "TF_VAR_w": "3", "A": "b"}) == {
        "A": "b",
        "TF_VAR_v": "canary",
    }


def test_an_artifact_from_before_inputs_is_read_and_proves_nothing_about_them() -> None:
    inputs = read_inputs(MemoryStore(), None)

    assert uncertain(inputs, reads=reads_something(b'{"variable": {"v": {}}}')) != ()
    assert uncertain(inputs, reads=reads_something(b'{"resource": {}}')) == ()
    # As such a deployment was: with whatever the environment says today.
    assert environ_with(inputs, {"TF_VAR_v": "1"}) == {"TF_VAR_v": "1"}


def test_variables_reach_the_stacks_that_declare_them_as_terraform_takes_them(app: Path) -> None:
    document = {"variable": {"a": {"type": "string"}, "b": {"type": "list(string)"}}}
    given = (
        Variable(name="a", value='x"${y}', form="literal"),
        Variable(name="b", value='["1"]', form="literal"),
        Variable(name="prod.tfvars", value='a = "f"\n', form="file"),
    )

    inputs = captured(app, document, Given(variables=given)).inputs
    files = variable_files(inputs)

    assert [one.form for one in inputs.variables] == ["literal", "expression", "file"]
    assert [*files.values()] == [json.dumps({"a": 'x"${y}'}).encode(), b'b = ["1"]\n', b'a = "f"\n']
    assert captured(app, {"variable": {"z": {}}}, Given(variables=given[2:])).inputs.variables == ()
    with pytest.raises(UsageError, match="no stack declares"):
        captured(app, {"variable": {"z": {}}}, Given(variables=given[:1]))


def test_values_given_by_option_are_no_part_of_what_is_recorded(tmp_path: Path) -> None:
    argv = ("deploy", "--var", "token=canary", "--var=b=canary", "--var-file", "x.tfvars", "--yes")

    assert without_values(argv) == (
        "deploy",
        "--var",
        "token=(hidden)",
        "--var=b=(hidden)",
        "--var-file",
        "x.tfvars",
        "--yes",
    )
    (tmp_path / "x.tfvars").write_text("a = 1")
    found = variables_in({"var": ("a=b=c",), "var_file": (Path("x.tfvars"),)}, tmp_path)
    assert [(one.name, one.value) for one in found] == [("x.tfvars", "a = 1"), ("a", "b=c")]
    with pytest.raises(UsageError, match="--var must be NAME=VALUE") as caught:
        variables_in({"var": ("canary",)}, tmp_path)
    assert "canary" not in str(caught.value)


def test_the_same_archive_dated_anew_is_the_same_input(app: Path) -> None:
    import zipfile  # noqa: PLC0415

    archive = app / "cdktf.out/stacks/shop/assets/code/AB12/archive.zip"
    document = resource("aws_lambda_function", filename="assets/code/AB12/archive.zip")
    found: list[Inputs] = []
    for year, body in ((2001, "1"), (2002, "1"), (2003, "2")):
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr(zipfile.ZipInfo("index.py", (year, 1, 1, 0, 0, 0)), body)
        found.append(captured(app, document).inputs)

    assert differing(found[0], found[1]) == ()
    assert differing(found[1], found[2]) == ("assets/code/AB12/archive.zip",)


def test_a_file_that_is_too_large_is_laid_out_and_only_fingerprinted(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast_orchestrator.inputs.reach.FILE_BYTES", 3)
    (app / "templates" / "x.txt").write_text("large")
    shard = captured(app, resource(value='${file("../../../templates/x.txt")}'))

    folder = laid_out(app, shard, tmp_path / "work")

    assert [file.part_of for file in shard.inputs.files if not file.kept] == ["../../../templates/x.txt"]
    assert (folder / "../../../templates/x.txt").read_text() == "large"
    assert found_here(shard.inputs, shard.directory)[1] == ()
    (app / "templates" / "x.txt").write_text("other")
    assert found_here(shard.inputs, shard.directory)[1] == ("../../../templates/x.txt",)
    assert found_here(shard.inputs, None)[1] == ("../../../templates/x.txt",)


def test_a_link_in_a_folder_that_leads_out_of_the_app_or_in_circles_is_not_followed(
    app: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (app / "templates" / "out").symlink_to(outside)
    (app / "templates" / "round").symlink_to(app / "templates")

    shard = captured(app, resource(value='${fileset("../../../templates", "*")}'))

    assert {Path(file.path).name for file in shard.inputs.files} == {"x.txt", "t.tpl"}
    assert any("leads out of the app" in doubt for doubt in shard.inputs.doubts)
