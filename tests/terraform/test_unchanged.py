"""What has not changed is left alone, and what has is not: real Terraform, the real command line."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

CHAIN = ("network", "data", "orders")


def app(network: str = "n1", data: str = "d1", orders: str = "o1") -> dict[str, Any]:
    """Three shards in a row, each of which passes a value on."""
    return {
        "network": stack(network),
        "data": stack(f"{data}", after="network"),
        "orders": stack(f"{orders}", after="data"),
    }


def stack(value: str, *, after: str | None = None) -> dict[str, Any]:
    seen = f"{value}"
    if after is not None:
        seen += f" ${{data.terraform_remote_state.cross-stack-reference-input-{after}.outputs.value}}"
    made: dict[str, Any] = {
        "resource": {"terraform_data": {"x": {"input": seen}}},
        "output": {"value": {"value": "${terraform_data.x.output}"}},
    }
    return made if after is None else {**made, "dependencies": [after]}


@pytest.fixture
def deployed(plain_app: "App") -> "App":
    """The chain, deployed once; Terraform is counted from now on."""
    plain_app.write(app())
    assert plain_app.run("deploy", "--yes").returncode == 0
    return plain_app


def shards(app: "App", *argv: str) -> dict[str, dict[str, Any]]:
    ran = app.run(*argv, "--json")
    assert ran.stdout, ran.stderr
    return {shard["name"]: shard for shard in json.loads(ran.stdout)["shards"]}


def skipped(app: "App", *argv: str) -> dict[str, bool]:
    return {name: shard["skipped"] for name, shard in shards(app, *argv).items()}


def why(app: "App", *argv: str) -> dict[str, list[str]]:
    found = shards(app, "plan", "--explain", *argv)
    return {name: [reason["why"] for reason in shard["reasons"]] for name, shard in found.items()}


def test_nothing_changed_needs_no_terraform(deployed: "App") -> None:
    planned, again = skipped(deployed, "plan"), skipped(deployed, "deploy", "--yes")

    assert planned == again == dict.fromkeys(CHAIN, True)


def test_a_changed_shard_is_deployed_and_what_reads_from_it_too(deployed: "App") -> None:
    deployed.write(app(data="d2"))

    planned = skipped(deployed, "plan")
    outcomes = deployed.outcomes("deploy", "--yes")

    assert planned == {"network": True, "data": False, "orders": True}
    assert outcomes == {"network": "unchanged", "data": "committed", "orders": "committed"}
    assert "d2" in json.dumps(deployed.state("orders"))
    assert skipped(deployed, "plan") == dict.fromkeys(CHAIN, True)


def test_a_change_that_leads_to_the_same_outputs_stops_there(deployed: "App") -> None:
    changed = app()
    changed["data"]["resource"]["terraform_data"]["more"] = {"input": "1"}
    deployed.write(changed)

    found = shards(deployed, "deploy", "--yes")

    assert {name: shard["outcome"] for name, shard in found.items()} == {
        "network": "unchanged",
        "data": "committed",
        "orders": "unchanged",
    }
    assert found["orders"]["skipped"]


def test_reality_is_looked_at_when_that_is_asked_for(deployed: "App") -> None:
    assert skipped(deployed, "plan", "--refresh") == dict.fromkeys(CHAIN, False)
    assert skipped(deployed, "deploy", "--refresh", "--yes") == dict.fromkeys(CHAIN, False)
    assert why(deployed, "--refresh") == {name: ["refresh"] for name in CHAIN}


def test_comments_and_the_order_of_keys_are_no_change(deployed: "App") -> None:
    told = app()
    told["data"] = dict(reversed(told["data"].items()))
    told["data"]["//"] = {"metadata": {"version": "0.22"}}
    told["data"]["resource"]["terraform_data"]["x"]["//"] = {"metadata": {"path": "elsewhere"}}
    deployed.write(told)

    assert skipped(deployed, "plan") == dict.fromkeys(CHAIN, True)


def test_a_state_somebody_else_wrote_is_looked_at(deployed: "App") -> None:
    state = deployed.state("data")
    deployed.s3.put_object(
        Bucket=deployed.bucket,
        Key="data/123456789012/eu-west-1/dev/terraform.tfstate",
        Body=json.dumps({**state, "serial": state["serial"] + 1}).encode(),
    )

    assert why(deployed)["data"] == ["state"]
    assert why(deployed)["network"] == []


def test_a_variable_that_providers_heed_is_proven_once_and_named(deployed: "App") -> None:
    heeded = {"TF_AWS_DEFAULT_TAGS_Team": "orders", "AWS_REGION": "us-east-1"}
    changed = replace(deployed, environ={**deployed.environ, **heeded})

    assert shards(changed, "plan", "--explain")["data"]["reasons"] == [
        {"why": "environment", "words": "environment changed", "names": ["TF_AWS_DEFAULT_TAGS_Team"]}
    ]
    assert skipped(changed, "deploy", "--yes") == dict.fromkeys(CHAIN, False)
    assert skipped(changed, "deploy", "--yes") == dict.fromkeys(CHAIN, True)


def test_a_lock_on_the_state_is_looked_at(deployed: "App") -> None:
    key = "network/123456789012/eu-west-1/dev/terraform.tfstate.tflock"
    deployed.s3.put_object(Bucket=deployed.bucket, Key=key, Body=b"{}")

    assert why(deployed)["network"] == ["locked"]


def test_the_reasons_name_resources_outputs_and_what_was_never_deployed(deployed: "App") -> None:
    changed = app()
    changed["data"]["resource"]["terraform_data"]["more"] = {"input": "1"}
    changed["fresh"] = stack("f1")
    deployed.write(changed)

    ran = deployed.run("plan", "--explain")
    found = shards(deployed, "plan", "--explain")

    assert found["data"]["reasons"] == [
        {"why": "configuration", "words": "configuration changed", "names": ["terraform_data.more"]}
    ]
    assert [reason["why"] for reason in found["fresh"]["reasons"]] == ["never_deployed"]
    assert "data: configuration changed: terraform_data.more" in ran.stdout
    assert "network: unchanged since" in ran.stdout


def test_after_a_rollback_the_good_version_is_proven_once_and_skipped_then(deployed: "App") -> None:
    broken = app()
    broken["data"]["resource"]["terraform_data"]["bad"] = {
        "depends_on": ["terraform_data.x"],
        "provisioner": [{"local-exec": {"command": "exit 3"}}],
    }
    deployed.write(broken)
    assert deployed.run("deploy", "--yes").returncode == 5
    deployed.write(app())

    before = why(deployed)
    first, second = skipped(deployed, "deploy", "--yes"), skipped(deployed, "deploy", "--yes")

    assert before["data"] == ["unproven"]
    assert (first["data"], second["data"]) == (False, True)


def test_what_failed_and_was_kept_is_never_skipped(deployed: "App") -> None:
    broken = app()
    broken["data"]["resource"]["terraform_data"]["bad"] = {
        "provisioner": [{"local-exec": {"command": "exit 3"}}]
    }
    deployed.write(broken)
    assert deployed.run("deploy", "--yes", "--no-rollback").returncode == 1

    assert "unfinished" in why(deployed)["data"]
    deployed.write(app())
    assert "unfinished" in why(deployed)["data"]


def test_a_kept_plan_that_skips_is_applied_around_what_it_skips(deployed: "App") -> None:
    deployed.write(app(orders="o2"))
    assert deployed.run("plan", "--out", "plans").returncode == 0

    found = shards(deployed, "deploy", "--plan", "plans", "--yes")

    assert {name: shard["outcome"] for name, shard in found.items()} == {
        "network": "unchanged",
        "data": "unchanged",
        "orders": "committed",
    }


def test_one_deploy_runs_no_command_twice(plain_app: "App", tmp_path: Path) -> None:
    calls = counted(plain_app, tmp_path)
    plain_app.write({"network": stack("n1")})

    assert plain_app.run("deploy", "--yes").returncode == 0
    first = calls.read_text().split()
    assert plain_app.run("deploy", "--yes").returncode == 0

    # The second plan is the verify, which is what proves the deploy.
    assert first == ["version", "init", "plan", "show", "apply", "plan"]
    assert set(calls.read_text().split()[len(first) :]) <= {"version"}


def counted(app: "App", folder: Path) -> Path:
    """Put a Terraform first on the search path that writes down each verb it is asked for."""
    calls, real = folder / "calls", shutil.which("terraform")
    wrapper = folder / "bin" / "terraform"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$1" >> {calls}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    assert isinstance(app.environ, dict)
    app.environ["PATH"] = f"{wrapper.parent}:{app.environ['PATH']}"
    return calls
