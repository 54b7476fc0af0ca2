"""A bucket with one shard, and a machine."""

from pathlib import Path

import pytest
from tests.support.state_bucket import Bucket

from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import Runtime, SystemClock
from holdfast_orchestrator.testing import refusing_runtime


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return refusing_runtime(clock=SystemClock(), processes=SystemProcesses(), cwd=tmp_path)
