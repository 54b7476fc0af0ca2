"""What lies in the state bucket is enough, stays as long as was asked for, and lies elsewhere too."""

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tests.terraform.conftest import REGION, key

if TYPE_CHECKING:
    from tests.terraform.conftest import App

SECOND = "eu-central-1"


def shop(**inputs: str) -> dict[str, Any]:
    objects = {name: {"input": value} for name, value in inputs.items()}
    return {"shop": {"resource": {"terraform_data": objects}}}


def keep(app: "App", **keeping: Any) -> None:
    file = app.folder / "cdktf.json"
    document = json.loads(file.read_text())
    document["context"]["holdfast"]["keeping"] = keeping
    file.write_text(json.dumps(document))


def deploy(app: "App", **inputs: str) -> None:
    app.write(shop(**inputs))
    ran = app.run("deploy", "--yes")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def second_bucket(app: "App") -> str:
    name = f"{app.bucket}-copy"
    there: Any = boto3.Session("testing", "testing", region_name=SECOND).client(
        "s3", endpoint_url=app.environ["AWS_ENDPOINT_URL"]
    )
    there.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": SECOND})
    return name


def elsewhere(app: "App", folder: Path) -> "App":
    """Another machine: an empty folder, an empty cache, the same bucket."""
    folder.mkdir()
    environ = {**app.environ, "HOLDFAST_CACHE_DIR": str(folder.with_name(f"{folder.name}-cache"))}
    return replace(app, folder=folder, environ=environ)


def backups(app: "App", bucket: str = "") -> dict[str, bytes]:
    s3, found = app.s3, {}
    listed = s3.list_objects_v2(Bucket=bucket or app.bucket, Prefix="_holdfast/backups/")
    for item in listed.get("Contents", ()):
        body = s3.get_object(Bucket=bucket or app.bucket, Key=item["Key"])["Body"].read()
        found[item["Key"]] = body
    return found


@pytest.mark.long
def test_an_old_state_comes_back_on_a_machine_that_has_nothing_but_the_bucket(
    plain_app: "App", tmp_path: Path
) -> None:
    deploy(plain_app, kept="1", changed="1")
    # Ages in a bucket are whole seconds.
    time.sleep(1.1)
    moment = datetime.now(UTC)
    time.sleep(1.1)
    deploy(plain_app, kept="1", changed="2", fresh="1")
    before = plain_app.state("shop")
    bare = elsewhere(plain_app, tmp_path / "bare")
    where = ("--state-bucket", plain_app.bucket, "--region", REGION)

    listed = bare.run("state", "backups", "shop", *where)
    restored = bare.run(
        *("state", "restore", "shop", "--at", moment.isoformat()),
        "--yes",
        "--confirm",
        "shop-dev-eu-west-1",
        *where,
    )

    assert listed.returncode == 0, listed.stderr
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "terraform_data.fresh" in restored.stdout
    after = plain_app.state("shop")
    assert (after["lineage"], after["serial"]) == (before["lineage"], before["serial"] + 1)
    assert {resource["name"] for resource in after["resources"]} == {"kept", "changed"}
    # What was there before the restore is backed up.
    assert any(json.loads(body).get("serial") == before["serial"] for body in backups(plain_app).values())

    there = elsewhere(plain_app, tmp_path / "there")
    for name in ("app.py", "cdktf.json", "stacks.json"):
        (there.folder / name).write_bytes((plain_app.folder / name).read_bytes())
    planned = there.run("plan", "--verbose")
    deployed = there.run("deploy", "--yes")

    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert re.search(r"1 to add, 1 to change", planned.stdout), planned.stdout
    assert "terraform_data.fresh" in planned.stdout
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert there.run("plan", "--detailed-exitcode").returncode == 0


def test_a_restore_wants_the_shards_name(plain_app: "App") -> None:
    deploy(plain_app, kept="1")
    deploy(plain_app, kept="2")
    oldest = json.loads(plain_app.run("state", "backups", "shop", "--json").stdout)["copies"][-1]
    before = plain_app.state("shop")

    for words in ((), ("--yes",), ("--yes", "--confirm", "orders")):
        refused = plain_app.run("state", "restore", "shop", "--backup", oldest["name"], *words)
        assert refused.returncode in (4, 64), refused.stdout + refused.stderr
        assert "--confirm shop" in refused.stderr

    assert plain_app.state("shop") == before


def test_every_backup_is_copied_to_the_second_bucket_and_encrypted(plain_app: "App") -> None:
    second = second_bucket(plain_app)
    keep(plain_app, copies=[{"bucket": second, "region": SECOND}])
    deploy(plain_app, kept="1")

    deploy(plain_app, kept="2")

    here, there = backups(plain_app), backups(plain_app, second)
    assert here
    assert there == here
    for name in there:
        head = plain_app.s3.head_object(Bucket=second, Key=name)
        assert head["ServerSideEncryption"] == "AES256"


