"""One shard fails: its dependents are skipped, its neighbours finish, its state says what exists."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.terraform.conftest import App


def stack(value: str, *, after: str | None = None, fails: bool = False, made: bool = True) -> dict[str, Any]:
    resources: dict[str, Any] = {"made": {"input": value}} if made else {}
    if after is not None:
        reference = f"${{data.terraform_remote_state.cross-stack-reference-input-{after}.outputs.value}}"
        resources["made"]["input"] = f"{value} after {reference}"
    if fails:
        resources["broken"] = {
            "depends_on": ["terraform_data.made"],
            "provisioner": [{"local-exec": {"command": "echo no luck today >&2; exit 3"}}],
        }
    return {
        "dependencies": [after] if after else [],
        "resource": {"terraform_data": resources},
        "output": {"value": {"value": value}},
    }


APP = {
    "network": stack("network"),
    "data": stack("data", after="network", fails=True),
    "orders": stack("orders", after="data"),
    "lonely": stack("lonely"),
}


def test_a_failure_takes_its_dependents_out_and_nobody_else(plain_app: "App") -> None:
    plain_app.write(APP)

    ran = plain_app.run("deploy", "--yes", "--json")

    shards = {shard["name"]: shard for shard in json.loads(ran.stdout)["shards"]}
    assert ran.returncode == 1
    assert {name: shard["outcome"] for name, shard in shards.items()} == {
        "network": "committed",
        "lonely": "committed",
        "data": "failed",
        "orders": "skipped",
    }
    assert shards["orders"]["reason"] == "`data` failed"
    assert "exit status 3" in "".join(shards["data"]["evidence"])
    assert any(line == "where: terraform_data.broken" for line in shards["data"]["evidence"])


def test_a_failed_shards_state_is_kept_and_the_next_deploy_goes_on_from_it(plain_app: "App") -> None:
    plain_app.write(APP)
    plain_app.run("deploy", "--yes")
    partial = {resource["name"] for resource in plain_app.state("data")["resources"]}
    plain_app.write({**APP, "data": stack("data", after="network")})

    outcomes = plain_app.outcomes("deploy", "--yes")

    assert "made" in partial
    assert outcomes == {
        "network": "unchanged",
        "lonely": "unchanged",
        "data": "committed",
        "orders": "committed",
    }


def test_a_person_reads_the_cause_once_and_what_to_do(plain_app: "App") -> None:
    plain_app.write(APP)

    ran = plain_app.run("deploy", "--yes")

    assert "data failed." in ran.stdout
    assert "not begun: orders" in ran.stdout
    assert "  next    " in ran.stdout


def test_a_broken_configuration_is_told_by_its_stack_and_place(plain_app: "App") -> None:
    broken = stack("network")
    broken["resource"]["terraform_data"]["made"]["input"] = "${terraform_data.ghost.id}"
    plain_app.write({"network": broken})

    ran = plain_app.run("deploy", "--yes", "--json")

    (network,) = json.loads(ran.stdout)["shards"]
    assert (ran.returncode, network["outcome"]) == (1, "failed")
    assert network["reason"] == "terraform plan failed: Reference to undeclared resource"
    assert "terraform_data.ghost" in " ".join(network["evidence"]).replace('" "', ".")
    assert "where: terraform_data.made" in network["evidence"]
    assert plain_app.state_keys() == []
