"""Two shards, and states to adopt for them: a file or an object of another bucket."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.stores import MortalStore

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.state_record import StateRecord, write_state_record
from holdfast_orchestrator.state_admin.adopt import Done, Proposal, carry_out, propose
from holdfast_orchestrator.state_admin.adopt_way import Wanted
from holdfast_orchestrator.state_admin.operator import Operator
from holdfast_orchestrator.state_admin.sources import FileSource, ObjectSource, Source
from holdfast_orchestrator.system.process import SystemProcesses
from holdfast_orchestrator.system.runtime import SystemClock
from holdfast_orchestrator.terraform.state_file import Recorded
from holdfast_orchestrator.testing import refusing_runtime

FOLDER = "web/123456789012/eu-west-1/dev"
KEY = f"{FOLDER}/terraform.tfstate"
TARGET = f"s3://states/{KEY}"
OTHER = "api/123456789012/eu-west-1/dev"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACTOR = Actor(kind="user", name="jane", host="laptop")


def state(serial: int = 3, *names: str, lineage: str = "ours", note: str = "") -> bytes:
    resources = [
        {
            "mode": "managed",
            "type": "aws_sns_topic",
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"attributes": {"id": f"id-{name}{note}"}}],
        }
        for name in names
    ]
    return json.dumps(
        {"version": 4, "serial": serial, "lineage": lineage, "outputs": {}, "resources": resources}
    ).encode()


def shard(name: str = "web", *topics: str) -> Shard:
    folder = FOLDER.replace("web", name)
    return Shard(
        name=name,
        directory=Path(),
        configuration=json.dumps({"resource": {"aws_sns_topic": {topic: {} for topic in topics}}}).encode(),
        service=name,
        environment="dev",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key=f"{folder}/terraform.tfstate", region="eu-west-1"),
    )


@dataclass
class World:
    folder: Path
    store: MortalStore = field(default_factory=MortalStore)
    shards: tuple[Shard, ...] = (shard("web", "a", "b"), shard("api", "c"))
    old: MortalStore = field(default_factory=MortalStore)
    project: str = "shop"

    @property
    def file(self) -> Path:
        return self.folder / "terraform.web.tfstate"

    def write(self, content: bytes) -> Source:
        self.file.write_bytes(content)
        return FileSource(self.file)

    def write_object(self, content: bytes) -> Source:
        self.old.create("old/web.tfstate", content)
        return ObjectSource(self.old, "old-states", "old/web.tfstate")

    def propose(self, source: Source, *, of: str = "web") -> Proposal:
        manifest = Manifest(self.shards)
        return propose(
            Wanted(
                shard=manifest.by_name[of],
                manifest=manifest,
                source=source,
                store=self.store,
                project=self.project,
            )
        )

    def adopt(self, source: Source) -> Done:
        runtime = refusing_runtime(clock=SystemClock(), processes=SystemProcesses(), cwd=self.folder)
        return carry_out(self.propose(source), Operator(runtime=runtime, actor=ACTOR, run="RUN"))

    def record(
        self,
        serial: int,
        *,
        lineage: str = "ours",
        is_open: bool = False,
        of: str = FOLDER,
        project: str = "shop",
    ) -> bool:
        recorded = StateRecord(
            run="EARLIER", is_open=is_open, state=Recorded(lineage, serial, "x"), at=NOW, project=project
        )
        return write_state_record(self.store, of, recorded, after=None) is not None
