"""An app of tests/fixtures in a folder and with a local cloud of its own, and the commands run there."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.system.runtime import real_runtime

_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
# What a command may take on a busy machine.
_PATIENCE_SECONDS = 400


@dataclass(frozen=True)
class LocalApp:
    """The app in `folder`; its environment is `local`, which is deployed to the cloud at `endpoint`."""

    folder: Path
    endpoint: str

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("local", "local", region_name="eu-west-1")
        return session.client(service, endpoint_url=self.endpoint)

    def run(self, *argv: str) -> str:
        """Run a command that ends well; return what it printed."""
        command = (sys.executable, "-m", "holdfast_orchestrator", *argv, "--env", "local")
        ran = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def outcomes(self, *argv: str) -> dict[str, str]:
        """Run a command that ends well; return how it ended for each shard."""
        shards = json.loads(self.run(*argv, "--json"))["shards"]
        return {shard["name"]: shard["outcome"] for shard in shards}


@contextmanager
def local_app(fixture: str, folder: Path) -> Iterator[LocalApp]:
    """Copy the app `fixture` below `folder`, start a cloud for it, and stop that at the end."""
    copy = Path(shutil.copytree(_FIXTURES / fixture, folder / "app"))
    cloud = LocalCloud(copy, real_runtime())
    endpoint = cloud.up().endpoint
    assert endpoint is not None
    try:
        yield LocalApp(copy, endpoint)
    finally:
        cloud.down()
