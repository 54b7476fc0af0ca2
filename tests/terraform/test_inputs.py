"""Everything a deploy reads is part of it: a failed second version is undone to the first one's bytes.

Real Terraform, the real command line; one app with a stack for each kind of input.
"""

import io
import json
import os
import shutil
import signal
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

STACKS = ("assets", "exec", "files", "modules", "vars")
PATIENCE_SECONDS = 90
INNER = 'variable "text" {}\nresource "terraform_data" "inner" {\n  input = "${var.text} inner %s"\n}\n'
OUTER = """
module "inner" {{
  source = "../inner"
  text   = file("${{path.module}}/text")
}}
resource "terraform_data" "outer" {{
  input = "outer {version}"
}}
"""


def blocks(**values: str) -> dict[str, Any]:
    return {name: {"input": value} for name, value in values.items()}


def app_of(folder: Path, *, ending: str | None = None) -> dict[str, Any]:
    """The app; with `ending`, every stack ends with a command that is this."""
    asset = "assets/code/AB12"
    files = blocks(
        relative='${file("../../../templates/x.txt")}',
        absolute=f'${{file("{folder}/templates/x.txt")}}',
        template='${templatefile("../../../templates/t.tpl", {name = "x"})}',
        computed='${join(" ", [for name in ["x"] : file("../../../templates/${name}.txt")])}',
        listed='${join(" ", [for name in fileset("../../../templates", "*.txt") : name])}',
    )
    resources = {
        "assets": blocks(
            file=f'${{file("{asset}/file.txt")}}',
            in_folder=f'${{file("${{path.module}}/{asset}/sub/deep.txt")}}',
        ),
        "exec": {
            "run": {
                "triggers_replace": '${filemd5("../../../tool.sh")}',
                "provisioner": [{"local-exec": {"command": f"../../../tool.sh {folder.parent}/said.txt"}}],
            }
        },
        "files": files,
        "modules": blocks(plain="1"),
        "vars": blocks(
            env="${var.env}", auto="${var.auto}", named="${var.named}", filed='${join(" ", var.filed)}'
        ),
    }
    stacks: dict[str, Any] = {
        name: {"resource": {"terraform_data": body}} for name, body in resources.items()
    }
    stacks["modules"]["module"] = {"near": {"source": "../../../mod"}, "far": {"source": f"{folder}/mod"}}
    stacks["vars"]["variable"] = {
        "env": {"sensitive": False},
        "auto": {"type": "string"},
        "named": {"type": "string"},
        "filed": {"type": "list(string)"},
    }
    for name, stack in stacks.items() if ending is not None else ():
        waits = [f"terraform_data.{one}" for one in resources[name]]
        waits += ["module.near", "module.far"] if name == "modules" else []
        last = {"depends_on": waits, "provisioner": [{"local-exec": {"command": ending}}]}
        stack["resource"]["terraform_data"]["last"] = last
    return stacks


