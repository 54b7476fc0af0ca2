import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.app.manifest import Manifest, Shard, StateLocation
from holdfast_orchestrator.app.project_file import ProjectFile
from holdfast_orchestrator.deploy.run_context import DeployPolicy
from holdfast_orchestrator.deploy.shard.intent import Intent
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.executor.job import Job, Neighbours, ProjectSettings
from holdfast_orchestrator.record.actor import Actor

SECRET = b'{"resource": {"aws_db_instance": {"db": {"password": "hunter22"}}}}'


def shard(name: str, service: str = "orders", *depends_on: str) -> Shard:
    return Shard(
        name=name,
        directory=Path("stacks") / name,
        configuration=SECRET,
        service=service,
        environment="prod",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key=f"{name}/prod/terraform.tfstate", region="eu-west-1"),
        depends_on=depends_on,
    )


def job(one: Shard, manifest: Manifest) -> Job:
    return Job(
        version="1",
        run="R1",
        project="shop",
        is_named=True,
        shard=one,
        others=Neighbours(manifest).of(one),
        labels={},
        intent=Intent(),
        policy=DeployPolicy(),
        actor=Actor(kind="user", name="jo", host="here"),
        git=None,
        project_settings=ProjectSettings(redact=("a text",)),
    )


def project(folder: Path, **holdfast: object) -> ProjectFile:
    (folder / "cdktf.json").write_text(json.dumps({"app": "false", "context": {"holdfast": holdfast}}))
    return ProjectFile(folder=folder, app="false", output=folder / "cdktf.out", redact=("a text",))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    services = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=8))
    shards: list[Shard] = []
    for number, service in enumerate(services):
        above = draw(st.sets(st.sampled_from([one.name for one in shards]))) if shards else set()
        shards.append(shard(f"shard-{number}", service, *sorted(above)))
    return Manifest(tuple(shards))


@given(manifests())
def test_a_job_knows_what_its_shard_reads_from_and_no_configuration_but_its_own(manifest: Manifest) -> None:
    for one in manifest.shards:
        sent = pickle.loads(pickle.dumps(job(one, manifest)))

        known = sent.manifest
        assert known.by_name[one.name].depends_on == one.depends_on
        assert set(known.by_name) >= {other.name for other in manifest.shards if other.service == one.service}
        assert set(known.graph.order) == set(known.by_name)
        assert all(SECRET not in pickle.dumps(other) for other in sent.others)


def test_a_job_prints_nothing_that_is_to_stay_unseen() -> None:
    one = shard("orders")

    printed = repr(job(one, Manifest((one,))))

    assert "hunter22" not in printed
    assert "a text" not in printed


def test_the_locks_and_the_engine_go_along(tmp_path: Path) -> None:
    (tmp_path / ".terraform.lock.hcl").write_text("locks")

    file = replace(project(tmp_path, engine="tofu"), parallelism=7)

    project_settings = ProjectSettings.of(file, engine=None, cold_providers=True)

    assert project_settings == ProjectSettings(
        engine="tofu", cold_providers=True, parallelism=7, lock_file="locks", redact=("a text",)
    )
    assert (
        ProjectSettings.of(project(tmp_path), engine="terraform", cold_providers=False).engine == "terraform"
    )


def test_runs_with_unequal_locks_never_share_a_folder_of_a_worker() -> None:
    one = shard("orders")
    first = job(one, Manifest((one,)))
    folders = {
        replace(
            first, run=run, project=project, project_settings=ProjectSettings(lock_file=locks)
        ).project_folder
        for run in ("R1", "R2")
        for project in ("shop", "other")
        for locks in (None, "", "locks of main", "locks of a branch")
    }

    assert len(folders) == 8


def test_an_engine_that_is_a_path_of_this_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a path on this machine"):
        ProjectSettings.of(project(tmp_path), engine="/opt/terraform", cold_providers=False)
