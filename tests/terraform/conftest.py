"""Real Terraform, the real command line in a process of its own, and an AWS on loopback."""

import dataclasses
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.support.cluster import Cluster
from tests.support.forked_commands import run_command
from tests.support.owned_objects import Cloud
from tests.support.shards import Shards, Stack, another, parameter, warm_shards

from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.engine.runner import Listener, ignore
from holdfast_orchestrator.engine.terraform import Terraform
from holdfast_orchestrator.engine.toolchain import Engine, find_engine
from holdfast_orchestrator.engine.warm.client import WarmProviders
from holdfast_orchestrator.engine.warm.shard import WarmShard
from holdfast_orchestrator.engine.workdir import prepare
from holdfast_orchestrator.local.cloud import LocalCloud
from holdfast_orchestrator.local.environment import towards_local
from holdfast_orchestrator.state.object_store import ObjectHead, StoredObject
from holdfast_orchestrator.state.snapshot import StateSnapshot, snapshot_of
from holdfast_orchestrator.system.runtime import Runtime, real_runtime

_NUMBERS = itertools.count()
ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
ACCOUNT = "123456789012"
REGION = "eu-west-1"
# An app's own synthesis and a provider's start can take long on a busy machine; a hang must still end.
PATIENCE_SECONDS = 600

_HOLDFAST = ("-m", "holdfast_orchestrator")
_NOT_PASSED_ON = ("AWS_", "TF_", "HOLDFAST_")