def write_version(folder: Path, version: str) -> None:
    stacks = folder / "cdktf.out" / "stacks"
    for name, text in {
        "templates/x.txt": f"x {version}",
        "templates/t.tpl": f"${{name}} {version}",
        f"templates/only-{version}.txt": "",
        "mod/main.tf": OUTER.format(version=version),
        "mod/text": f"text {version}",
        "inner/main.tf": INNER % version,
        "tool.sh": f"#!/bin/sh\necho {version} >> $1\n",
        "given.tfvars": f'filed = ["{version}"]\n',
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for old in folder.glob("templates/only-*.txt"):
        if old.name != f"only-{version}.txt":
            old.unlink()
    (folder / "tool.sh").chmod(0o755)
    for name, text in {
        "assets/assets/code/AB12/file.txt": f"file {version}",
        "assets/assets/code/AB12/sub/deep.txt": f"deep {version}",
        "vars/x.auto.tfvars": f'auto = "{version}"\n',
    }.items():
        (stacks / name).parent.mkdir(parents=True, exist_ok=True)
        (stacks / name).write_text(text)


def at(app: "App", version: str, *, ending: str | None = None) -> tuple["App", tuple[str, ...]]:
    """The app at a version, and the options that belong to it."""
    app.write(app_of(app.folder, ending=ending))
    write_version(app.folder, version)
    options = ("--var", f"named={version}", "--var-file", "given.tfvars")
    return replace(app, environ={**app.environ, "TF_VAR_env": version}), options


def values(app: "App", service: str) -> Mapping[str, str]:
    return {
        f"{resource.get('module', '')}.{resource['name']}": instance["attributes"]["input"]["value"]
        for resource in app.state(service)["resources"]
        for instance in resource["instances"]
        if resource["mode"] == "managed" and instance["attributes"].get("input") is not None
    }


def said(app: "App") -> list[str]:
    return (app.folder.parent / "said.txt").read_text().split()


def expected(version: str) -> dict[str, dict[str, str]]:
    module = {".outer": f"outer {version}", ".module.inner.inner": f"text {version} inner {version}"}
    return {
        "assets": {".file": f"file {version}", ".in_folder": f"deep {version}"},
        "files": {
            ".relative": f"x {version}",
            ".absolute": f"x {version}",
            ".template": f"x {version}",
            ".computed": f"x {version}",
            ".listed": f"only-{version}.txt x.txt",
        },
        "modules": {
            ".plain": "1",
            **{f"module.near{name}": value for name, value in module.items()},
            **{f"module.far{name}": value for name, value in module.items()},
        },
        "vars": {".env": version, ".auto": version, ".named": version, ".filed": version},
    }


def found(app: "App") -> dict[str, Mapping[str, str]]:
    return {name: values(app, name) for name in STACKS if name != "exec"}


def outcomes(text: str) -> dict[str, str]:
    return {shard["name"]: shard["outcome"] for shard in json.loads(text)["shards"]}


def test_a_failed_version_is_undone_to_the_bytes_the_last_good_one_read(plain_app: "App") -> None:
    plain_app.s3.put_bucket_versioning(Bucket=plain_app.bucket, VersioningConfiguration={"Status": "Enabled"})
    first, options = at(plain_app, "v1")
    deployed = first.run("deploy", "--yes", "--json", *options)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert found(first) == expected("v1")

    again = first.run("plan", "--json", *options)
    second, options = at(plain_app, "v2")
    changed = second.run("plan", "--explain", *options)
    second, options = at(plain_app, "v2", ending="echo no luck >&2; exit 3")
    failed = second.run("deploy", "--yes", "--json", *options)

    assert {shard["outcome"] for shard in json.loads(again.stdout)["shards"]} == {"unchanged"}
    assert all(shard["skipped"] for shard in json.loads(again.stdout)["shards"]), again.stdout
    for name in ("templates/x.txt", "inner", "assets/code/AB12", "var.env", "var.named", "given.tfvars"):
        assert name in changed.stdout, changed.stdout
    assert failed.returncode == 5, failed.stdout + failed.stderr
    assert set(outcomes(failed.stdout).values()) == {"rolled_back"}, failed.stdout
    reasons = {shard["name"]: shard["reason"] for shard in json.loads(failed.stdout)["shards"]}
    assert all("re-applied, verified" in reason for reason in reasons.values()), reasons
    assert found(second) == expected("v1")
    assert said(second) == ["v1", "v2", "v1"]
    record = "".join(
        second.s3.get_object(Bucket=second.bucket, Key=key)["Body"].read().decode()
        for key in second.object_keys()
        if key.endswith("run.json")
    )
    assert "named=(hidden)" in record
    assert "named=v2" not in record

    third, options = at(plain_app, "v3")
    assert third.run("deploy", "--yes", *options).returncode == 0
    assert found(third) == expected("v3")
    by_hand = third.run("rollback", "files", "--yes")
    assert by_hand.returncode == 0, by_hand.stdout + by_hand.stderr
    assert values(third, "files") == expected("v1")["files"]


def test_a_plan_that_was_kept_is_refused_once_an_input_is_another(plain_app: "App") -> None:
    first, options = at(plain_app, "v1")
    kept = first.run("plan", "--out", "plans", *options)
    (first.folder / "templates" / "x.txt").write_text("x v2")

    refused = first.run("deploy", "--plan", "plans", "--yes", *options)
    (first.folder / "templates" / "x.txt").write_text("x v1")
    other = first.run("deploy", "--plan", "plans", "--yes", "--var", "named=v2", *options[2:])
    applied = first.run("deploy", "--plan", "plans", "--yes", *options)

    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert refused.returncode == 4, refused.stdout + refused.stderr
    assert "templates/x.txt" in refused.stderr + refused.stdout
    assert other.returncode == 4
    assert "var.named" in other.stderr + other.stdout
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert found(first) == expected("v1")


@pytest.mark.long
def test_another_machine_undoes_to_bytes_that_only_the_bucket_has(plain_app: "App", tmp_path: Path) -> None:
    first, options = at(plain_app, "v1")
    assert first.run("deploy", "--yes", *options).returncode == 0
    second, options = at(plain_app, "v2", ending=f"echo ready >> {tmp_path}/ready; sleep 4; exit 3")
    dying = second.start("deploy", "--yes", "--max-parallel", "5", *options)
    deadline = time.monotonic() + PATIENCE_SECONDS
    ready = tmp_path / "ready"
    while not (ready.exists() and len(ready.read_text().split()) == len(STACKS)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.kill(dying.pid, signal.SIGKILL)
    dying.communicate()
    # Terraform goes on without its deployer, to its own end.
    while any(key.endswith(".tflock") for key in second.object_keys()):
        assert time.monotonic() < deadline
        time.sleep(0.2)

    elsewhere = tmp_path / "elsewhere" / plain_app.folder.name
    elsewhere.mkdir(parents=True)
    for name in ("app.py", "cdktf.json", "stacks.json"):
        shutil.copy(plain_app.folder / name, elsewhere)
    shutil.rmtree(plain_app.folder)
    plain_app.folder.mkdir()
    environ = {**plain_app.environ, "HOLDFAST_CACHE_DIR": str(tmp_path / "cache-2")}
    other = replace(plain_app, folder=elsewhere, environ=environ)
    assert other.run("synth").returncode == 0
    run = json.loads(other.run("runs", "--json").stdout)["runs"][0]["run"]
    resumed = other.run("resume", run, "--json")

    assert set(outcomes(resumed.stdout).values()) == {"rolled_back"}, resumed.stdout + resumed.stderr
    assert found(other) == expected("v1")


@pytest.mark.parametrize(
    "kept", [pytest.param(False, marks=pytest.mark.long), True], ids=["outside the app", "computed"]
)
def test_what_cannot_be_proved_is_blocked_or_not_called_verified(
    plain_app: "App", tmp_path: Path, *, kept: bool
) -> None:
    outside = tmp_path / "outside.txt"
    path = f'${{file("{outside}")}}' if not kept else "${file(local.path)}"
    last = {"depends_on": ["terraform_data.x"], "provisioner": [{"local-exec": {"command": "exit 3"}}]}
    stack: dict[str, Any] = {
        "resource": {"terraform_data": {"x": {"input": path}}},
        "locals": {"path": str(outside)},
    }
    outside.write_text("v1")
    plain_app.write({"shop": stack})
    first = plain_app.run("deploy", "--yes")
    assert first.returncode == 0, first.stdout + first.stderr
    outside.write_text("v2")
    stack["resource"]["terraform_data"]["last"] = last
    plain_app.write({"shop": stack})

    failed = plain_app.run("deploy", "--yes", "--json")

    (shard,) = json.loads(failed.stdout)["shards"]
    if kept:
        assert (failed.returncode, shard["outcome"]) == (5, "rolled_back"), shard
        assert "verified" not in shard["reason"]
        assert "computed path: file(local.path)" in shard["reason"]
        return
    assert (failed.returncode, shard["outcome"]) == (6, "blocked"), shard
    assert str(outside) in shard["reason"]
    outside.write_text("v1")
    run = json.loads(failed.stdout)["run"]
    resumed = plain_app.run("resume", run, "--continue", "--json")
    assert outcomes(resumed.stdout) == {"shop": "rolled_back"}, resumed.stdout
    assert values(plain_app, "shop") == {".x": "v1"}


def asset_version(folder: Path, version: str) -> None:
    for name, text in {
        "steady/index.py": "def handler(event, context): return 1",
        "fn/index.py": f"def handler(event, context): return '{version}'\n",
        "mod/main.tf": 'variable "name" {}\nresource "aws_ssm_parameter" "p" {\n  name  = var.name\n'
        f'  type  = "String"\n  value = "{version}"\n}}\n',
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_assets_of_a_cdktf_app_are_deployed_and_undone_to_their_bytes(asset_app: "App") -> None:
    def client(kind: str) -> Any:
        session: Any = boto3.Session("testing", "testing", region_name="eu-west-1")
        return session.client(kind, endpoint_url=asset_app.environ["AWS_ENDPOINT_URL"])

    def there() -> dict[str, str]:
        objects = {
            key: asset_app.s3.get_object(Bucket="asset-app-objects", Key=key)["Body"].read()
            for key in ("asset", "plain", "archive")
        }
        objects["archive"] = zipfile.ZipFile(io.BytesIO(objects["archive"])).read("index.py")
        text = client("ssm").get_parameter(Name="/assets/text")["Parameter"]["Value"]
        return {**{key: body.decode() for key, body in objects.items()}, "text": text}

    asset_version(asset_app.folder, "version one")
    first = asset_app.run("deploy", "--yes", "--stack", "code")
    assert first.returncode == 0, first.stdout + first.stderr
    before = there()
    (module,) = json.loads((asset_app.folder / "cdktf.out/stacks/module/cdk.tf.json").read_text())[
        "module"
    ].values()
    asset_version(asset_app.folder, "two, and longer than it was")
    failing = replace(asset_app, environ={**asset_app.environ, "FAIL": "1"})
    failed = failing.run("deploy", "--yes", "--json", "--stack", "code")

    assert set(before.values()) == {"def handler(event, context): return 'version one'\n"}
    assert client("lambda").get_function(FunctionName="asset-app")["Configuration"]["CodeSize"] > 0
    assert module["source"].startswith("./assets/__cdktf_module_asset_")
    assert outcomes(failed.stdout) == {"code": "rolled_back"}, failed.stdout + failed.stderr
    assert "re-applied, verified" in failed.stdout
    assert there() == before


def test_a_value_given_on_the_command_line_is_in_no_record_and_in_no_advice(plain_app: "App") -> None:
    canary = "canary-5f0c9e"
    # Nothing has the value but the run itself: it is no part of a state.
    stack = {
        "variable": {"token": {}},
        "resource": {"terraform_data": {"made": {"input": "${length(var.token)}"}}},
    }
    plain_app.write({"one": stack})
    asked = plain_app.run("deploy", "--var", f"token={canary}")
    deployed = plain_app.run("deploy", f"--var=token={canary}", "--yes", "--json", "--events", "events.jsonl")
    run = json.loads(deployed.stdout)["run"]
    shown = plain_app.run("show", run, "--json")
    ran = [asked, deployed, shown, plain_app.run("audit", "--json")]

    assert [one.returncode for one in ran] == [64, 0, 0, 0], [one.stderr for one in ran]
    assert "give the same command again with --yes" in asked.stderr
    assert "(hidden)" not in asked.stderr
    assert "token=(hidden)" in shown.stdout
    for one in ran:
        assert canary not in one.stdout + one.stderr
    assert canary not in (plain_app.folder / "events.jsonl").read_text()
    bodies = {
        name: plain_app.s3.get_object(Bucket=plain_app.bucket, Key=name)["Body"].read()
        for name in plain_app.object_keys()
    }
    assert {name.split("/")[1] for name, body in bodies.items() if canary.encode() in body} == {"inputs"}
    assert any(name.endswith("run.json") for name in bodies)
    assert any("/journal/" in name for name in bodies)
