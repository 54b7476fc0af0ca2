"""Protected resources with real plans, real backups and a real bucket."""

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

ADDRESS = "terraform_data.database"


def state(bucket: str) -> dict[str, Any]:
    """Where the shard's state lies; an app that writes holdfast.json writes that into the stack, too."""
    return {
        "bucket": bucket,
        "key": "data/123456789012/eu-west-1/dev/terraform.tfstate",
        "region": "eu-west-1",
    }


def app(bucket: str, engine: str) -> dict[str, Any]:
    emulated = ("use_lockfile", "use_path_style", "skip_credentials_validation", "skip_metadata_api_check")
    backend = {**state(bucket), **dict.fromkeys(emulated, True)}
    database = {"terraform_data": {"database": {"triggers_replace": engine}}}
    return {"data": {"terraform": {"backend": {"s3": backend}}, "resource": database}}


@pytest.fixture
def deployed(plain_app: "App") -> "App":
    """One shard whose only resource is protected, deployed."""
    where = {"service": "data", "environment": "dev", "account": "123456789012", "region": "eu-west-1"}
    entry = {**where, "state": state(plain_app.bucket), "protected": [ADDRESS]}
    document = {"schema": "holdfast/deployment-manifest/v1", "shards": {"data": entry}}
    (plain_app.folder / "holdfast.json").write_text(json.dumps(document))
    plain_app.write(app(plain_app.bucket, "a"))
    assert plain_app.run("deploy", "--yes").returncode == 0
    return plain_app


def test_a_replacement_is_blocked_and_nothing_changes(deployed: "App") -> None:
    before = deployed.state("data")
    deployed.write(app(deployed.bucket, "b"))

    planned = deployed.run("plan", "--detailed-exitcode", "--json")
    agreed = deployed.run("plan", "--detailed-exitcode", "--allow-destroy", ADDRESS)
    ran = deployed.run("deploy", "--yes")

    (refusal,) = json.loads(planned.stdout)["shards"][0]["refusals"]
    assert (planned.returncode, agreed.returncode) == (4, 2)
    assert refusal["what"] in ran.stdout
    # Each command advises itself, with the option that lets the change through.
    _, option, named = refusal["next_step"].rpartition("--allow-destroy")
    assert option + named in ran.stdout
    assert ran.returncode == 4
    assert f"would replace {ADDRESS}, which is protected" in ran.stdout
    assert deployed.state("data") == before


def test_a_replacement_that_is_allowed_by_name_goes_through_with_a_backup(deployed: "App") -> None:
    before = deployed.state("data")
    deployed.write(app(deployed.bucket, "b"))

    ran = deployed.run("deploy", "--yes", "--allow-destroy", ADDRESS, "--json")

    (data,) = json.loads(ran.stdout)["shards"]
    backup = deployed.s3.get_object(Bucket=deployed.bucket, Key=data["backup"])
    assert data["outcome"] == "committed"
    assert data["backup"].startswith(
        f"_holdfast/backups/data/123456789012/eu-west-1/dev/{before['lineage']}/{before['serial']}-"
    )
    assert json.loads(backup["Body"].read()) == before
    assert backup["ServerSideEncryption"] == "AES256"


@pytest.mark.long
def test_destroy_leaves_a_protected_resource_until_it_is_named(deployed: "App") -> None:
    refused = deployed.run("destroy", "--yes")
    allowed = deployed.run("destroy", "--yes", "--allow-destroy", ADDRESS)

    assert refused.returncode == 4
    assert allowed.returncode == 0
    assert deployed.state("data")["resources"] == []
