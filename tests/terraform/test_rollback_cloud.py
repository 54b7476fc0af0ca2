"""What a rollback leaves in the cloud, counted there: real Terraform with the AWS provider on loopback."""

import json
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from holdfast_orchestrator.engine.workdir import work_root, workdir_of
from holdfast_orchestrator.system.runtime import real_runtime

if TYPE_CHECKING:
    import subprocess

    from tests.terraform.conftest import App

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SHARD = "shop"
PATIENCE_SECONDS = 120
TAGS = {"Service": SHARD, "Environment": "dev", "ManagedBy": "holdfast"}


def version(**resources: dict[str, Any]) -> dict[str, Any]:
    """A stack of AWS resources, tagged as our own stacks tag theirs; keys are `type__name`."""
    blocks: dict[str, dict[str, Any]] = {}
    for label, block in resources.items():
        kind, _, name = label.partition("__")
        blocks.setdefault(kind, {})[name] = block
    provider = {
        "region": "eu-west-1",
        "default_tags": {"tags": TAGS},
        "skip_credentials_validation": True,
        "skip_metadata_api_check": "true",
        "skip_requesting_account_id": True,
        "skip_region_validation": True,
        "max_retries": 5,
    }
    required = {"required_providers": {"aws": {"source": "aws", "version": "5.100.0"}}}
    return {SHARD: {"provider": {"aws": [provider]}, "terraform": required, "resource": blocks}}


def parameter(name: str, value: str = "1", **more: Any) -> dict[str, Any]:
    return {"name": f"/{SHARD}/{name}", "type": "String", "value": value, **more}


def refused(*after: str) -> dict[str, Any]:
    """A parameter the cloud refuses for good: its name is reserved."""
    waits = [f"aws_ssm_parameter.{name}" for name in after]
    return {"name": "/aws/reserved", "type": "String", "value": "1", "depends_on": waits}


def table(key: str) -> dict[str, Any]:
    attributes = [{"name": key, "type": "S"}]
    return {
        "name": f"{SHARD}-orders",
        "billing_mode": "PAY_PER_REQUEST",
        "hash_key": key,
        "attribute": attributes,
    }


