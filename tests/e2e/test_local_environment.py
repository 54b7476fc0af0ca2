"""Environment `local`, whole: deployed, planned again, taken down. Real Terraform, real provider.

One project in a folder of its own with a local cloud of its own. The tests run in the order written and
share what was deployed: an ALB takes a minute and a database more, so it is deployed once.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.example_settings import example

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.local.inventory import inventory
from holdfast_orchestrator.system.runtime import real_runtime

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))
SERVICES = {"network", "edge", "data", "storefront", "orders"}
# Everything that a firewall takes.
FIREWALL = """
mode = "block"
allow_addresses = ["203.0.113.0/24", "192.0.2.0/24", "2001:db8::/32"]
block_addresses = ["198.51.100.7"]

[[firewall.exceptions]]
rules = ["SizeRestrictions_BODY"]
host = "www.local.holdfast.test"
path = "/upload*"
because = "pictures of the goods, whose sizes the shop checks"

[[firewall.exceptions]]
rules = ["SizeRestrictions_BODY", "SQLi_BODY"]
path = "/import"
because = "the format of the wholesalers"

[[firewall.rate_limits]]
name = "login"
requests = 100
host = "www.local.holdfast.test"
path = "/login*"
"""


class Project:
    """A checkout's cdktf.json and environments in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "cdktf.json", folder)
        (folder / "environments").mkdir()
        settings = example("local").replace('mode = "count"', FIREWALL)
        (folder / "environments" / "local.toml").write_text(settings, encoding="utf-8")

    def run(self, *words: str, accept: int = 0) -> str:
        done = subprocess.run(
            [HOLDFAST, *words], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == accept, (
            f"holdfast {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def client(self, service: str) -> Any:
        runtime = real_runtime()
        endpoint = LocalCloud(self.folder, runtime).status().endpoint
        assert endpoint is not None
        return runtime.aws.client(service, region="eu-west-1", environ=local_environ(endpoint))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("project"))
    project.run("local", "up")
    try:
        yield project
    finally:
        project.run("local", "down")


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
    project.run("plan", "--env", "local", "--detailed-exitcode", "--refresh")


def test_the_firewall_has_the_exceptions_the_limits_and_the_addresses_of_the_settings(
    project: Project, first_deploy: Any
) -> None:
    waf = project.client("wafv2")
    [acl] = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    written = waf.get_web_acl(Scope="REGIONAL", Name=acl["Name"], Id=acl["Id"])["WebACL"]
    rules = {rule["Name"]: rule for rule in sorted(written["Rules"], key=lambda rule: rule["Priority"])}

    assert [*rules][:4] == ["BlockedAddresses", "AllowedAddresses", "RateLimit-login", "RateLimit"]
    assert [*rules][-2:] == ["SizeRestrictions_BODY-Elsewhere", "SQLi_BODY-Elsewhere"]
    assert rules["RateLimit"]["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429
    label, *passed = rules["SizeRestrictions_BODY-Elsewhere"]["Statement"]["AndStatement"]["Statements"]
    assert label["LabelMatchStatement"]["Key"] == "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
    assert len(passed) == 2
    assert len(waf.list_ip_sets(Scope="REGIONAL")["IPSets"]) == 3


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
