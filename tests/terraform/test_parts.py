"""Every part of the building blocks in an app that is none of ours: deployed, planned empty, taken down."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.local_app import LocalApp, local_app

from holdfast_orchestrator.local.environment import STATE_BUCKET
from holdfast_orchestrator.local.inventory import inventory

SHARDS = {f"{service}-local-eu-west-1" for service in ("base", "events", "parts")}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[LocalApp]:
    with local_app("parts_app", tmp_path) as app:
        yield app


def generated(app: LocalApp) -> str:
    value = app.client("secretsmanager").get_secret_value(SecretId="parts/local/session")["SecretString"]
    return str(json.loads(value)["key"])


def kept(app: LocalApp) -> Iterator[bytes]:
    """Every object that a deploy keeps: states, artifacts, plans."""
    s3 = app.client("s3")
    for each in s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]:
        body = s3.get_object(Bucket=STATE_BUCKET, Key=each["Key"])["Body"].read()
        yield gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


@pytest.mark.long
def test_all_parts_are_deployed_settle_and_leave_nothing(app: LocalApp) -> None:
    assert app.outcomes("deploy", "--yes") == dict.fromkeys(SHARDS, "committed")
    assert app.outcomes("plan", "--refresh") == dict.fromkeys(SHARDS, "unchanged")
    secret = generated(app).encode()
    assert not [body for body in kept(app) if secret in body]

    assert app.outcomes("destroy", "--yes") == dict.fromkeys(SHARDS, "committed")
    assert inventory(app.client) == {}