def client(app: "App", service: str) -> Any:
    session = boto3.Session("testing", "testing", region_name="eu-west-1")
    return session.client(service, endpoint_url=app.environ["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]


def parameters(app: "App") -> dict[str, str]:
    found = client(app, "ssm").get_parameters_by_path(Path=f"/{SHARD}", Recursive=True)["Parameters"]
    return {one["Name"].removeprefix(f"/{SHARD}/"): one["Value"] for one in found}


def deploy(app: "App", stacks: dict[str, Any], *words: str) -> tuple[int, dict[str, Any]]:
    app.write(stacks)
    ran = app.run("deploy", "--yes", "--json", *words)
    assert ran.stdout, ran.stderr
    (shard,) = json.loads(ran.stdout)["shards"]
    return ran.returncode, shard


@pytest.fixture
def app(plain_app: "App") -> "App":
    """The shared cloud, without the parameters and tables of the test before."""
    for name in parameters(plain_app):
        client(plain_app, "ssm").delete_parameter(Name=f"/{SHARD}/{name}")
    for name in client(plain_app, "dynamodb").list_tables()["TableNames"]:
        client(plain_app, "dynamodb").delete_table(TableName=name)
    shutil.copy(FIXTURES / "fault_app" / "app.py", plain_app.folder)
    return plain_app


def test_an_apply_that_half_succeeds_leaves_nothing_behind(app: "App") -> None:
    deploy(app, version(aws_ssm_parameter__kept=parameter("kept"), aws_ssm_parameter__gone=parameter("gone")))
    failing = version(
        aws_ssm_parameter__kept=parameter("kept", "2"),
        aws_ssm_parameter__fresh=parameter("fresh"),
        aws_ssm_parameter__refused=refused("kept", "fresh"),
    )

    code, shard = deploy(app, failing)

    assert (code, shard["outcome"]) == (5, "rolled_back"), shard
    assert parameters(app) == {"kept": "1", "gone": "1"}


def test_a_replacement_of_a_table_is_blocked_and_the_table_untouched(app: "App") -> None:
    deploy(app, version(aws_dynamodb_table__orders=table("id")))
    dynamodb = client(app, "dynamodb")
    dynamodb.put_item(TableName=f"{SHARD}-orders", Item={"id": {"S": "precious"}})

    code, shard = deploy(app, version(aws_dynamodb_table__orders=table("other")))

    assert (code, shard["outcome"]) == (4, "blocked"), shard
    assert "aws_dynamodb_table.orders would be replaced" in shard["reason"]
    assert "--approve aws_dynamodb_table.orders=SNAPSHOT" in shard["next_step"]
    assert dynamodb.scan(TableName=f"{SHARD}-orders")["Count"] == 1


def test_a_replacement_that_somebody_approved_goes_ahead(app: "App") -> None:
    deploy(app, version(aws_dynamodb_table__orders=table("id")))

    code, shard = deploy(
        app,
        version(aws_dynamodb_table__orders=table("other")),
        "--approve",
        "aws_dynamodb_table.orders=orders-before",
    )

    assert (code, shard["outcome"]) == (0, "committed"), shard


@pytest.mark.long
def test_a_runner_killed_during_the_apply_is_carried_on_by_resume(app: "App") -> None:
    deploy(app, version(aws_ssm_parameter__kept=parameter("kept")))
    slow = version(
        aws_ssm_parameter__kept=parameter("kept", "2"),
        terraform_data__slow={"provisioner": [{"local-exec": {"command": "sleep 4"}}]},
        aws_ssm_parameter__last=parameter("last", depends_on=["terraform_data.slow"]),
    )
    app.write(slow)
    deploying = app.start("deploy", "--yes")
    wait_for_event(app, "apply_start", "slow")

    deploying.kill()
    end(deploying)
    ran = app.run("resume", newest_run(app), "--json")

    (shard,) = json.loads(ran.stdout)["shards"]
    assert shard["outcome"] == "committed", ran.stdout + ran.stderr
    assert parameters(app) == {"kept": "2", "last": "1"}


@pytest.mark.long
def test_a_state_that_a_killed_terraform_never_saved_is_rebuilt(app: "App") -> None:
    deploy(app, version(aws_ssm_parameter__kept=parameter("kept")))
    slow = version(
        aws_ssm_parameter__kept=parameter("kept", "2"),
        aws_ssm_parameter__fresh=parameter("fresh"),
        terraform_data__slow={
            "depends_on": ["aws_ssm_parameter.fresh"],
            "provisioner": [{"local-exec": {"command": "sleep 60"}}],
        },
    )
    app.write(slow)
    deploying = app.start("deploy", "--yes")
    wait_for_event(app, "apply_start", "slow")

    deploying.kill()
    for pid in terraforms(app):
        os.kill(pid, signal.SIGKILL)
    end(deploying)
    ran = app.run("resume", newest_run(app), "--json")

    (shard,) = json.loads(ran.stdout)["shards"]
    assert shard["outcome"] == "rolled_back", ran.stdout + ran.stderr
    assert parameters(app) == {"kept": "1"}
    assert {one["name"] for one in app.state(SHARD)["resources"]} == {"kept"}


def newest_run(app: "App") -> str:
    return str(json.loads(app.run("runs", "--json").stdout)["runs"][0]["run"])


def wait_for_event(app: "App", kind: str, name: str) -> None:
    """Wait until an apply of this app tells that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for folder in folders(app):
            for record in folder.glob("output/*-apply.jsonl"):
                if any(kind in line and f".{name}" in line for line in record.read_text().splitlines()):
                    return
        time.sleep(0.1)
    pytest.fail(f"no apply told {kind} of {name}")


def folders(app: "App") -> list[Path]:
    runtime = replace(real_runtime(), cache=Path(app.environ["HOLDFAST_CACHE_DIR"]))
    return [workdir_of(work_root(runtime, app.folder), SHARD)]


def terraforms(app: "App") -> list[int]:
    """The ids of the Terraforms at work for this app, with everything they started."""
    (folder,) = folders(app)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def end(deploying: "subprocess.Popen[str]") -> None:
    deploying.communicate(timeout=PATIENCE_SECONDS)
