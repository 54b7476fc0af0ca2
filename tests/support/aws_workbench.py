"""A shard on a private local cloud, which a test drives through Terraform by itself."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from tests.support.workbench import step_of

from holdfast_orchestrator.deploy.decisions.adoption import (
    ShardTag,
)
from holdfast_orchestrator.deploy.decisions.apply_progress import (
    ApplyStep,
    Progress,
    measure,
    planned_steps,
)
from holdfast_orchestrator.deploy.decisions.guard import Bounds, Candidate, Written, judge_rollback
from holdfast_orchestrator.deploy.decisions.imports import (
    plan_imports,
    planned_values_by_address,
)
from holdfast_orchestrator.terraform.identity import IdentityIndex, index_state
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.plan import prior_stamp, read_plan
from holdfast_orchestrator.terraform.state_file import Recorded, read_state
from holdfast_orchestrator.terraform.stateful_types import Protection

Config = dict[str, Any]
REGION, ACCOUNT, BUCKET, KEY = "eu-west-1", "123456789012", "states", "shard/terraform.tfstate"
SOURCE, REATTACH = "registry.terraform.io/hashicorp/aws", "TF_REATTACH_PROVIDERS"
PROTECTION = Protection()
TAG = ShardTag("HoldfastShard", "orders-test")
WRITTEN = Written("1.11.4")


def environ_of(endpoint: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "TF_IN_AUTOMATION": "1",
    }


@dataclass
class Shard:
    """One shard with its folder, its state in the bucket and the cloud."""

    folder: Path
    endpoint: str
    provider: Mapping[str, str]

    @property
    def environ(self) -> dict[str, str]:
        config = {"TF_CLI_CONFIG_FILE": str(self.folder / "cli.tfrc")}
        return {**environ_of(self.endpoint), **config, **self.provider}

    def client(self, service: str) -> Any:
        client: Any = boto3.client  # its 400 overloads know no plain text
        return client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def run(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in accept, done.stdout + done.stderr
        return done

    def plan(self, resources: Mapping[str, Any]) -> Config:
        (self.folder / "main.tf.json").write_text(json.dumps(resources))
        if not (self.folder / ".terraform").is_dir():
            self.run("init", "-input=false")
        self.run("plan", "-input=false", "-out=saved.tfplan")
        shown: Config = json.loads(self.run("show", "-json", "saved.tfplan").stdout)
        return shown

    def apply(self) -> list[ApplyStep]:
        done = self.run("apply", "-json", "saved.tfplan", accept=(0, 1))
        return [step for line in done.stdout.splitlines() if (step := step_of(json.loads(line)))]

    def deploy(self, resources: Mapping[str, Any]) -> Progress:
        planned = read_plan(self.plan(resources))
        return measure(planned_steps(planned), self.apply())

    def stored(self) -> bytes | None:
        s3 = self.client("s3")
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=KEY).get("Contents", [])
        if not any(each["Key"] == KEY for each in found):
            return None
        content: bytes = s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
        return content

    def put(self, content: bytes | Mapping[str, Any]) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=body)

    def lose(self) -> None:
        self.client("s3").delete_object(Bucket=BUCKET, Key=KEY)

    def state(self) -> Config:
        document: Config = json.loads(self.stored() or b"{}")
        return document

    def index(self) -> IdentityIndex:
        return index_state(self.state(), protection=PROTECTION)

    def judge(self, plan: Config, bounds: Bounds) -> list[str]:
        stamp = prior_stamp((self.folder / "saved.tfplan").read_bytes())
        return [found.rule for found in judge_rollback(Candidate(plan, stamp, WRITTEN), bounds)]

    def recorded(self) -> Recorded:
        found = read_state("stored", self.stored())
        return Recorded(found.lineage, found.serial, found.sha256)


def aws(**resources: Mapping[str, Any]) -> Config:
    """A configuration of AWS resources, by type and name, with the state in the bucket."""
    return {
        "terraform": {
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}},
            "backend": {
                "s3": {
                    "bucket": BUCKET,
                    "key": KEY,
                    "region": REGION,
                    "use_lockfile": True,
                    "use_path_style": True,
                    "skip_credentials_validation": True,
                    "skip_metadata_api_check": True,
                    "skip_region_validation": True,
                }
            },
        },
        "provider": {
            "aws": [
                {
                    "region": REGION,
                    "skip_credentials_validation": True,
                    "skip_metadata_api_check": True,
                    "max_retries": 5,
                    "default_tags": [{"tags": {TAG.key: TAG.value}}],
                }
            ]
        },
        "resource": resources,
    }


def parameters(*names: str, value: str = "v") -> Config:
    return {name: {"name": f"/{name}", "type": "String", "value": value} for name in names}


def table(name: str, key: str = "id") -> Config:
    return {
        "name": name,
        "billing_mode": "PAY_PER_REQUEST",
        "hash_key": key,
        "attribute": [{"name": key, "type": "S"}],
    }


def blocks_for(progress: Progress, plan: Config) -> Sequence[ImportBlock]:
    found = plan_imports(progress.created(), planned_values_by_address(plan))
    assert found.by_hand == ()
    return found.blocks


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    ],
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}


def bucket(name: str) -> Config:
    return aws(aws_s3_bucket={"b": {"bucket": name, "lifecycle": {"create_before_destroy": True}}})
