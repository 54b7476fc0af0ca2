"""A deploy, a plan and a destroy of environment `local`, call by call against the policies of the CI's roles.

A proxy before the cloud sees every call of the provider and of Holdfast. The policies are those that
`holdfast bootstrap` would give the roles for the same settings.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.lab.proxy import Proxy
from tests.support.example_settings import example
from tests.support.iam_calls import Call, calls, refused

from holdfast_orchestrator.api.history import audit_lifecycle
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import STATE_BUCKET, local_environ
from holdfast_orchestrator.system.runtime import real_runtime

# The first deploy is in the time of the first test.
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
FOUNDATION = """
[foundation.github]
repository = "acme/shop"
"""


class Project:
    """A checkout's settings in a folder of its own; `proxy` sees what it asks the cloud."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proxy = Proxy()
        shutil.copy(ROOT / "cdktf.json", folder)
        (folder / "environments").mkdir()
        (folder / "environments" / "local.toml").write_text(example("local") + FOUNDATION, encoding="utf-8")

    def calls_of(self, *words: str) -> list[Call]:
        """Run a command, and return what it called."""
        before = len(self.proxy.log)
        done = subprocess.run(
            [HOLDFAST, *words, "--env", "local"],
            cwd=self.folder,
            env={**os.environ, **local_environ(self.proxy.endpoint)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return calls(
            [exchange.request for exchange in self.proxy.log[before:]],
            [exchange.request for exchange in self.proxy.log[:before]],
        )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project, runtime = Project(tmp_path_factory.mktemp("project")), real_runtime()
    cloud = LocalCloud(project.folder, runtime)
    endpoint = cloud.up().endpoint
    assert endpoint is not None
    project.proxy.stand_before(endpoint)
    # As bootstrap leaves the bucket: the role need not write its rules.
    s3 = runtime.aws.client("s3", region="eu-west-1", environ=local_environ(endpoint))
    s3.put_bucket_lifecycle_configuration(Bucket=STATE_BUCKET, LifecycleConfiguration=audit_lifecycle(90))
    try:
        yield project
    finally:
        cloud.down()
        project.proxy.close()


@pytest.fixture(scope="module")
def policies(project: Project) -> dict[str, list[str]]:
    """The policies of the roles `plan` and `apply`, and the boundary, by these names."""
    out = project.folder / "foundation"
    environ = {"HOLDFAST_FOUNDATION": "{}", "HOLDFAST_ENV": "local", "CDKTF_OUTDIR": str(out)}
    command = [sys.executable, "-m", "holdfast_stacks"]
    subprocess.run(command, cwd=project.folder, env={**os.environ, **environ}, check=True)
    (file,) = out.glob("stacks/*/cdk.tf.json")
    by_role: dict[str, list[str]] = {}
    for block in json.loads(file.read_text())["resource"]["aws_iam_policy"].values():
        by_role.setdefault(str(block["name"]).split("-")[2], []).append(block["policy"])
    return by_role


def beyond(asked: list[Call], role: str, policies: dict[str, list[str]]) -> list[Call]:
    """The calls that the policies of a role, or the boundary, do not allow."""
    return [call for call in asked if refused(call, policies[role], policies["boundary"][0])]


def test_a_deploy_runs_with_the_role_that_applies_and_not_with_that_which_plans(
    project: Project, policies: dict[str, list[str]]
) -> None:
    asked = project.calls_of("deploy", "--yes")

    assert len(asked) > 100
    assert beyond(asked, "apply", policies) == []
    assert beyond(asked, "plan", policies) != []


def test_a_plan_runs_with_the_role_that_plans_and_writes_nothing_but_locks(
    project: Project, policies: dict[str, list[str]]
) -> None:
    asked = project.calls_of("plan", "--detailed-exitcode", "--refresh")

    assert len(asked) > 50
    assert beyond(asked, "plan", policies) == []
    written = {call.resource for call in asked if call.action in ("s3:PutObject", "s3:DeleteObject")}
    assert {resource for resource in written if not resource.endswith(".tflock")} == set()


def test_a_destroy_runs_with_the_role_that_applies(project: Project, policies: dict[str, list[str]]) -> None:
    asked = project.calls_of("destroy", "--yes")

    assert len(asked) > 50
    assert beyond(asked, "apply", policies) == []
