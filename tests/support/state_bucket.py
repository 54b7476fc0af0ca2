"""A bucket with the state of one shard, its backups, locks and leases."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.copies import StateCopies
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.snapshot import snapshot_of
from holdfast_orchestrator.state.terraform_lock import lock_key
from holdfast_orchestrator.state_admin.restore import (
    StatePlace,
)
from holdfast_orchestrator.testing import FrozenClock

FOLDER = "orders/123456789012/eu-west-1/prod"
KEY = f"{FOLDER}/terraform.tfstate"
OURS, THEIRS = "11111111-aaaa", "22222222-bbbb"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ACTOR = Actor(kind="user", name="jane", host="laptop")


def state(serial: int, *names: str, lineage: str = OURS, outputs: Mapping[str, str] | None = None) -> bytes:
    resources = [
        {
            "mode": "managed",
            "type": "aws_dynamodb_table" if name.startswith("table") else "aws_sqs_queue",
            "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"schema_version": 0, "attributes": {"id": f"id-{name}"}}],
        }
        for name in names
    ]
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": lineage,
        "outputs": {name: {"value": value, "type": "string"} for name, value in (outputs or {}).items()},
        "resources": resources,
    }
    return json.dumps(document).encode()


class Bucket:
    """A bucket whose clock the test moves, and one shard in it."""

    def __init__(self) -> None:
        self.clock = FrozenClock(at=NOON - timedelta(hours=1))
        self.store = MemoryStore(self.clock)
        self.place = StatePlace(shard="orders-prod", store=self.store, bucket="states", key=KEY)

    def write(self, body: bytes, *, later: float = 60) -> None:
        """Write the state object as Terraform does, so many seconds after what came before."""
        self.clock.sleep(later)
        head = self.store.head(KEY)
        if head is None:
            self.store.create(KEY, body)
        else:
            self.store.replace(KEY, body, etag=head.etag)

    def back_up(self) -> str:
        stored = self.store.get(KEY)
        assert stored is not None
        assert stored.head.modified is not None
        meta = BackupMeta(
            run="R1", reason="before apply", at=self.clock.now(), written=stored.head.modified, actor="jane"
        )
        return keep_backup(self.store, snapshot_of(stored), meta)

    def remove(self) -> None:
        head = self.store.head(KEY)
        assert head is not None
        self.clock.sleep(60)
        self.store.delete(KEY, etag=head.etag)

    @property
    def copies(self) -> StateCopies:
        return self.place.copies

    def document(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.store.objects[KEY])
        return parsed


def put_lock(bucket: Bucket, body: bytes) -> None:
    bucket.store.create(lock_key(KEY), body)
