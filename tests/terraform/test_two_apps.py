"""Two apps in one bucket: neither takes the shards of the other for its own, whatever is asked of it."""

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

PLACE = "123456789012/eu-west-1/dev"


def stacks(*names: str, value: str = "v1") -> dict[str, Any]:
    return {
        name: {
            "resource": {"terraform_data": {f"of_{value}": {"input": value}}},
            "output": {"v": {"value": value}},
        }
        for name in names
    }


def named(app: "App", project: str | None) -> "App":
    """A copy of the app, in a folder of its own, under this projectId (None: the folder's name)."""
    folder = app.folder.parent / f"app-{project or 'unnamed'}"
    shutil.copytree(app.folder, folder, ignore=shutil.ignore_patterns("cdktf.out", ".holdfast"))
    settings = json.loads((folder / "cdktf.json").read_text())
    if project is not None:
        settings["projectId"] = project
    (folder / "cdktf.json").write_text(json.dumps(settings))
    return replace(app, folder=folder)


def addresses(app: "App", service: str) -> list[str]:
    return [f"{one['type']}.{one['name']}" for one in app.state(service)["resources"]]


def bodies(app: "App") -> dict[str, bytes]:
    """Everything that says what a shard is."""
    kept = [
        key
        for key in app.object_keys()
        if not key.startswith(("_holdfast/runs", "_holdfast/audit", "_holdfast/leases"))
    ]
    return {key: app.s3.get_object(Bucket=app.bucket, Key=key)["Body"].read() for key in kept}


@pytest.fixture
def two(plain_app: "App") -> tuple["App", "App"]:
    """`first` has deployed `network`; `second` has a stack of that name too."""
    first, second = named(plain_app, "first"), named(plain_app, "second")
    first.write(stacks("network"))
    second.write(stacks("network", "own", value="v2"))
    assert first.outcomes("deploy", "--yes") == {"network": "committed"}
    return first, second


@pytest.mark.long
def test_another_apps_shard_is_refused_by_every_command_and_stays_as_it_is(two: tuple["App", "App"]) -> None:
    first, second = two
    before = bodies(first)
    run = json.loads(first.run("runs", "--json").stdout)["runs"][0]["run"]

    for argv in (
        ("plan",),
        ("deploy", "--yes"),
        ("deploy", "--yes", "--rebaseline"),
        ("deploy", "--yes", "--take-over-app", "third"),
        ("destroy", "--yes", "--stack", "network"),
        ("rollback", "network", "--yes"),
        ("state", "restore", "network", "--at", "2030-01-01T00:00Z", "--yes", "--confirm", "network"),
    ):
        ran = second.run(*argv)

        assert ran.returncode == 4, (argv, ran.stdout, ran.stderr)
        told = ran.stdout + ran.stderr
        assert "is of app 'first'" in told, argv
        assert run in told, argv
        assert "--take-over-app first" in told, argv
        # An app of several environments must be told which.
        assert "holdfast deploy --env dev --take-over-app first" in told or argv[0] == "state", argv

    kept = bodies(first)
    assert {key: kept[key] for key in before} == before
    assert first.outcomes("deploy", "--yes", "--refresh") == {"network": "unchanged"}


def test_the_shards_that_are_its_own_are_deployed_beside_it(two: tuple["App", "App"]) -> None:
    first, second = two

    assert second.outcomes("deploy", "--yes") == {"network": "blocked", "own": "committed"}
    assert addresses(first, "network") == ["terraform_data.of_v1"]


def test_an_app_that_was_renamed_takes_its_shards_over_once(two: tuple["App", "App"]) -> None:
    first, _ = two
    renamed = named(first, "renamed")

    assert renamed.run("plan").returncode == 4
    assert renamed.run("plan", "--take-over-app", "first").returncode == 0
    assert renamed.outcomes("deploy", "--yes", "--take-over-app", "first") == {"network": "unchanged"}
    assert renamed.outcomes("deploy", "--yes") == {"network": "unchanged"}
    assert first.run("deploy", "--yes").returncode == 4


