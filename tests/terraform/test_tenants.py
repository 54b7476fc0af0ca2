"""A service of two tenants: each is deployed alone, and one that leaves is taken down beside the other."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.terraform.conftest import FIXTURES, PATIENCE_SECONDS

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import STATE_BUCKET
from holdfast_orchestrator.system.runtime import real_runtime

pytestmark = pytest.mark.long

ACME, GLOBEX = "mailbox-acme-local-eu-west-1", "mailbox-globex-local-eu-west-1"
ANSWERS = "answers-local-eu-west-1"
GLOBEX_TABLE = "\n[services.mailbox.tenants.globex]\n"
Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(FIXTURES / "mailbox_app", tmp_path_factory.mktemp("mail") / "app"))


@pytest.fixture(scope="module")
def clients(folder: Path) -> Iterator[Clients]:
    cloud = LocalCloud(folder, real_runtime())
    endpoint = cloud.up().endpoint
    session: Any = boto3.Session("local", "local", region_name="eu-west-1")
    try:
        yield lambda service: session.client(service, endpoint_url=endpoint)
    finally:
        cloud.down()


def ran(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "holdfast_orchestrator", *argv)
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def outcomes(folder: Path, *argv: str) -> dict[str, str]:
    shards = json.loads(ran(folder, *argv, "--env", "local", "--json").stdout)["shards"]
    return {shard["name"]: shard["outcome"] for shard in shards}


def parameters(clients: Clients) -> dict[str, tuple[str, str | None]]:
    """The value of each parameter, and the tenant whose tag it has."""
    ssm = clients("ssm")
    found = {}
    for each in ssm.describe_parameters()["Parameters"]:
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=each["Name"])["TagList"]
        tenant = {tag["Key"]: tag["Value"] for tag in tags}.get("Tenant")
        found[each["Name"]] = (ssm.get_parameter(Name=each["Name"])["Parameter"]["Value"], tenant)
    return found


def state(clients: Clients, service: str) -> bytes:
    key = f"{service}/123456789012/eu-west-1/local/terraform.tfstate"
    return bytes(clients("s3").get_object(Bucket=STATE_BUCKET, Key=key)["Body"].read())


def test_each_tenant_is_deployed_and_one_that_leaves_is_taken_down_alone(
    folder: Path, clients: Clients
) -> None:
    alone = outcomes(folder, "deploy", "--yes", "--service", "mailbox-acme")
    assert GLOBEX not in alone
    assert alone[ACME] == "committed"
    assert outcomes(folder, "deploy", "--yes", "--service", "mailbox")[GLOBEX] == "committed"
    assert outcomes(folder, "deploy", "--yes") == {
        ANSWERS: "committed",
        ACME: "unchanged",
        GLOBEX: "unchanged",
    }

    both = parameters(clients)
    assert both["/mailbox-acme/local/address"] == ("acme@mail.test", "acme")
    assert both["/mailbox-globex/local/address"] == ("post@mail.test", "globex")
    assert both["/answers/local/address"] == ("answers@mail.test", None)
    assert set(outcomes(folder, "plan", "--refresh").values()) == {"unchanged"}

    settings = folder / "environments" / "local.toml"
    text = settings.read_text(encoding="utf-8")
    assert GLOBEX_TABLE in text
    settings.write_text(text.replace(GLOBEX_TABLE, ""), encoding="utf-8")
    kept = state(clients, "mailbox-acme")

    told = ran(folder, "plan", "--env", "local")
    assert f"to take it down: holdfast destroy --env local --retired {GLOBEX}" in told.stdout
    assert outcomes(folder, "deploy", "--yes") == {ANSWERS: "unchanged", ACME: "unchanged"}
    assert parameters(clients) == both

    assert outcomes(folder, "destroy", "--yes", "--retired", GLOBEX) == {GLOBEX: "committed"}

    left = {name: each for name, each in both.items() if "globex" not in name}
    assert parameters(clients) == left
    assert state(clients, "mailbox-acme") == kept
    assert set(outcomes(folder, "plan", "--refresh").values()) == {"unchanged"}
