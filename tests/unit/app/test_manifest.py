import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.foreign import ForeignDefaults
from holdfast_orchestrator.app.manifest import Manifest
from holdfast_orchestrator.app.manifest_loader import load_manifest
from holdfast_orchestrator.app.project_file import ForeignSettings
from holdfast_orchestrator.errors import SettingsError

ENTRY = {
    "service": "orders",
    "environment": "prod",
    "account": "210987654321",
    "region": "eu-west-1",
    "state": {
        "bucket": "acme-state",
        "key": "orders/210987654321/eu-west-1/prod/terraform.tfstate",
        "region": "eu-central-1",
    },
    "protected": ["aws_db_instance.db"],
    "sources": {
        "aws_db_instance.db": {"path": "orders/db", "construct": 'Postgres "db"', "file": "o.py", "line": 3}
    },
}


def nobody(_region: str, _cloud: str) -> str:
    raise AssertionError("the account must not be asked for")


DEFAULTS = ForeignDefaults(settings=ForeignSettings(), options=ForeignSettings(), find_account=nobody)


def app(outdir: Path, stacks: dict[str, list[str]], described: Any = None) -> Path:
    manifest: dict[str, Any] = {"version": "0.21.0", "stacks": {}}
    entries = described.get("shards", {}) if isinstance(described, dict) else {}
    for name, dependencies in stacks.items():
        folder = outdir / "stacks" / name
        folder.mkdir(parents=True)
        entry = entries.get(name)
        state = entry.get("state", {}) if isinstance(entry, dict) else {}
        (folder / "cdk.tf.json").write_text(json.dumps(in_s3(state)))
        manifest["stacks"][name] = {
            "name": name,
            "dependencies": dependencies,
            "workingDirectory": f"stacks/{name}",
            "synthesizedStackPath": f"stacks/{name}/cdk.tf.json",
        }
    (outdir / "manifest.json").write_text(json.dumps(manifest))
    if described is not None:
        (outdir / "holdfast.json").write_text(json.dumps(described))
    return outdir


def test_what_is_to_be_kept_is_not_said_in_a_place_that_nobody_reads(tmp_path: Path) -> None:
    described = {"schema": "holdfast/deployment-manifest/v1", "shards": {"orders-prod-eu-west-1": ENTRY}}
    outdir = app(tmp_path, {"orders-prod-eu-west-1": []}, described)

    with pytest.raises(
        SettingsError, match=r"context\.holdfast\.keeping is for an app that writes no holdfast"
    ):
        load_manifest(outdir, replace(DEFAULTS, keeping={"audit_dayz": 1}))


def in_s3(state: dict[str, str]) -> dict[str, Any]:
    return {"terraform": {"backend": {"s3": state}}}


def described(**shards: object) -> dict[str, object]:
    return {"schema": "holdfast/deployment-manifest/v1", "generator": "test", "shards": shards}


def load(outdir: Path, defaults: ForeignDefaults = DEFAULTS) -> Manifest:
    return load_manifest(outdir, defaults)


def test_a_shard_is_what_both_manifests_say(tmp_path: Path) -> None:
    manifest = load(app(tmp_path, {"orders": []}, described(orders=ENTRY)))

    (orders,) = manifest.shards
    assert orders.state.bucket == "acme-state"
    assert orders.state.region == "eu-central-1"
    assert json.loads(orders.configuration) == in_s3(ENTRY["state"])  # type: ignore[arg-type]
    assert orders.guarded == ("aws_db_instance.db",)
    assert orders.sources["aws_db_instance.db"].construct == 'Postgres "db"'


def test_nothing_is_guarded_in_environment_local(tmp_path: Path) -> None:
    state = {**ENTRY["state"], "key": "orders/210987654321/eu-west-1/local/terraform.tfstate"}  # type: ignore[dict-item]
    entry = {**ENTRY, "environment": "local", "cloud": "local", "state": state}

    manifest = load(app(tmp_path, {"orders": []}, described(orders=entry)))

    assert manifest.shards[0].guarded == ()


def test_what_a_newer_app_writes_is_read_all_the_same(tmp_path: Path) -> None:
    document = {**described(orders={**ENTRY, "invented_later": 1}), "also_later": True}

    assert load(app(tmp_path, {"orders": []}, document)).shards[0].service == "orders"


