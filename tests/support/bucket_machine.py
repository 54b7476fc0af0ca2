"""A machine with an app and a bucket that commands read; the bucket is moto's."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.command_line import Ran, run_cli
from tests.support.written_app import REGION, WrittenApp

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.system.runtime import Boto3Aws
from holdfast_orchestrator.testing import FrozenClock, captured_terminal, refusing_runtime


@dataclass(frozen=True)
class Loopback:
    """Every AWS but the local cloud's is at this endpoint."""

    endpoint: str

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        return Boto3Aws().client(service, region=region, environ=local_environ(self.endpoint))


class BucketMachine:
    """An app with an environment in AWS and one of a local cloud that does not run."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.bucket = f"states-{uuid.uuid4().hex[:8]}"
        self.runtime = refusing_runtime(
            clock=FrozenClock(), aws=Loopback(endpoint), cwd=folder, cache=folder / "cache"
        )
        self.s3 = self.runtime.aws.client("s3", region=REGION, environ={})
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.store = S3Store(self.s3, StateLocation(bucket=self.bucket, key="", region=REGION), cloud="aws")
        write_app(folder, bucket=self.bucket)

    def run(self, *argv: str) -> Ran:
        return run_cli(argv, replace(self.runtime, terminal=captured_terminal()))


def write_app(folder: Path, *, bucket: str) -> None:
    (folder / "cdktf.json").write_text('{"app": "false"}')
    app = WrittenApp(folder, bucket)
    app.add("orders-prod", cloud="aws")
    app.add("orders-local", cloud="local", bucket="local-states")
