"""Apps whose stacks the test writes, on AWS types, deployed in this process with providers that stay warm."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
from tests.support.forked_commands import run_command

from holdfast_orchestrator import RunOptions, select
from holdfast_orchestrator.api.project import Project
from holdfast_orchestrator.app.selection import Names
from holdfast_orchestrator.deploy.outcome import RunResult
from holdfast_orchestrator.engine import lockfile
from holdfast_orchestrator.events import Event
from holdfast_orchestrator.system.runtime import real_runtime

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "eu-west-1"
Stack = dict[str, Any]

_PROVIDER = {
    "region": REGION,
    "s3_use_path_style": True,
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "skip_requesting_account_id": False,
    "max_retries": 2,
}


def stack(*blocks: Mapping[str, Mapping[str, Any]], after: tuple[str, ...] = (), **outputs: str) -> Stack:
    """A stack of resources, each `{TYPE: {NAME: BODY}}`."""
    resources: dict[str, dict[str, Any]] = {}
    for block in blocks:
        for kind, named in block.items():
            resources.setdefault(kind, {}).update(named)
    made: Stack = {
        "provider": {"aws": [_PROVIDER]},
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}},
        "resource": resources,
    }
    if outputs:
        made["output"] = {name: {"value": value} for name, value in outputs.items()}
    if after:
        made["dependencies"] = list(after)
    return made


def topic(name: str, at: str = "t", **more: Any) -> Stack:
    return {"aws_sns_topic": {at: {"name": name, **more}}}


def queue(name: str, at: str = "q", **more: Any) -> Stack:
    return {"aws_sqs_queue": {at: {"name": name, **more}}}


def parameter(name: str, at: str = "p", value: str = "v", **more: Any) -> Stack:
    return {"aws_ssm_parameter": {at: {"name": name, "type": "String", "value": value, **more}}}


@dataclass(kw_only=True)
class Shards:
    """One app in one bucket; `told` are the notices of its last command."""

    folder: Path
    bucket: str
    environ: Mapping[str, str] = field(repr=False)
    project: Project = field(repr=False)
    told: list[str] = field(default_factory=list)

    def client(self, service: str, region: str = REGION) -> Any:
        session: Any = boto3.Session("testing", "testing", region_name=region)
        return session.client(service, endpoint_url=self.environ["AWS_ENDPOINT_URL"])

    def write(self, **stacks: Stack) -> None:
        (self.folder / "stacks.json").write_text(json.dumps(stacks))

    def deploy(self, *, stack: Names = (), **options: Any) -> RunResult:
        self.told.clear()
        return self.project.deploy(stack=stack, on_event=self._hear, **options)

    def destroy(self, *, stack: Names = (), **options: Any) -> RunResult:
        self.told.clear()
        return self.project.destroy(select(stack=stack), RunOptions(**options), on_event=self._hear)

    def destroy_retired(self, name: str, **options: Any) -> RunResult:
        self.told.clear()
        return self.project.destroy_retired(name, RunOptions(**options), on_event=self._hear)

    def rollback(self, name: str, **given: Any) -> RunResult:
        self.told.clear()
        return self.project.rollback(name, on_event=self._hear, **given)

    def resume(self, run: str) -> RunResult:
        self.told.clear()
        return self.project.resume(run, on_event=self._hear)

    def outcomes(self, **given: Any) -> dict[str, str]:
        return {one.shard: one.outcome.value for one in self.deploy(**given).shards}

    def killed_at(self, place: str, *argv: str) -> None:
        """Run a command in a process of its own that dies at a place of the journal."""
        ended = self.run(*argv, HOLDFAST_CRASH_AT=place)
        assert ended.returncode == 137, ended.stdout + ended.stderr

    def run(self, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return run_command(argv, cwd=self.folder, environ={**self.environ, **environ}, seconds=600)

    def owned(self) -> dict[str, list[str]]:
        """The address of each object of each shard's state, by shard."""
        s3, found = self.client("s3"), {}
        for entry in s3.list_objects_v2(Bucket=self.bucket).get("Contents", ()):
            service, *_, name = entry["Key"].split("/")
            if name == "terraform.tfstate" and not service.startswith("_"):
                state = json.loads(s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read())
                managed = [one for one in state["resources"] if one["mode"] == "managed"]
                found[service] = sorted(f"{one['type']}.{one['name']}" for one in managed)
        return {service: addresses for service, addresses in found.items() if addresses}

    def topics(self, region: str = REGION) -> set[str]:
        pages = self.client("sns", region).get_paginator("list_topics").paginate()
        return {one["TopicArn"].rpartition(":")[2] for page in pages for one in page["Topics"]}

    def record(self, kind: str, service: str) -> dict[str, Any]:
        key = f"_holdfast/{kind}/{service}/{ACCOUNT}/{REGION}/dev.json"
        body = self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def _hear(self, event: Event) -> None:
        message = getattr(event, "message", None)
        if message is not None:
            self.told.append(message)


@contextmanager
def warm_shards(folder: Path, environ: Mapping[str, str], cache: Path) -> Iterator[Shards]:
    """An empty app; `another` makes more of them that share its providers."""
    app = _written(folder, bucket="none", project="none")
    runtime = replace(
        real_runtime(), environ={**environ, "HOLDFAST_CACHE_DIR": str(cache)}, cwd=app, cache=cache
    )
    with Project.load(app, runtime=runtime).warmed() as project:
        yield Shards(folder=app, bucket="none", environ=environ, project=project)


def another(first: Shards, folder: Path, bucket: str, project: str = "app") -> Shards:
    """Another app, with a bucket, that uses the providers of the first."""
    app = _written(folder, bucket=bucket, project=project)
    shards = Shards(
        folder=app,
        bucket=bucket,
        environ=first.environ,
        project=replace(Project.load(app, runtime=first.project.runtime), tools=first.project.tools),
    )
    s3, buckets = shards.client("s3"), {"LocationConstraint": REGION}
    if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=buckets)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return shards


def _written(folder: Path, *, bucket: str, project: str) -> Path:
    shutil.copytree(ROOT / "tests" / "fixtures" / "plain_app", folder)
    shutil.copy(ROOT / lockfile.NAME, folder)
    settings = {"state_bucket": bucket, "region": REGION, "environment": "dev", "account": ACCOUNT}
    document = {
        "app": f"{sys.executable} app.py",
        "projectId": project,
        "context": {"holdfast": settings},
    }
    (folder / "cdktf.json").write_text(json.dumps(document))
    (folder / "stacks.json").write_text("{}")
    return folder


def refuses_the_same(app: Shards, *shards: str) -> RunResult:
    """A deploy that is refused, for what its plan was refused for."""
    planned = app.project.plan()
    refused = app.deploy()
    for name in shards:
        said = planned.by_name[name].refusals
        assert refused.results[name].outcome.value == "blocked", refused
        assert " ".join(one.what for one in said) == refused.results[name].reason
        assert "; ".join(dict.fromkeys(one.next_step for one in said)) == refused.results[name].next_step
    return refused
