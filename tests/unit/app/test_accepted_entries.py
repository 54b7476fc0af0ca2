"""Entries of `accepted_differences` as cdktf.json and holdfast.json have them: read, or one clear error."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.foreign import ForeignDefaults
from holdfast_orchestrator.app.manifest import Manifest
from holdfast_orchestrator.app.manifest_loader import load_manifest
from holdfast_orchestrator.app.project_file import ForeignSettings, read_project_file
from holdfast_orchestrator.errors import SettingsError

SETTINGS = ForeignSettings(state_bucket="states", region="eu-west-1", environment="dev", account="1" * 12)
GOOD = {"resource": "aws_ssm_parameter.p", "attribute": "tags.stamp", "reason": "a stamp", "owner": "core"}


def load(folder: Path, accepted: Any, own: list[Any] | None = None) -> Manifest:
    (folder / "a").mkdir(exist_ok=True)
    backend: dict[str, Any] = {"local": {"path": "/x/terraform.a.tfstate"}}
    if own is not None:
        backend = {"s3": {"bucket": "states", "key": "a/111111111111/eu-west-1/dev/terraform.tfstate"}}
    (folder / "a" / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}}))
    stacks = {"a": {"synthesizedStackPath": "a/cdk.tf.json", "workingDirectory": "a"}}
    (folder / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": stacks}))
    if own is not None:
        shard = {
            "service": "a",
            "environment": "dev",
            "account": "1" * 12,
            "region": "eu-west-1",
            "state": {**backend["s3"], "region": "eu-west-1"},
            "accepted_differences": own,
        }
        document = {"schema": "holdfast/deployment-manifest/v1", "shards": {"a": shard}}
        (folder / "holdfast.json").write_text(json.dumps(document))
    defaults = ForeignDefaults(
        settings=SETTINGS,
        options=ForeignSettings(),
        find_account=lambda _region, _cloud: "1" * 12,
        accepted_differences=accepted,
    )
    return load_manifest(folder, defaults)


def test_entries_of_both_files_count_each_for_its_stacks(tmp_path: Path) -> None:
    own = {**GOOD, "attribute": "policy", "expires": "2027-01-31", "same": "json"}

    (shard,) = load(tmp_path, [GOOD, {**GOOD, "stack": "a*"}], own=[own]).shards

    assert [entry.attribute for entry in shard.accepted_differences] == ["policy", "tags.stamp", "tags.stamp"]
    assert shard.accepted_differences[0].to_json() == own


def test_cdktf_json_hands_the_entries_on(tmp_path: Path) -> None:
    context = {"holdfast": {"accepted_differences": [GOOD]}}
    (tmp_path / "cdktf.json").write_text(json.dumps({"app": "x", "context": context}))

    assert read_project_file(tmp_path).accepted_differences == [GOOD]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({}, "accepted_differences"),
        ("all of them", "accepted_differences"),
        ([{name: text for name, text in GOOD.items() if name != "resource"}], "0.resource: Field required"),
        ([{name: text for name, text in GOOD.items() if name != "owner"}], "0.owner: Field required"),
        ([{**GOOD, "reason": " "}], "0.reason"),
        ([GOOD, {**GOOD, "attribute": "tags["}], r"1.attribute: .*'tags\['"),
        ([{**GOOD, "attribute": "*"}], "begins with an attribute's name"),
        ([{**GOOD, "expires": "soon"}], "0.expires"),
        ([{**GOOD, "same": "yaml"}], "0.same"),
        ([{**GOOD, "until": "x"}], "0.until"),
        ([{**GOOD, "stack": "nil"}], "there is no stack 'nil'; there are: a"),
    ],
)
def test_a_malformed_entry_is_one_clear_error(tmp_path: Path, given: Any, word: str) -> None:
    with pytest.raises(SettingsError, match=word) as raised:
        load(tmp_path, given)

    assert raised.value.what.startswith("cdktf.json: context.holdfast.accepted_differences")
    assert raised.value.next_step
    assert len(raised.value.what.splitlines()) == 1


def test_a_malformed_entry_of_holdfast_json_is_one_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holdfast.json: .*accepted_differences.0.owner"):
        load(tmp_path, None, own=[{name: text for name, text in GOOD.items() if name != "owner"}])
