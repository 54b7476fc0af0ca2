"""The two buckets every contract here is held by: one in memory, one in the local cloud's S3."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import Runtime, SystemClock
from holdfast_orchestrator.testing import refusing_runtime

Clients = Callable[[str], Any]


def new_bucket(clients: Clients) -> str:
    name = f"holdfast-{uuid.uuid4().hex[:12]}"
    s3 = clients("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def s3_store(local_clients: Clients) -> S3Store:
    location = StateLocation(bucket=new_bucket(local_clients), key="", region="eu-west-1")
    return S3Store(local_clients("s3"), location, cloud="local")


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest) -> DurableStore:
    chosen: DurableStore = MemoryStore() if request.param == "memory" else request.getfixturevalue("s3_store")
    return chosen


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return refusing_runtime(
        clock=SystemClock(), processes=SystemProcesses(), cwd=tmp_path, cache=tmp_path / "cache", environ={}
    )