@dataclass(frozen=True, kw_only=True)
class App:
    """A project folder, the environment its commands run in, and the bucket of its states."""

    folder: Path
    bucket: str
    environ: Mapping[str, str] = field(repr=False)
    s3: Any = field(repr=False)

    def write(self, stacks: Mapping[str, Any]) -> None:
        (self.folder / "stacks.json").write_text(json.dumps(stacks))

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return run_command(argv, cwd=self.folder, environ=self.environ, seconds=PATIENCE_SECONDS)

    def start(self, *argv: str, python: tuple[str, ...] = _HOLDFAST) -> subprocess.Popen[str]:
        """Start a command; `python` is what Python is told to run."""
        return subprocess.Popen(
            (sys.executable, *python, *argv),
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def argv(self, *argv: str) -> tuple[str, ...]:
        return (sys.executable, *_HOLDFAST, *argv)

    def outcomes(self, *argv: str) -> dict[str, str]:
        ran = self.run(*argv, "--json")
        return {shard["name"]: shard["outcome"] for shard in json.loads(ran.stdout)["shards"]}

    def state_keys(self) -> list[str]:
        """Every object but Holdfast's own records."""
        return [key for key in self.object_keys() if not key.startswith("_holdfast/")]

    def object_keys(self) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(found["Key"] for found in listed)

    def state(self, service: str) -> dict[str, Any]:
        body = self.s3.get_object(Bucket=self.bucket, Key=key(service))["Body"].read()
        state: dict[str, Any] = json.loads(body)
        return state


def key(service: str) -> str:
    return f"{service}/{ACCOUNT}/{REGION}/dev/terraform.tfstate"


@pytest.fixture(scope="session")
def deploy_environ(local_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    return {
        **kept,
        "AWS_ENDPOINT_URL": local_endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "HOLDFAST_CACHE_DIR": str(tmp_path_factory.mktemp("cache")),
    }


def _app(folder: Path, environ: Mapping[str, str], bucket: str) -> App:
    s3: Any = boto3.Session("testing", "testing", region_name=REGION).client(
        "s3", endpoint_url=environ["AWS_ENDPOINT_URL"]
    )
    make_empty(s3, bucket)
    return App(folder=folder, bucket=bucket, environ=environ, s3=s3)


def make_empty(s3: Any, bucket: str) -> None:
    """Make the bucket, or empty the one that an earlier test of the same app has left."""
    if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


@pytest.fixture
def plain_app(tmp_path: Path, deploy_environ: dict[str, str], request: pytest.FixtureRequest) -> App:
    """An app whose stacks the test writes; it needs no provider, so its Terraform takes milliseconds."""
    folder = tmp_path / "app"
    shutil.copytree(FIXTURES / "plain_app", folder)
    bucket = f"states-{abs(hash(request.node.nodeid)):x}"
    settings = {"state_bucket": bucket, "region": REGION, "environment": "dev", "account": ACCOUNT}
    cdktf = {"app": "python app.py", "context": {"holdfast": settings}}
    (folder / "cdktf.json").write_text(json.dumps(cdktf))
    return _app(folder, deploy_environ, bucket)


@pytest.fixture
def foreign_app(tmp_path: Path, deploy_environ: dict[str, str]) -> App:
    """A stock cdktf app that knows nothing of Holdfast."""
    folder = tmp_path / "foreign"
    shutil.copytree(FIXTURES / "foreign_app", folder)
    return _app(folder, deploy_environ, "foreign-state")


@pytest.fixture
def asset_app(tmp_path: Path, deploy_environ: dict[str, str]) -> App:
    """A cdktf app with assets of each kind and a local module."""
    folder = tmp_path / "assets"
    shutil.copytree(FIXTURES / "asset_app", folder)
    return _app(folder, deploy_environ, "asset-state")


@dataclass(frozen=True, kw_only=True)
class World:
    """A project with the repository's lock file, an engine, and warm providers for its shards."""

    runtime: Runtime
    folder: Path
    engine: Engine
    warm: WarmProviders
    told: list[str]

    def terraform(
        self,
        name: str,
        configuration: Mapping[str, Any],
        *,
        warm: bool = True,
        environ: Mapping[str, str] | None = None,
        on_event: Listener = ignore,
        state: str | None = None,
    ) -> Terraform:
        """A shard's Terraform; its state lies beside its folder, as `state` or by its name."""
        place = self.folder / f"{state or name}.tfstate"
        document = json.loads(json.dumps(configuration))
        document.setdefault("terraform", {})["backend"] = {"local": {"path": str(place)}}

        def read() -> StateSnapshot | None:
            if not place.exists():
                return None
            head = ObjectHead(key=place.name, etag="", size=place.stat().st_size)
            return snapshot_of(StoredObject(head=head, body=place.read_bytes()))

        return Terraform(
            self.engine,
            self.runtime,
            prepare(self.folder / "work", name, {"cdk.tf.json": json.dumps(document).encode()}),
            {**self.runtime.environ, **(environ or {})},
            on_event,
            warm=WarmShard(self.warm, read) if warm else None,
        )

    @property
    def provider_pids(self) -> list[int]:
        """The provider processes that run."""
        return [one["pid"] for pool in self.warm.stats()["pools"] for one in pool if one["lives"]]


@pytest.fixture(scope="session")
def local_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local cloud with its gaps closed; unlike moto by itself it does a conditional write in one step."""
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), real_runtime())
    endpoint = cloud.up().endpoint
    assert endpoint is not None
    try:
        yield endpoint
    finally:
        cloud.down()


@pytest.fixture(scope="session")
def warm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the tests of a worker share: hashes and schemas need computing once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def world(tmp_path: Path, local_endpoint: str, warm_cache: Path) -> Iterator[World]:
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(ROOT / lockfile.NAME, project)
    real = real_runtime()
    environ = towards_local(real.environ, local_endpoint)
    runtime = dataclasses.replace(real, cwd=project, cache=warm_cache, environ=environ)
    told: list[str] = []
    warm = WarmProviders(runtime, told.append)
    try:
        yield World(
            runtime=runtime,
            folder=tmp_path,
            engine=find_engine(runtime, project=project),
            warm=warm,
            told=told,
        )
    finally:
        warm.close()


@pytest.fixture
def cluster(tmp_path: Path, plain_app: App) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = Cluster(folder, plain_app.environ)
    cluster.begin()
    try:
        yield cluster
    finally:
        cluster.end()


@pytest.fixture
def aws_app(plain_app: App) -> App:
    shutil.copy(ROOT / lockfile.NAME, plain_app.folder)
    return plain_app


@pytest.fixture
def cloud(aws_app: App) -> Cloud:
    return Cloud(aws_app, aws_app.bucket)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """A file that lets the slow resource finish; made at the end so that nothing is left waiting."""
    file = tmp_path / "go-on"
    yield file
    file.touch()


@pytest.fixture(scope="module")
def providers(deploy_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shards]:
    folder = tmp_path_factory.mktemp("providers")
    with warm_shards(folder / "app", deploy_environ, Path(deploy_environ["HOLDFAST_CACHE_DIR"])) as shards:
        yield shards


@pytest.fixture
def warm_app(providers: Shards, tmp_path: Path) -> Shards:
    return another(providers, tmp_path / "app", f"apps-{next(_NUMBERS)}")


@pytest.fixture
def name() -> str:
    """A name for objects that no other test has."""
    return f"o{next(_NUMBERS)}"


@pytest.fixture
def taken(warm_app: Shards, name: str) -> Stack:
    """A parameter whose create fails at the apply: somebody has one of that name."""
    warm_app.client("ssm").put_parameter(Name=f"{name}-taken", Value="theirs", Type="String")
    return parameter(f"{name}-taken", at="bad")
