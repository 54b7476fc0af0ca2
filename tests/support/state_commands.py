"""A machine with credentials for a bucket, and the state of one shard in it."""

import json
import uuid
from dataclasses import replace
from pathlib import Path

from tests.support.command_line import Ran, run_cli
from tests.support.written_app import WrittenApp

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.local.environment import local_environ
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import Boto3Aws, SystemClock
from holdfast_orchestrator.testing import captured_terminal, refusing_runtime

FOLDER = "orders/123456789012/eu-west-1/prod"
KEY = f"{FOLDER}/terraform.tfstate"
NAME = "orders-prod-eu-west-1"
LINEAGE = "11111111-aaaa"
SECRET = "hunter2-of-the-database"


def state(serial: int, *queues: str, lineage: str = LINEAGE) -> bytes:
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": lineage,
        "outputs": {"password": {"value": SECRET, "type": "string", "sensitive": True}},
        "resources": [
            {
                "mode": "managed",
                "type": "aws_sqs_queue",
                "name": queue,
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [{"schema_version": 0, "attributes": {"id": f"https://sqs/{queue}"}}],
            }
            for queue in queues
        ],
    }
    return json.dumps(document).encode()


class Machine:
    """A machine with credentials and nothing else: no app, no working folders."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.bucket = f"states-{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self.runtime = refusing_runtime(
            clock=SystemClock(),
            processes=SystemProcesses(),
            aws=Boto3Aws(),
            environ=dict(local_environ(endpoint)),
            cwd=folder,
            cache=folder / "cache",
        )
        s3 = self.runtime.aws.client("s3", region="eu-west-1", environ=self.runtime.environ)
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.store = S3Store(s3, StateLocation(bucket=self.bucket, key=KEY, region="eu-west-1"), cloud="aws")

    def run(self, *argv: str, answers: str | None = None, app: bool = False) -> Ran:
        terminal = captured_terminal(answers=answers or "", is_tty=answers is not None)
        where = () if app else ("--state-bucket", self.bucket, "--region", "eu-west-1")
        return run_cli(["state", *argv, *where], replace(self.runtime, terminal=terminal))

    def write(self, body: bytes, key: str = KEY) -> None:
        head = self.store.head(key)
        if head is None:
            self.store.create(key, body)
        else:
            self.store.replace(key, body, etag=head.etag)

    def back_up(self) -> str:
        snapshot, now = read_snapshot(self.store, KEY), self.runtime.clock.now()
        assert snapshot is not None
        meta = BackupMeta(run="R1", reason="before apply", at=now, written=now, actor="joe", git="abc123")
        return keep_backup(self.store, snapshot, meta)

    def body(self, key: str = KEY) -> bytes:
        stored = self.store.get(key)
        assert stored is not None
        return stored.body

    def write_app(self) -> None:
        """An app whose synthesized files are there already."""
        WrittenApp(self.folder, self.bucket).add(NAME, protected=["aws_sqs_queue.b"])
        (self.folder / "cdktf.json").write_text('{"app": "false"}')
