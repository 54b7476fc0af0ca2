"""`holdfast output`: the outputs of the last good deploy, read where they lie; the bucket is moto's."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support.bucket_machine import BucketMachine
from tests.support.written_app import REGION

from holdfast_orchestrator.errors import NeedsPersonError, UsageError
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.last_good import LastGood, promote, read_last_good
from holdfast_orchestrator.report.schemas import SCHEMAS
from holdfast_orchestrator.report.wording import moment
from holdfast_orchestrator.terraform.identity import IdentityIndex
from holdfast_orchestrator.terraform.state_file import Recorded

RUN = "01JD3K4T7Q9ZV5M2X8R6W1B0CE"
KEY = f"orders/123456789012/{REGION}/prod/terraform.tfstate"
FOLDER = KEY.rpartition("/")[0]
OUTPUTS = {
    "url": {"value": "https://orders.example.com", "type": "string"},
    "ports": {"value": [80, 443], "type": ["tuple", ["number", "number"]]},
    "password": {"value": "not-for-everybody", "type": "string", "sensitive": True},
    "cross-stack-output-aws_vpcmain_1id": {"value": "vpc-1", "type": "string"},
}


def put_state(machine: BucketMachine, outputs: object, *, serial: int = 1) -> str:
    state = {"version": 4, "lineage": "l", "serial": serial, "outputs": outputs, "resources": []}
    made = machine.s3.put_object(Bucket=machine.bucket, Key=KEY, Body=json.dumps(state).encode())
    return str(made["VersionId"])


def deployed(machine: BucketMachine, outputs: object = None, **fields: Any) -> None:
    """Leave what a good deploy of orders-prod with these outputs leaves."""
    version = put_state(machine, OUTPUTS if outputs is None else outputs)
    record = LastGood(
        generation=1,
        run=RUN,
        artifact="0" * 64,
        state=Recorded("l", 1, "0" * 64),
        outputs_sha256="0" * 64,
        index=IdentityIndex(),
        actor=Actor(kind="user", name="joe", host="laptop"),
        at=machine.runtime.clock.now(),
        **{"verb": "deploy", "state_version": version, **fields},
    )
    promote(machine.store, FOLDER, record, after=read_last_good(machine.store, FOLDER))


@pytest.fixture
def machine(tmp_path: Path, endpoint: str) -> BucketMachine:
    machine = BucketMachine(tmp_path, endpoint)
    versioning = {"Status": "Enabled"}
    machine.s3.put_bucket_versioning(Bucket=machine.bucket, VersioningConfiguration=versioning)
    return machine


def test_outputs_are_shown_without_secrets_and_without_those_for_other_stacks(machine: BucketMachine) -> None:
    deployed(machine)

    ran = machine.run("output", "orders", "--state-bucket", machine.bucket, "--region", REGION)

    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"orders-prod-{REGION}  (run {RUN}, {moment(machine.runtime.clock.now())})",
        "  password  (sensitive)",
        "  ports     [80, 443]",
        "  url       https://orders.example.com",
        "  (1 for other stacks and health checks: --json)",
    ]


@pytest.mark.parametrize(("options", "password"), [((), None), (("--sensitive",), "not-for-everybody")])
def test_the_document_has_all_of_them_and_a_secret_only_where_asked(
    machine: BucketMachine, options: tuple[str, ...], password: str | None
) -> None:
    deployed(machine)

    ran = machine.run("output", "--env", "prod", "--json", *options)

    document = json.loads(ran.out)
    jsonschema.validate(document, SCHEMAS["output.v1.json"]())
    (shard,) = document["shards"]
    assert shard["outputs"].keys() == OUTPUTS.keys()
    assert shard["outputs"]["password"] == {"value": password, "sensitive": True}
    assert shard["outputs"]["ports"] == {"value": [80, 443], "sensitive": False}


def test_a_deploy_that_has_not_ended_does_not_change_what_is_shown(machine: BucketMachine) -> None:
    deployed(machine)
    put_state(machine, {"url": {"value": "half-made", "type": "string"}}, serial=2)

    ran = machine.run("output", "orders", "--env", "prod", "--json")

    assert json.loads(ran.out)["shards"][0]["outputs"]["url"]["value"] == "https://orders.example.com"


def test_what_was_destroyed_has_no_outputs(machine: BucketMachine) -> None:
    deployed(machine, {}, verb="destroy")

    assert machine.run("output", "--env", "prod").out == "nothing is deployed\n"


def test_a_name_that_no_shard_has_is_refused_with_the_nearest(machine: BucketMachine) -> None:
    deployed(machine)

    ran = machine.run("output", "order", "--env", "prod")

    assert ran.code == UsageError.exit_code
    assert f"there are: orders-prod-{REGION}" in ran.err
    assert f"next: name one of them, such as orders-prod-{REGION}" in ran.err


@pytest.mark.parametrize("body", [None, b"{", b""])
def test_a_state_that_is_gone_or_damaged_is_named(machine: BucketMachine, body: bytes | None) -> None:
    deployed(machine, state_version=None)
    if body is None:
        for version in machine.s3.list_object_versions(Bucket=machine.bucket, Prefix=KEY)["Versions"]:
            machine.s3.delete_object(Bucket=machine.bucket, Key=KEY, VersionId=version["VersionId"])
    else:
        machine.s3.put_object(Bucket=machine.bucket, Key=KEY, Body=body)

    ran = machine.run("output", "orders", "--env", "prod")

    assert ran.code == NeedsPersonError.exit_code
    assert KEY in ran.err
    assert "holdfast state backups" in ran.err
