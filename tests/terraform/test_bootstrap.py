"""The foundation of an account, on the local cloud: made, made again, over what was there, and taken down."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.support.example_settings import example
from tests.terraform.conftest import PATIENCE_SECONDS, ROOT

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import STATE_BUCKET
from holdfast_orchestrator.local.inventory import inventory
from holdfast_orchestrator.system.runtime import real_runtime

Clients = Callable[[str], Any]
Run = Callable[..., subprocess.CompletedProcess[str]]
SETTINGS = """
[foundation.github]
repository = "acme/shop"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "cdktf.json", tmp_path)
    (tmp_path / "environments").mkdir()
    text = example("local").replace("[state]\n", '[state]\nkms_key_id = "alias/states"\n', 1)
    (tmp_path / "environments" / "local.toml").write_text(text + SETTINGS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def clients(folder: Path) -> Iterator[Clients]:
    """Clients of a cloud whose state bucket is there, without versions, with an object of somebody's."""
    cloud = LocalCloud(folder, real_runtime())
    endpoint = cloud.up().endpoint
    session: Any = boto3.Session("local", "local", region_name="eu-west-1")
    s3 = session.client("s3", endpoint_url=endpoint)
    s3.delete_bucket(Bucket=STATE_BUCKET)
    s3.create_bucket(Bucket=STATE_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=STATE_BUCKET, Key="notes.txt", Body=b"ours")
    try:
        yield lambda service: session.client(service, endpoint_url=endpoint)
    finally:
        cloud.down()


@pytest.fixture
def run(folder: Path) -> Run:
    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "holdfast_orchestrator", *argv, "--env", "local")
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )

    return run


def settings(clients: Clients) -> dict[str, Any]:
    """Every setting of the state bucket, as S3 says it."""
    s3 = clients("s3")
    answers = {
        operation: getattr(s3, operation)(Bucket=STATE_BUCKET)
        for operation in (
            "get_bucket_encryption",
            "get_bucket_lifecycle_configuration",
            "get_bucket_logging",
            "get_bucket_ownership_controls",
            "get_bucket_policy",
            "get_bucket_tagging",
            "get_bucket_versioning",
            "get_public_access_block",
        )
    }
    for answer in answers.values():
        answer.pop("ResponseMetadata")
    return answers


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return {shard["name"]: shard["outcome"] for shard in json.loads(done.stdout)["shards"]}


@pytest.mark.long
def test_a_half_made_account_is_completed_and_taken_down_again(clients: Clients, run: Run) -> None:
    name = "foundation-local-eu-west-1"
    refused = run("bootstrap", "--yes")
    assert refused.returncode == 4, refused.stdout + refused.stderr
    assert "it has objects (notes.txt); nothing was changed" in refused.stderr
    adopt = ("bootstrap", "--adopt-bucket", STATE_BUCKET)
    assert "Status" not in clients("s3").get_bucket_versioning(Bucket=STATE_BUCKET)

    assert outcomes(run(*adopt, "--yes", "--json")) == {name: "committed"}

    first = settings(clients)
    rule = first["get_bucket_encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert first["get_bucket_versioning"] == {"Status": "Enabled"}
    assert {each["ID"] for each in first["get_bucket_lifecycle_configuration"]["Rules"]} == {
        "old-versions",
        "holdfast-audit",
        "holdfast-audit-raw",
    }
    assert clients("s3").get_object(Bucket=STATE_BUCKET, Key="notes.txt")["Body"].read() == b"ours"

    assert outcomes(run("bootstrap", "--yes", "--json")) == {name: "unchanged"}
    assert settings(clients) == first

    assert outcomes(run("bootstrap", "--destroy", "--yes", "--json")) == {name: "committed"}
    assert inventory(clients, state_buckets=()) == {}
    shown = json.loads(run("bootstrap", "--json").stdout)
    assert (shown["bucket_is"], shown["has_changes"]) == ("absent", True)
    assert inventory(clients, state_buckets=()) == {}
