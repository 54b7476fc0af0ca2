"""A deploy that fails undoes itself: real Terraform, the real command line, an AWS on loopback."""

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

SHARD = "shop"


def data(**blocks: str) -> dict[str, Any]:
    return {name: {"input": value} for name, value in blocks.items()}


def version(resources: dict[str, Any], *, fails: bool = False) -> dict[str, Any]:
    """A version of the app; one that fails does so after everything else was made."""
    broken = {
        "depends_on": [f"terraform_data.{name}" for name in resources],
        "provisioner": [{"local-exec": {"command": "echo no luck today >&2; exit 3"}}],
    }
    return {SHARD: {"resource": {"terraform_data": {**resources, **({"broken": broken} if fails else {})}}}}


def inputs(app: "App") -> dict[str, str]:
    """What the state knows: the input of each terraform_data."""
    return {
        resource["name"]: resource["instances"][0]["attributes"]["input"]["value"]
        for resource in app.state(SHARD)["resources"]
        if resource["mode"] == "managed"
    }


def deployed(app: "App", stacks: dict[str, Any], *words: str) -> tuple[int, dict[str, Any]]:
    app.write(stacks)
    ran = app.run("deploy", "--yes", "--json", *words)
    (shard,) = json.loads(ran.stdout)["shards"]
    return ran.returncode, shard


def journal(app: "App", run: str) -> list[str]:
    prefix = f"_holdfast/runs/{run}/journal/{SHARD}/"
    entries = [
        json.loads(line)
        for key in app.object_keys()
        if key.startswith(prefix)
        for line in app.s3.get_object(Bucket=app.bucket, Key=key)["Body"].read().splitlines()
    ]
    return [f"{entry['phase']}:{entry['edge']}" for entry in entries]


def held(app: "App") -> bool:
    body = app.s3.get_object(
        Bucket=app.bucket, Key=f"_holdfast/leases/{SHARD}/123456789012/eu-west-1/dev.json"
    )
    return bool(json.loads(body["Body"].read())["held"])