def test_nothing_is_applied_where_the_copy_cannot_be_made(plain_app: "App") -> None:
    deploy(plain_app, kept="1")
    before = plain_app.state("shop")
    keep(plain_app, copies=[{"bucket": f"{plain_app.bucket}-gone", "region": SECOND}])
    plain_app.write(shop(kept="2"))

    ran = plain_app.run("deploy", "--yes")

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert f"{plain_app.bucket}-gone" in ran.stdout + ran.stderr
    assert plain_app.state("shop") == before


@pytest.mark.long
def test_old_backups_go_and_the_newest_stay(plain_app: "App") -> None:
    second = second_bucket(plain_app)
    keep(plain_app, copies=[{"bucket": second, "region": SECOND}], backup_count=2, backup_days=0)
    for number in range(5):
        deploy(plain_app, kept=str(number))
        time.sleep(1.1)

    for bucket in (plain_app.bucket, second):
        states = [name for name in backups(plain_app, bucket) if not name.endswith(".meta.json")]
        assert len(states) == 2


def test_audit_records_end_when_the_settings_say_and_other_rules_stay(plain_app: "App") -> None:
    theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}
    plain_app.s3.put_bucket_lifecycle_configuration(
        Bucket=plain_app.bucket, LifecycleConfiguration={"Rules": [theirs]}
    )
    deploy(plain_app, kept="1")
    assert rules(plain_app) == {"x/": 3, "_holdfast/audit/": 90, "_holdfast/audit-raw/": 90}
    keep(plain_app, audit_days=30)

    deploy(plain_app, kept="2")

    assert rules(plain_app) == {"x/": 3, "_holdfast/audit/": 30, "_holdfast/audit-raw/": 30}
    assert plain_app.run("audit", "verify").returncode == 0


def rules(app: "App") -> dict[str, int]:
    found = app.s3.get_bucket_lifecycle_configuration(Bucket=app.bucket)["Rules"]
    return {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in found}


def test_unredacted_output_is_kept_apart_and_encrypted_where_that_was_asked_for(plain_app: "App") -> None:
    deploy(plain_app, kept="0")
    assert not [name for name in plain_app.object_keys() if name.startswith("_holdfast/audit-raw/")]
    keep(plain_app, unredacted=True)
    deploy(plain_app, kept="1")
    (raw,) = [name for name in plain_app.object_keys() if name.startswith("_holdfast/audit-raw/")]
    assert plain_app.s3.head_object(Bucket=plain_app.bucket, Key=raw)["ServerSideEncryption"] == "AES256"
    keep(plain_app, unredacted=False)

    deploy(plain_app, kept="2")

    kept = [name for name in plain_app.object_keys() if name.startswith("_holdfast/audit-raw/")]
    assert kept == [raw]
    assert len(json.loads(plain_app.run("audit", "--json").stdout)["records"]) == 3


@pytest.mark.long
def test_a_trail_that_was_deleted_whole_is_missed(plain_app: "App") -> None:
    deploy(plain_app, kept="1")
    deploy(plain_app, kept="2")
    assert plain_app.run("audit", "verify").returncode == 0
    runs = [run["run"] for run in json.loads(plain_app.run("runs", "--json").stdout)["runs"]]
    for name in plain_app.object_keys():
        if name.startswith("_holdfast/audit"):
            plain_app.s3.delete_object(Bucket=plain_app.bucket, Key=name)

    emptied = plain_app.run("audit", "verify")
    deploy(plain_app, kept="3")
    begun_anew = plain_app.run("audit", "verify", "--json")

    assert emptied.returncode == 1, emptied.stdout
    assert all(f"no record tells of run {run}" in emptied.stdout for run in runs)
    assert begun_anew.returncode == 1
    assert all(run in begun_anew.stdout for run in runs)


def test_a_run_that_is_taken_up_keeps_what_was_asked_for_and_no_less(plain_app: "App") -> None:
    keep(plain_app, unredacted=False, audit_days=400)
    deploy(plain_app, kept="1")
    plain_app.write(shop(kept="2"))
    dying = replace(plain_app, environ={**plain_app.environ, "HOLDFAST_CRASH_AT": "applying:after"})
    assert dying.run("deploy", "--yes").returncode == 137
    (run, *_) = json.loads(plain_app.run("runs", "--json").stdout)["runs"]

    resumed = plain_app.run("resume", run["run"])

    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert not [key for key in plain_app.object_keys() if "audit-raw" in key]
    assert rules(plain_app)["_holdfast/audit/"] == 400


def test_a_misspelt_setting_is_an_error(plain_app: "App") -> None:
    keep(plain_app, backup_dayz=3)
    plain_app.write(shop(kept="1"))

    ran = plain_app.run("deploy", "--yes")

    assert ran.returncode == 64
    assert "backup_dayz" in ran.stderr
    assert key("shop") not in plain_app.object_keys()
