"""`plan` refuses what `deploy` refuses: with the same exit code, and the same words."""

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App


def described(app: "App", **more: Any) -> None:
    """An app that writes holdfast.json, with these fields of its one shard set."""
    place = "data/123456789012/eu-west-1/dev/terraform.tfstate"
    state = {"bucket": app.bucket, "key": place, "region": more.pop("state_region", "eu-west-1")}
    where = {"service": "data", "environment": "dev", "account": "123456789012", "region": "eu-west-1"}
    document = {
        "schema": "holdfast/deployment-manifest/v1",
        "shards": {"data": {**where, "state": state, **more}},
    }
    (app.folder / "holdfast.json").write_text(json.dumps(document))
    emulated = ("use_lockfile", "use_path_style", "skip_credentials_validation", "skip_metadata_api_check")
    backend = {**state, **dict.fromkeys(emulated, True)}
    resource = {"terraform_data": {"p": {"input": "x"}}}
    app.write({"data": {"terraform": {"backend": {"s3": backend}}, "resource": resource}})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"health_checks": [{"kind": "htttp", "name": "api"}]}, "htttp"),
        ({"health_checks": [{"kind": "http", "name": "api", "adress": "x"}]}, "adress"),
        (
            {"state_region": "moon-1-west"},
            "region must be an AWS region such as eu-west-1, got 'moon-1-west'",
        ),
        ({"keeping": {"copies": [{"bucket": "copies", "region": "here"}]}}, "got 'here'"),
        (
            {"accepted_differences": [{"resource": "a.b", "attribute": "c", "reason": "r"}]},
            "accepted_differences.0.owner",
        ),
    ],
)
def test_settings_that_no_deploy_takes_are_refused_by_plan(
    plain_app: "App", more: dict[str, Any], words: str
) -> None:
    described(plain_app, **more)

    planned, deployed = plain_app.run("plan"), plain_app.run("deploy", "--yes")

    assert (planned.returncode, deployed.returncode) == (64, 64)
    for ran in (planned, deployed):
        assert words in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr


def test_an_acceptance_that_has_expired_is_refused_by_plan(plain_app: "App") -> None:
    stamp = {"terraform_data": {"stamp": {"input": "${timestamp()}"}}}
    entry = {"resource": "terraform_data.stamp", "reason": "a stamp", "owner": "core"}
    entries = [{**entry, "attribute": name} for name in ("input", "output")]
    file = plain_app.folder / "cdktf.json"
    document = json.loads(file.read_text())
    document["context"]["holdfast"]["accepted_differences"] = entries
    file.write_text(json.dumps(document))
    plain_app.write({"always": {"resource": stamp}})
    assert plain_app.run("deploy", "--yes").returncode == 0
    for one in entries:
        one["expires"] = "2026-01-01"
    file.write_text(json.dumps(document))
    serial = plain_app.state("always")["serial"]

    planned, deployed = plain_app.run("plan", "--json"), plain_app.run("deploy", "--yes", "--json")

    (plan,), (shard,) = (json.loads(ran.stdout)["shards"] for ran in (planned, deployed))
    assert (planned.returncode, deployed.returncode, shard["outcome"]) == (4, 4, "blocked")
    assert len(plan["refusals"]) == 2
    assert "until 2026-01-01 only (by core: a stamp)" in plan["refusals"][0]["what"]
    assert all(one["what"] in shard["reason"] for one in plan["refusals"])
    assert "expires" in shard["next_step"]
    assert plain_app.state("always")["serial"] == serial


def test_a_version_that_was_rolled_back_from_is_refused_by_plan_until_its_run_is_named(
    plain_app: "App",
) -> None:
    def version(value: str) -> None:
        plain_app.write({"data": {"resource": {"terraform_data": {"p": {"input": value}}}}})

    # Only a bucket that keeps versions has the deployment before the last.
    plain_app.s3.put_bucket_versioning(Bucket=plain_app.bucket, VersioningConfiguration={"Status": "Enabled"})
    for value in ("1", "2"):
        version(value)
        assert plain_app.run("deploy", "--yes").returncode == 0
    assert plain_app.run("rollback", "data", "--yes").returncode == 0

    planned, deployed = plain_app.run("plan", "--json"), plain_app.run("deploy", "--yes", "--json")

    assert (planned.returncode, deployed.returncode) == (4, 4), planned.stdout + planned.stderr
    (refusal,) = json.loads(planned.stdout)["shards"][0]["refusals"]
    (blocked,) = json.loads(deployed.stdout)["shards"]
    assert refusal["next_step"] == blocked["next_step"]
    command = shlex.split(refusal["next_step"].partition("all the same: ")[2])
    assert plain_app.run(*command[1:], "--yes").returncode == 0
    version("3")
    assert plain_app.run("plan").returncode == 0