def test_a_half_done_deploy_is_undone_and_says_so(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1", changed="1", gone="1")))

    code, shard = deployed(plain_app, version(data(kept="1", changed="2", fresh="1"), fails=True))

    assert (code, shard["outcome"]) == (5, "rolled_back"), shard
    assert inputs(plain_app) == {"kept": "1", "changed": "1", "gone": "1"}
    assert "re-applied, verified" in shard["reason"]
    assert "exit status 3" in shard["reason"] + " ".join(shard["evidence"])
    assert not held(plain_app)
    assert plain_app.run("plan", "--detailed-exitcode").returncode == 2


def test_after_a_rollback_the_mended_version_is_deployed(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1")))
    deployed(plain_app, version(data(kept="2", fresh="1"), fails=True))

    code, shard = deployed(plain_app, version(data(kept="2", fresh="1")))

    assert (code, shard["outcome"]) == (0, "committed"), shard
    assert inputs(plain_app) == {"kept": "2", "fresh": "1"}


def test_a_first_deploy_that_fails_is_kept_and_the_next_one_goes_on(plain_app: "App") -> None:
    code, shard = deployed(plain_app, version(data(fresh="1"), fails=True))

    assert (code, shard["outcome"]) == (1, "failed"), shard
    assert "fresh" in inputs_or_tainted(plain_app)
    assert any("the next deploy goes on from here" in line for line in shard["evidence"])
    assert deployed(plain_app, version(data(fresh="1")))[0] == 0
    assert inputs(plain_app) == {"fresh": "1"}


def test_a_first_deploy_can_be_told_to_clean_up_after_itself(plain_app: "App") -> None:
    code, shard = deployed(
        plain_app, version(data(fresh="1"), fails=True), "--on-first-failure", "destroy-created"
    )

    assert (code, shard["outcome"]) == (5, "rolled_back"), shard
    assert plain_app.state(SHARD)["resources"] == []


def test_without_rollback_what_was_done_stays(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1")))

    code, shard = deployed(plain_app, version(data(kept="2", fresh="1"), fails=True), "--no-rollback")

    assert (code, shard["outcome"]) == (1, "failed"), shard
    assert {"kept", "fresh"} <= set(inputs_or_tainted(plain_app))


def test_what_an_earlier_kept_failure_made_is_undone_too(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1")))
    deployed(plain_app, version(data(kept="2", first="1"), fails=True), "--no-rollback")

    code, shard = deployed(plain_app, version(data(kept="3", first="1", second="1"), fails=True))

    assert (code, shard["outcome"]) == (5, "rolled_back"), shard
    assert inputs(plain_app) == {"kept": "1"}


def test_deletes_come_last_and_in_a_stage_of_their_own(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1", gone="1")))

    plain_app.write(version(data(kept="2")))
    ran = plain_app.run("deploy", "--yes", "--json")

    phases = journal(plain_app, json.loads(ran.stdout)["run"])
    assert ran.returncode == 0
    assert inputs(plain_app) == {"kept": "2"}
    first, last = (place for place, phase in enumerate(phases) if phase == "verify:before")
    assert first < phases.index("health:after") < phases.index("contract:before") < last


def test_an_unchanged_deploy_writes_no_journal_and_no_backup(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1")))
    before = set(plain_app.object_keys())

    code, shard = deployed(plain_app, version(data(kept="1")))

    fresh = {key for key in plain_app.object_keys() if key not in before}
    assert (code, shard["outcome"]) == (0, "unchanged")
    assert {key.split("/")[1] for key in fresh} <= {"audit", "audit-raw", "runs"}
    assert not any("journal" in key for key in fresh)


def test_a_destroy_goes_through_lease_backup_and_journal(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1")))

    ran = plain_app.run("destroy", "--yes", "--json")

    (shard,) = json.loads(ran.stdout)["shards"]
    assert (ran.returncode, shard["outcome"]) == (0, "committed"), ran.stderr
    assert shard["backup"] in plain_app.object_keys()
    assert "promoted:after" in journal(plain_app, json.loads(ran.stdout)["run"])
    assert plain_app.state(SHARD)["resources"] == []
    assert not held(plain_app)
    assert deployed(plain_app, version(data(kept="1")))[1]["outcome"] == "committed"


def test_a_state_that_somebody_else_wrote_is_not_planned_against(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1")))
    key = f"{SHARD}/123456789012/eu-west-1/dev/terraform.tfstate"
    state = plain_app.state(SHARD)
    state["serial"] += 1
    plain_app.s3.put_object(Bucket=plain_app.bucket, Key=key, Body=json.dumps(state))

    code, shard = deployed(plain_app, version(data(kept="2")))

    assert (code, shard["outcome"]) == (4, "blocked"), shard
    assert "newer than recorded" in shard["reason"]
    assert inputs(plain_app) == {"kept": "1"}
    assert deployed(plain_app, version(data(kept="2")), "--rebaseline")[0] == 0


def inputs_or_tainted(app: "App") -> set[str]:
    return {resource["name"] for resource in app.state(SHARD)["resources"]}


def killed_at(app: "App", point: str, stacks: dict[str, Any]) -> str:
    """Deploy with a runner that dies there; returns its run."""
    app.write(stacks)
    environ = {**app.environ, "HOLDFAST_CRASH_AT": point}
    ran = subprocess.run(
        app.argv("deploy", "--yes"), cwd=app.folder, env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 137, ran.stderr
    runs = json.loads(app.run("runs", "--json").stdout)["runs"]
    return str(runs[0]["run"])


def later(*points: str) -> list[Any]:
    return [pytest.param(point, marks=pytest.mark.long) for point in points]


# Three moments each, of which the quick run has one; the fault catalogue (row 01) plays every one, with a
# real provider.
@pytest.mark.parametrize("point", [*later("applying:before", "promoted:before"), "applying:after"])
def test_a_run_that_died_on_its_way_forward_is_brought_to_its_end(plain_app: "App", point: str) -> None:
    deployed(plain_app, version(data(kept="1", gone="1")))
    run = killed_at(plain_app, point, version(data(kept="2", fresh="1")))

    resumed = plain_app.run("resume", run, "--json")

    (shard,) = json.loads(resumed.stdout)["shards"]
    begun = point != "applying:before"
    assert shard["outcome"] in (("committed",) if begun else ("failed", "rolled_back")), resumed.stdout
    assert inputs(plain_app) == ({"kept": "2", "fresh": "1"} if begun else {"kept": "1", "gone": "1"})
    assert not held(plain_app)
    assert deployed(plain_app, version(data(kept="3")))[0] == 0


@pytest.mark.parametrize("point", later("rb_planned:after", "rb_applying:after", "rolled_back:before"))
def test_a_run_that_died_while_it_was_undone_is_undone(plain_app: "App", point: str) -> None:
    deployed(plain_app, version(data(kept="1", gone="1")))
    run = killed_at(plain_app, point, version(data(kept="2", fresh="1"), fails=True))

    resumed = plain_app.run("resume", run, "--json")

    (shard,) = json.loads(resumed.stdout)["shards"]
    assert shard["outcome"] == "rolled_back", resumed.stdout
    assert inputs(plain_app) == {"kept": "1", "gone": "1"}
    assert not held(plain_app)
    assert deployed(plain_app, version(data(kept="3")))[0] == 0


@pytest.mark.parametrize("point", later("rb_applying:before", "rb_applying:after", "rb_verify:before"))
def test_accept_forward_undoes_no_more_of_a_run_that_died_rolling_back(plain_app: "App", point: str) -> None:
    deployed(plain_app, version(data(kept="1", gone="1")))
    run = killed_at(plain_app, point, version(data(kept="2", fresh="1"), fails=True))
    there = inputs_or_tainted(plain_app)

    resumed = plain_app.run("resume", run, "--accept-forward", "--json")

    (shard,) = json.loads(resumed.stdout)["shards"]
    assert shard["outcome"] == "failed", resumed.stdout
    assert inputs_or_tainted(plain_app) == there
    assert not held(plain_app)
    assert deployed(plain_app, version(data(kept="2", fresh="1")))[1]["outcome"] == "committed"


def versioned(app: "App") -> None:
    app.s3.put_bucket_versioning(Bucket=app.bucket, VersioningConfiguration={"Status": "Enabled"})


def test_a_shard_goes_back_by_hand_and_forward_again(plain_app: "App") -> None:
    versioned(plain_app)
    deployed(plain_app, version(data(kept="1", gone="1")))
    deployed(plain_app, version(data(kept="2", fresh="1")))

    ran = plain_app.run("rollback", SHARD, "--yes", "--json")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert inputs(plain_app) == {"kept": "1", "gone": "1"}
    code, shard = deployed(plain_app, version(data(kept="2", fresh="1")))
    assert (code, "rolled back from by hand" in shard["reason"]) == (4, True), shard
    assert inputs(plain_app) == {"kept": "1", "gone": "1"}
    command = shard["next_step"].rpartition(": ")[2]
    forward = plain_app.run(*shlex.split(command)[1:], "--yes")
    assert forward.returncode == 0, forward.stdout + forward.stderr
    assert inputs(plain_app) == {"kept": "2", "fresh": "1"}


@pytest.mark.long
def test_after_a_destroy_a_rollback_brings_the_last_good_deployment_back(plain_app: "App") -> None:
    versioned(plain_app)
    for kept in ("1", "2"):
        deployed(plain_app, version(data(kept=kept)))
    assert plain_app.run("rollback", SHARD, "--yes").returncode == 0
    ran = plain_app.run("destroy", "--yes", "--json")
    destroyed = json.loads(ran.stdout)["run"]

    refused = plain_app.run("rollback", SHARD, "--to", destroyed, "--yes", "--json")
    back = plain_app.run("rollback", SHARD, "--yes", "--json")

    assert refused.returncode == 64
    error = json.loads(refused.stdout)["shards"][0]
    assert f"run {destroyed} destroyed {SHARD}" in error["reason"]
    assert back.returncode == 0, back.stdout + back.stderr
    assert inputs(plain_app) == {"kept": "1"}
    named = plain_app.run(*shlex.split(error["next_step"])[1:], "--yes")
    assert named.returncode == 0, named.stdout + named.stderr


@pytest.mark.long
def test_a_rollback_after_a_rollback_goes_further_back_and_not_to_what_was_bad(plain_app: "App") -> None:
    versioned(plain_app)
    for kept in ("0", "1", "2"):
        deployed(plain_app, version(data(kept=kept)))

    first = plain_app.run("rollback", SHARD, "--yes")
    after_one = inputs(plain_app)
    second = plain_app.run("rollback", SHARD, "--yes")
    after_two = inputs(plain_app)
    third = plain_app.run("rollback", SHARD, "--yes", "--json")

    assert (first.returncode, second.returncode, third.returncode) == (0, 0, 64), third.stdout
    assert (after_one, after_two) == ({"kept": "1"}, {"kept": "0"})
    code, shard = deployed(plain_app, version(data(kept="1")))
    assert (code, "rolled back from by hand" in shard["reason"]) == (4, True), shard


def test_a_shard_goes_back_by_hand_past_a_failure_that_was_rolled_back(plain_app: "App") -> None:
    versioned(plain_app)
    deployed(plain_app, version(data(kept="1")))
    deployed(plain_app, version(data(kept="2")))
    failed, _ = deployed(plain_app, version(data(kept="3"), fails=True))
    assert failed == 5

    ran = plain_app.run("rollback", SHARD, "--yes", "--json")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert inputs(plain_app) == {"kept": "1"}


def test_a_deployment_that_is_not_there_to_go_back_to_is_wrong_usage(plain_app: "App") -> None:
    deployed(plain_app, version(data(kept="1")))

    ran = plain_app.run("rollback", SHARD, "--to", "01WRONG", "--yes")

    assert ran.returncode == 64, ran.stdout + ran.stderr
    assert "has no good deployment '01WRONG'" in ran.stdout


def two(value: str, *, fails: bool = False) -> dict[str, Any]:
    """An upstream whose output its dependent uses."""
    reference = "${data.terraform_remote_state.cross-stack-reference-input-base.outputs.value}"
    shop = version({"made": {"input": f"{value} on {reference}"}}, fails=fails)[SHARD]
    base = version(data(made=value))[SHARD] | {"output": {"value": {"value": value}}}
    return {"base": base, SHARD: shop | {"dependencies": ["base"]}}


def test_all_or_nothing_takes_the_committed_shards_back_too(plain_app: "App") -> None:
    versioned(plain_app)
    plain_app.write(two("1"))
    assert plain_app.run("deploy", "--yes").returncode == 0
    plain_app.write(two("2", fails=True))

    ran = plain_app.run("deploy", "--yes", "--atomic", "--json")

    assert ran.returncode == 5, ran.stdout + ran.stderr
    outcomes = {shard["name"]: shard["outcome"] for shard in json.loads(ran.stdout)["shards"]}
    assert outcomes == {"base": "rolled_back", SHARD: "rolled_back"}, ran.stdout + ran.stderr
    assert inputs(plain_app) == {"made": "1 on 1"}
    assert plain_app.state("base")["outputs"]["value"]["value"] == "1"