def with_entry(**changes: object) -> dict[str, object]:
    return described(orders={**ENTRY, **changes})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {**described(orders=ENTRY), "schema": "holdfast/deployment-manifest/v2"},
            "schema: .*v1.*got '.*v2'",
        ),
        (with_entry(account="21098"), "orders: account must be 12 digits, got '21098'"),
        (with_entry(service="../etc"), "service must be .*, got '../etc'"),
        (with_entry(environment="dev"), "state.key must be 'orders/210987654321/eu-west-1/dev/"),
        (with_entry(cloud="moon"), "shards.orders.cloud: .*got 'moon'"),
        (described(), "do not name the same stacks: orders"),
        (described(orders=ENTRY, ghost=ENTRY), "do not name the same stacks: ghost"),
    ],
)
def test_what_is_not_allowed_is_an_error_that_names_file_and_field(
    tmp_path: Path, document: object, message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as raised:
        load(app(tmp_path, {"orders": []}, document))

    assert "holdfast.json" in str(raised.value)


def test_two_shards_never_share_a_state(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'one' and 'two' would share the state"):
        load(app(tmp_path, {"one": [], "two": []}, described(one=ENTRY, two=ENTRY)))


@pytest.mark.parametrize("name", ["../evil", "a/b", "..", "a\x1bb", "", "x" * 256])
def test_a_stack_name_that_would_lead_elsewhere_is_refused_before_any_path_is_made(
    tmp_path: Path, name: str
) -> None:
    stack = {"name": name, "workingDirectory": "x", "synthesizedStackPath": "x/cdk.tf.json"}
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": {name: stack}}))

    with pytest.raises(SettingsError, match="a stack's name must be"):
        load(tmp_path)


def test_a_configuration_outside_the_output_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    outdir = tmp_path / "cdktf.out"
    outdir.mkdir()
    stack = {"name": "a", "workingDirectory": "..", "synthesizedStackPath": "../secret.json"}
    (outdir / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": {"a": stack}}))

    with pytest.raises(SettingsError, match="leads out of"):
        load(outdir)


def test_an_app_that_was_never_synthesized_is_told_how(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holdfast synth"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("terraform", "found"),
    [
        ({}, "none"),
        ({"backend": {"local": {"path": "terraform.tfstate"}}}, "local"),
        (in_s3({"bucket": "acme-state", "key": "elsewhere"})["terraform"], "s3://acme-state/elsewhere"),
        (in_s3({"bucket": "other", "key": ENTRY["state"]["key"]})["terraform"], "s3://other/orders/"),  # type: ignore[index]
    ],
    ids=["none", "local", "key", "bucket"],
)
def test_a_stack_that_keeps_its_state_elsewhere_is_refused(
    tmp_path: Path, terraform: dict[str, Any], found: str
) -> None:
    outdir = app(tmp_path, {"orders": []}, described(orders=ENTRY))
    (outdir / "stacks" / "orders" / "cdk.tf.json").write_text(json.dumps({"terraform": terraform}))

    with pytest.raises(SettingsError, match=f"own backend must be s3://acme-state/orders/.*, got {found}"):
        load(outdir)


def test_a_configuration_that_is_no_json_is_named(tmp_path: Path) -> None:
    outdir = app(tmp_path, {"orders": []}, described(orders=ENTRY))
    (outdir / "stacks" / "orders" / "cdk.tf.json").write_text("{")

    with pytest.raises(SettingsError, match=r"orders/cdk.tf.json is not valid JSON"):
        load(outdir)


@pytest.mark.parametrize("broken", ["manifest.json", "holdfast.json"])
def test_a_file_that_is_no_json_is_named(tmp_path: Path, broken: str) -> None:
    outdir = app(tmp_path, {"orders": []}, described(orders=ENTRY))
    (outdir / broken).write_text("{")

    with pytest.raises(SettingsError, match=f"{broken}: not valid JSON"):
        load(outdir)


def test_shards_stand_in_dependency_order(tmp_path: Path) -> None:
    entries: dict[str, object] = {}
    for service in ("a", "b", "c"):
        key = f"{service}/210987654321/eu-west-1/prod/terraform.tfstate"
        entries[service] = {**ENTRY, "service": service, "state": {**ENTRY["state"], "key": key}}  # type: ignore[dict-item]

    manifest = load(app(tmp_path, {"a": ["c"], "b": [], "c": ["b"]}, described(**entries)))

    assert [shard.name for shard in manifest.shards] == ["b", "c", "a"]


def test_a_state_that_cdktf_left_in_a_file_is_noted_for_an_app_of_ours_too(tmp_path: Path) -> None:
    described = {"schema": "holdfast/deployment-manifest/v1", "shards": {"orders-prod-eu-west-1": ENTRY}}
    outdir = app(tmp_path / "out", {"orders-prod-eu-west-1": []}, described)
    topic = {"mode": "managed", "type": "aws_sns_topic", "name": "x", "instances": [{"attributes": {}}]}
    left = {"version": 4, "serial": 3, "lineage": "l", "outputs": {}, "resources": [topic]}
    file = tmp_path / "terraform.orders-prod-eu-west-1.tfstate"

    (before,) = load_manifest(outdir, replace(DEFAULTS, folder=tmp_path)).shards
    file.write_text(json.dumps(left))
    (beside,) = load_manifest(outdir, replace(DEFAULTS, folder=tmp_path)).shards

    assert before.elsewhere is None
    assert beside.elsewhere is not None
    assert (beside.elsewhere.place, beside.elsewhere.serial) == (str(file), 3)
