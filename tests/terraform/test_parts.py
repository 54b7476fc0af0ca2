"""Every part of the building blocks in an app that is none of ours: deployed, planned empty, taken down."""

import gzip
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
from holdfast_orchestrator.local.inventory import inventory
from holdfast_orchestrator.system.runtime import real_runtime

SHARDS = {f"{service}-local-eu-west-1" for service in ("base", "events", "parts")}
Clients = Callable[[str], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / "parts_app", tmp_path / "app"))


@pytest.fixture
def clients(folder: Path) -> Iterator[Clients]:
    cloud = LocalCloud(folder, real_runtime())
    endpoint = cloud.up().endpoint
    session: Any = boto3.Session("local", "local", region_name="eu-west-1")
    try:
        yield lambda service: session.client(service, endpoint_url=endpoint)
    finally:
        cloud.down()


def outcomes(folder: Path, *argv: str) -> dict[str, str]:
    command = (sys.executable, "-m", "holdfast_orchestrator", *argv, "--env", "local", "--json")
    ran = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return {shard["name"]: shard["outcome"] for shard in json.loads(ran.stdout)["shards"]}


def generated(clients: Clients) -> str:
    value = clients("secretsmanager").get_secret_value(SecretId="parts/local/session")["SecretString"]
    return str(json.loads(value)["key"])


def kept(clients: Clients) -> Iterator[bytes]:
    """Every object that a deploy keeps: states, artifacts, plans."""
    s3 = clients("s3")
    for each in s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]:
        body = s3.get_object(Bucket=STATE_BUCKET, Key=each["Key"])["Body"].read()
        yield gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


@pytest.mark.long
def test_all_parts_are_deployed_settle_and_leave_nothing(folder: Path, clients: Clients) -> None:
    assert outcomes(folder, "deploy", "--yes") == dict.fromkeys(SHARDS, "committed")
    assert outcomes(folder, "plan", "--refresh") == dict.fromkeys(SHARDS, "unchanged")
    assert not [body for body in kept(clients) if generated(clients).encode() in body]

    assert outcomes(folder, "destroy", "--yes") == dict.fromkeys(SHARDS, "committed")
    assert inventory(clients) == {}
