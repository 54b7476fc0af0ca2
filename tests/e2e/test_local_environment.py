"""Environment `local`, whole: deployed, planned again, taken down. Real Terraform, real provider.

One project in a folder of its own with a local cloud of its own. The tests run in the order written and
share what was deployed: an ALB takes a minute and a database more, so it is deployed once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.lab.proxy import Proxy
from tests.support.example_settings import example
from tests.support.iam_calls import calls, refused

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.local.inventory import inventory
from holdfast_orchestrator.system.runtime import real_runtime

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
SERVICES = {"network", "edge", "data", "storefront", "orders"}


FOUNDATION = """
[foundation.github]
repository = "acme/shop"
"""
# What a plan may write: Terraform's lock.
LOCK = ".tflock"


class Project:
    """A checkout's settings in a folder of its own; `proxy` sees what it asks the cloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proxy = Proxy()
        self.began: dict[str, int] = {}
        shutil.copy(ROOT / "cdktf.json", folder)
        (folder / "environments").mkdir()
        (folder / "environments" / "local.toml").write_text(example("local") + FOUNDATION, encoding="utf-8")

    def run(self, *words: str, accept: int = 0) -> str:
        environ = {**os.environ, **local_environ(self.proxy.endpoint)} if words[0] != "local" else None
        done = subprocess.run(
            [HOLDFAST, *words], cwd=self.folder, capture_output=True, text=True, check=False, env=environ
        )
        assert done.returncode == accept, (
            f"holdfast {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def policies(self) -> dict[str, list[str]]:
        """The policies that `bootstrap` would give the roles, and the boundary, by the role."""
        out = self.folder / "foundation"
        environ = {"HOLDFAST_FOUNDATION": "{}", "HOLDFAST_ENV": "local", "CDKTF_OUTDIR": str(out)}
        command = [sys.executable, "-m", "holdfast_stacks"]
        subprocess.run(command, cwd=self.folder, env={**os.environ, **environ}, check=True)
        (file,) = out.glob("stacks/*/cdk.tf.json")
        blocks = json.loads(file.read_text())["resource"]["aws_iam_policy"].values()
        named: dict[str, list[str]] = {str(block["name"]).split("-")[2]: [] for block in blocks}
        for block in blocks:
            named[str(block["name"]).split("-")[2]].append(block["policy"])
        return named

    def client(self, service: str) -> Any:
        runtime = real_runtime()
        endpoint = LocalCloud(self.folder, runtime).status().endpoint
        assert endpoint is not None
        return runtime.aws.client(service, region="eu-west-1", environ=local_environ(endpoint))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("project"))
    project.run("local", "up")
    endpoint = LocalCloud(project.folder, real_runtime()).status().endpoint
    assert endpoint is not None
    project.proxy.stand_before(endpoint)
    try:
        yield project
    finally:
        project.run("local", "down")
        project.proxy.close()


@pytest.fixture(scope="module")
def first_deploy(project: Project) -> Any:
    return project.json("deploy", "--env", "local", "--yes")


def test_every_shard_of_the_environment_is_committed(first_deploy: Any) -> None:
    outcomes = {shard["name"]: shard["outcome"] for shard in first_deploy["shards"]}

    assert set(outcomes.values()) == {"committed"}
    assert len(outcomes) == len(SERVICES)


def test_each_state_lies_exactly_at_its_key_and_nothing_else_does(
    project: Project, first_deploy: Any
) -> None:
    listing = project.client("s3").list_objects_v2(Bucket="holdfast-state-local")["Contents"]

    keys = {item["Key"] for item in listing if not item["Key"].startswith("_holdfast/")}

    assert keys == {f"{service}/123456789012/eu-west-1/local/terraform.tfstate" for service in SERVICES}


def test_a_plan_right_after_the_deploy_finds_no_difference_in_any_shard(
    project: Project, first_deploy: Any
) -> None:
    before = len(project.proxy.log)

    project.run("plan", "--env", "local", "--detailed-exitcode", "--refresh")

    policies = project.policies()
    asked = calls(exchange.request for exchange in project.proxy.log[before:])
    assert len(asked) > 50
    assert [call for call in asked if refused(call, policies["plan"], policies["boundary"][0])] == []
    written = {call.resource for call in asked if call.action in ("s3:PutObject", "s3:DeleteObject")}
    assert {resource for resource in written if not resource.endswith(LOCK)} == set()


def test_a_second_deploy_changes_nothing(project: Project, first_deploy: Any) -> None:
    second = project.json("deploy", "--env", "local", "--yes")

    assert {shard["outcome"] for shard in second["shards"]} == {"unchanged"}


def test_each_apply_left_a_backup_that_names_lineage_and_serial(project: Project, first_deploy: Any) -> None:
    listing = project.client("s3").list_objects_v2(Bucket="holdfast-state-local", Prefix="_holdfast/")

    for item in listing.get("Contents", []):
        if "/backups/" in item["Key"]:
            assert re.search(r"/[0-9a-f-]{36}/\d+-[0-9a-f]{64}\.json$", item["Key"]), item["Key"]


def test_destroy_leaves_no_resource_in_the_cloud(project: Project, first_deploy: Any) -> None:
    project.run("destroy", "--env", "local", "--yes")

    left = {kind: names for kind, names in inventory(project.client).items() if names}

    assert left == {}


def test_all_that_was_called_is_in_the_policy_of_the_role_that_applies_and_not_in_that_which_plans(
    project: Project, first_deploy: Any
) -> None:
    policies = project.policies()
    asked = calls(exchange.request for exchange in project.proxy.log)

    assert [call for call in asked if refused(call, policies["apply"], policies["boundary"][0])] == []
    assert [call for call in asked if refused(call, policies["plan"], policies["boundary"][0])] != []
