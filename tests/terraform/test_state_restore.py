"""An old state put back under a real Terraform: what the following plan says, and what is locked out."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.manifest import StateLocation
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import find_engine
from holdfast_orchestrator.engine.workdir import prepare
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import STATE_BUCKET, local_environ
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.s3 import S3Store
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.state_admin.operator import Operator
from holdfast_orchestrator.state_admin.restore import Restored, StatePlace, carry_out, propose
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

ACTOR = Actor(kind="user", name="jane", host="laptop")
OLD, NEW = ("a", "b"), ("b", "c")


@dataclass(frozen=True)
class Workbench:
    """One shard in the local cloud's state bucket, and a Terraform for it."""

    folder: Path
    runtime: Runtime
    place: StatePlace

    def terraform(self, *names: str) -> Terraform:
        """Terraform, ready, with a configuration of these objects."""
        backend = {
            "bucket": STATE_BUCKET,
            "key": self.place.key,
            "region": "eu-west-1",
            "use_lockfile": True,
            "use_path_style": True,
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
            "skip_region_validation": True,
            "skip_requesting_account_id": True,
        }
        document = {
            "terraform": {"backend": {"s3": backend}},
            "resource": {"terraform_data": {name: {"input": name} for name in names}},
        }
        workdir = prepare(self.folder, "orders", {"cdk.tf.json": json.dumps(document).encode()})
        engine = find_engine(self.runtime, project=self.folder)
        terraform = Terraform(engine, self.runtime, workdir, self.runtime.environ)
        terraform.init()
        return terraform

    def deploy(self, *names: str) -> None:
        terraform = self.terraform(*names)
        assert terraform.apply(terraform.plan().plan)

    def planned(self, *names: str) -> Mapping[str, str]:
        """What a plan of these objects would do, by address."""
        return {change.address: change.action for change in self.terraform(*names).plan().planned}

    def back_up(self) -> str:
        snapshot, now = read_snapshot(self.place.store, self.place.key), self.runtime.clock.now()
        assert snapshot is not None
        meta = BackupMeta(run="R1", reason="before apply", at=now, written=now, actor="joe")
        return keep_backup(self.place.store, snapshot, meta)

    def restore(self, backup: str, **watching: Any) -> Restored:
        proposal = propose(self.place, self.place.copies.named(backup))
        return carry_out(proposal, Operator(runtime=self.runtime, actor=ACTOR, run="R9"), **watching)

    def overwrite(self, body: bytes) -> None:
        head = self.place.store.head(self.place.key)
        assert head is not None
        self.place.store.replace(self.place.key, body, etag=head.etag)

    def state(self) -> Any:
        stored = self.place.store.get(self.place.key)
        assert stored is not None
        return json.loads(stored.body)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    runtime = real_runtime()
    cloud = LocalCloud(tmp_path_factory.mktemp("project"), runtime)
    endpoint = cloud.up().endpoint
    assert endpoint is not None
    try:
        yield {**runtime.environ, **local_environ(endpoint)}
    finally:
        cloud.down()


@pytest.fixture
def leased(environ: Mapping[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Workbench:
    runtime = replace(real_runtime(), environ=environ, cache=tmp_path / "cache", cwd=tmp_path)
    key = f"{request.node.name.replace('_', '-')[:60]}/123456789012/eu-west-1/dev/terraform.tfstate"
    client = runtime.aws.client("s3", region="eu-west-1", environ=environ)
    store = S3Store(client, StateLocation(bucket=STATE_BUCKET, key=key, region="eu-west-1"), cloud="local")
    return Workbench(
        tmp_path / "work", runtime, StatePlace(shard="orders", store=store, bucket=STATE_BUCKET, key=key)
    )


def test_after_an_old_state_came_back_the_plan_is_the_difference_and_can_be_applied(
    leased: Workbench,
) -> None:
    leased.deploy(*OLD)
    backup = leased.back_up()
    lineage = leased.state()["lineage"]
    leased.deploy(*NEW)
    serial = leased.state()["serial"]

    ended = leased.restore(backup)

    assert (leased.state()["serial"], leased.state()["lineage"]) == (serial + 1, lineage)
    assert ended.serial == serial + 1
    assert leased.planned(*OLD) == {}
    assert leased.planned(*NEW) == {"terraform_data.a": "delete", "terraform_data.c": "create"}
    leased.deploy(*NEW)
    assert leased.planned(*NEW) == {}


@pytest.mark.parametrize("damage", [b"", b'{"version":4}', b"{half"], ids=["empty", "hollow", "broken"])
def test_a_damaged_state_that_was_restored_is_no_empty_one(leased: Workbench, damage: bytes) -> None:
    leased.deploy(*OLD)
    backup = leased.back_up()
    leased.overwrite(damage)

    leased.restore(backup)

    assert leased.planned(*OLD) == {}


def test_a_state_that_was_deleted_keeps_its_lineage_and_counts_on(leased: Workbench) -> None:
    leased.deploy(*OLD)
    backup, before = leased.back_up(), leased.state()
    head = leased.place.store.head(leased.place.key)
    assert head is not None
    leased.place.store.delete(leased.place.key, etag=head.etag)

    leased.restore(backup)

    after = leased.state()
    assert (after["lineage"], after["serial"]) == (before["lineage"], before["serial"] + 1)
    assert leased.planned(*OLD) == {}


def test_a_terraform_that_comes_in_between_is_locked_out_and_told_by_whom(leased: Workbench) -> None:
    leased.deploy(*OLD)
    backup = leased.back_up()
    leased.deploy(*NEW)
    workdir, said = leased.terraform(*NEW).workdir, []

    def interfere(_: str) -> None:
        argv = ["terraform", "plan", "-no-color", "-input=false"]
        done = subprocess.run(
            argv, cwd=workdir, env=dict(leased.runtime.environ), capture_output=True, text=True, check=False
        )
        said.append((done.returncode, done.stderr))

    leased.restore(backup, on_step=interfere)

    assert {code for code, _ in said} == {1}
    assert all("Error acquiring the state lock" in text for _, text in said)
    assert all("holdfast state restore" in text for _, text in said)
