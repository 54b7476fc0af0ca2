"""Plans kept in a folder are applied as they are, or refused."""

import json
import stat
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App
from tests.support.kept_plans import app


@pytest.fixture
def deployed(plain_app: "App") -> "App":
    plain_app.write(app())
    assert plain_app.run("deploy", "--yes").returncode == 0
    return plain_app


def test_a_kept_plan_is_private_and_is_applied(deployed: "App") -> None:
    deployed.write(app(orders="o2"))

    planned = deployed.run("plan", "--out", "plans", "--detailed-exitcode")
    outcomes = deployed.outcomes("deploy", "--plan", "plans", "--yes")

    assert planned.returncode == 2
    assert outcomes == {"network": "unchanged", "orders": "committed"}
    assert stat.S_IMODE((deployed.folder / "plans").stat().st_mode) == 0o700
    assert stat.S_IMODE((deployed.folder / "plans" / "orders.tfplan").stat().st_mode) == 0o600


def test_a_plan_of_another_configuration_is_refused(deployed: "App") -> None:
    deployed.write(app(orders="o2"))
    deployed.run("plan", "--out", "plans")
    deployed.write(app(orders="o3"))

    ran = deployed.run("deploy", "--plan", "plans", "--yes")

    assert ran.returncode == 4
    assert "the plan kept for orders was made from another configuration" in ran.stderr


def test_a_plan_against_another_state_is_refused(deployed: "App") -> None:
    deployed.write(app(orders="o2"))
    deployed.run("plan", "--out", "plans")
    deployed.run("deploy", "--yes")

    ran = deployed.run("deploy", "--plan", "plans", "--yes")

    assert ran.returncode == 4
    assert "made against state serial" in ran.stderr


def test_a_plan_made_from_other_outputs_of_a_shard_above_is_refused(deployed: "App") -> None:
    deployed.write(app(network="n2", orders="o2"))
    deployed.run("plan", "--stack", "orders", "--out", "plans")
    assert deployed.run("deploy", "--stack", "network", "--yes").returncode == 0

    ran = deployed.run("deploy", "--plan", "plans", "--yes")

    assert ran.returncode == 4
    assert "the plan kept for orders was made from other outputs of network" in ran.stderr


def test_a_kept_plan_that_was_tampered_with_is_refused(deployed: "App") -> None:
    deployed.write(app(orders="o2"))
    deployed.run("plan", "--out", "plans")
    (deployed.folder / "plans" / "orders.tfplan").write_bytes(b"something else")

    ran = deployed.run("deploy", "--plan", "plans", "--yes")

    assert ran.returncode == 64
    assert "is not the file that was kept" in ran.stderr


def test_below_an_upstream_that_changes_the_kept_plan_is_made_anew_with_the_new_value(
    deployed: "App",
) -> None:
    deployed.write(app(network="n2"))
    deployed.run("plan", "--out", "plans")

    outcomes = deployed.outcomes("deploy", "--plan", "plans", "--yes")

    (resource,) = [one for one in deployed.state("orders")["resources"] if one["mode"] == "managed"]
    assert outcomes == {"network": "committed", "orders": "committed"}
    assert resource["instances"][0]["attributes"]["input"]["value"] == "o1 n2"


def test_a_plan_without_changes_exits_with_0_even_in_detail(deployed: "App") -> None:
    assert deployed.run("plan", "--detailed-exitcode").returncode == 0


def test_a_first_plan_defers_what_waits_and_counts_as_changes(plain_app: "App") -> None:
    plain_app.write(app())

    ran = plain_app.run("plan", "--detailed-exitcode", "--json", "--markdown", "comment.md")

    shards = {shard["name"]: shard for shard in json.loads(ran.stdout)["shards"]}
    assert ran.returncode == 2
    assert shards["network"]["outcome"] == "changes"
    assert (shards["orders"]["outcome"], shards["orders"]["waits_for"]) == ("deferred", ["network"])
    assert "- `orders` is planned later: waits for `network`" in (plain_app.folder / "comment.md").read_text()