@pytest.mark.long
def test_an_app_without_a_project_id_goes_by_its_folder_or_by_what_it_declares(plain_app: "App") -> None:
    unnamed = named(plain_app, None)
    three = {name: {"input": name} for name in ("of_v1", "main", "policy")}
    unnamed.write({"network": {"resource": {"terraform_data": three}}})
    assert unnamed.outcomes("deploy", "--yes") == {"network": "committed"}

    plain_app.write(stacks("network"))
    shares_one_address_only = plain_app.run("plan")
    plain_app.write(stacks("network", value="v2"))
    other = plain_app.run("deploy", "--yes")
    plain_app.write({"network": {"resource": {"terraform_data": {**three, "policy": {"input": "new"}}}}})
    checked_out_elsewhere = plain_app.run("plan", "--json")
    plain_app.write(stacks("network", value="v2"))
    settings = json.loads((plain_app.folder / "cdktf.json").read_text())
    (plain_app.folder / "cdktf.json").write_text(json.dumps({**settings, "projectId": "app-unnamed"}))
    told_its_name = plain_app.outcomes("deploy", "--yes")

    assert shares_one_address_only.returncode == 4
    assert other.returncode == 4
    assert "is of app 'app-unnamed'" in other.stdout + other.stderr
    assert checked_out_elsewhere.returncode == 0
    assert told_its_name == {"network": "committed"}


def test_records_that_name_no_app_are_taken_for_this_ones_and_name_it_from_then_on(
    two: tuple["App", "App"],
) -> None:
    first, second = two
    for kind in ("states", "last-good"):
        key = f"_holdfast/{kind}/network/{PLACE}.json"
        record = json.loads(first.s3.get_object(Bucket=first.bucket, Key=key)["Body"].read())
        del record["project"]
        first.s3.put_object(Bucket=first.bucket, Key=key, Body=json.dumps(record).encode())

    first.write(stacks("network", value="v3"))
    assert first.outcomes("deploy", "--yes") == {"network": "committed"}
    assert second.run("deploy", "--yes", "--stack", "network").returncode == 4


@pytest.mark.long
def test_another_shards_state_is_refused_also_when_asked_to_take_it_for_the_truth(plain_app: "App") -> None:
    plain_app.write(stacks("a") | stacks("b", value="w1"))
    assert plain_app.outcomes("deploy", "--yes") == {"a": "committed", "b": "committed"}
    plain_app.write(stacks("a", value="v2") | stacks("b", value="w1"))
    assert plain_app.outcomes("deploy", "--yes") == {"a": "committed", "b": "unchanged"}
    keys = {name: f"{name}/{PLACE}/terraform.tfstate" for name in "ab"}
    copy = {"Bucket": plain_app.bucket, "Key": keys["b"]}
    plain_app.s3.copy_object(Bucket=plain_app.bucket, Key=keys["a"], CopySource=copy)

    for argv in (
        ("plan",),
        ("deploy", "--yes"),
        ("deploy", "--yes", "--rebaseline"),
        ("destroy", "--yes", "--rebaseline", "--stack", "a"),
    ):
        ran = plain_app.run(*argv)
        assert ran.returncode == 4, (argv, ran.stdout, ran.stderr)
        assert f"which is that of b/{PLACE}" in ran.stdout + ran.stderr
    copies = json.loads(plain_app.run("state", "backups", "a", "--json").stdout)["copies"]
    backup = next(copy["name"] for copy in copies if copy["kind"] == "backup")
    restored = plain_app.run("state", "restore", "a", "--backup", backup, "--yes", "--confirm", "a")

    assert addresses(plain_app, "b") == ["terraform_data.of_w1"]
    assert restored.returncode == 0, restored.stderr
    assert addresses(plain_app, "a") == ["terraform_data.of_v1"], "its own state comes back"
