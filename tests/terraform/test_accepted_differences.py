"""A difference that never settles, accepted by name: with real Terraform, as apps meet them."""

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import App

PROVIDER = {"aws": {"region": "eu-west-1", "max_retries": 2}}
REQUIRED = {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}


def stamped(fixed: str = "one", *, fails: bool = False, keeps: bool = True) -> dict[str, Any]:
    """A stack whose `stamp` differs after every apply."""
    resources: dict[str, Any] = {"stamp": {"input": {"at": "${timestamp()}", "fixed": fixed}}}
    if keeps:
        resources["old"] = {"input": "old"}
    if fails:
        resources["bad"] = {
            "input": "bad",
            "provisioner": [{"local-exec": {"command": "exit 3"}}],
            "depends_on": ["terraform_data.stamp"],
        }
    return {"always": {"resource": {"terraform_data": resources}}}


def accept(app: "App", *entries: dict[str, str]) -> None:
    file = app.folder / "cdktf.json"
    document = json.loads(file.read_text())
    document["context"]["holdfast"]["accepted_differences"] = list(entries)
    file.write_text(json.dumps(document))


def shard(app: "App", *argv: str) -> dict[str, Any]:
    ran = app.run(*argv, "--json")
    assert ran.stdout, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)["shards"][0]
    return found


def advised(next_step: str) -> list[dict[str, str]]:
    """The entries that the next step says to write, word for word."""
    start = next_step.index('"accepted_differences"')
    entries: list[dict[str, str]] = json.loads("{" + next_step[start:] + "}")["accepted_differences"]
    return entries


def test_a_first_deploy_says_what_to_write_and_goes_through_with_it(plain_app: "App") -> None:
    plain_app.write(stamped())

    failed = shard(plain_app, "deploy", "--yes")

    assert failed["outcome"] == "failed"
    assert "terraform_data.stamp" in failed["reason"]
    entries = advised(failed["next_step"])
    assert {entry["attribute"] for entry in entries} == {"input.at", "output"}
    accept(plain_app, *entries)

    committed = shard(plain_app, "deploy", "--yes")

    assert committed["outcome"] == "committed"
    assert [use["attribute"] for use in committed["accepted_differences"]] == ["input.at", "output"]

    planned = plain_app.run("plan", "--detailed-exitcode", "--markdown", "comment.md")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "unchanged: always" in planned.stdout
    assert "accepted difference: always: terraform_data.stamp input.at" in planned.stdout
    assert "2 accepted differences" in (plain_app.folder / "comment.md").read_text()
    again = shard(plain_app, "deploy", "--yes")
    assert (again["outcome"], len(again["accepted_differences"])) == ("unchanged", 2)


@pytest.mark.long
def test_nothing_hides_behind_an_accepted_difference(plain_app: "App") -> None:
    accepted = [
        {"resource": "terraform_data.*", "attribute": name, "reason": "a stamp", "owner": "core"}
        for name in ("input.at", "output")
    ]
    accept(plain_app, *accepted)
    plain_app.write(stamped())
    assert shard(plain_app, "deploy", "--yes")["outcome"] == "committed"
    serial = plain_app.state("always")["serial"]

    plain_app.write(stamped("two", keeps=False, fails=True))
    undone = shard(plain_app, "deploy", "--yes")

    # Undone, although the last good version differs each time too.
    assert undone["outcome"] == "rolled_back", undone
    assert plain_app.state("always")["serial"] > serial
    plain_app.write(stamped())
    assert shard(plain_app, "plan")["outcome"] == "unchanged"

    plain_app.write(stamped("two", keeps=False))
    changed = shard(plain_app, "plan")
    assert (changed["outcome"], changed["changed"], changed["destroyed"]) == ("changes", 1, 1)
    assert shard(plain_app, "deploy", "--yes")["outcome"] == "committed"
    assert shard(plain_app, "plan")["outcome"] == "unchanged"

    # The same attribute, set to something else: a change like any other.
    other = stamped("two", keeps=False)
    other["always"]["resource"]["terraform_data"]["stamp"]["input"]["at"] = (
        '${formatdate("YYYY", timestamp())}'
    )
    plain_app.write(other)
    assert shard(plain_app, "plan")["outcome"] == "changes"

    # Another attribute that never settles.
    moving = stamped("${timestamp()}", keeps=False)
    plain_app.write(moving)
    refused = shard(plain_app, "deploy", "--yes")
    assert refused["outcome"] == "rolled_back"
    assert [entry["attribute"] for entry in advised(refused["next_step"])] == ["input.fixed"]
    assert shard(plain_app, "destroy", "--yes")["outcome"] == "committed"


def on_aws(name: str) -> dict[str, Any]:
    """A stamped tag, a value that the provider computes anew with it, and a policy stamped in the middle."""
    policy = {
        "Version": "2012-10-17",
        "Id": "${timestamp()}",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Resource": "*"}
        ],
    }
    resource = {
        "aws_ssm_parameter": {
            "each": {
                "for_each": '${toset(["a", "b"])}',
                "name": f"/{name}/${{each.key}}",
                "type": "String",
                "value": "one",
                "tags": {"stamp": "${timestamp()}", "team": "core"},
            },
            "value": {"name": f"/{name}/value", "type": "SecureString", "value": "${timestamp()}"},
        },
        "aws_sns_topic": {"t": {"name": name, "policy": "${jsonencode(" + _hcl(policy) + ")}"}},
    }
    return {
        "always": {
            "terraform": {"required_providers": REQUIRED},
            "provider": PROVIDER,
            "resource": resource,
        }
    }


def _hcl(value: object) -> str:
    return json.dumps(value).replace('"${timestamp()}"', "timestamp()").replace('":', '" =')


@pytest.mark.long
def test_tags_secrets_and_policies_of_the_real_provider(plain_app: "App") -> None:
    plain_app.write(on_aws("accepted"))

    failed = shard(plain_app, "deploy", "--yes")

    assert failed["outcome"] == "failed"
    entries = advised(failed["next_step"])
    assert {(entry["resource"], entry["attribute"]) for entry in entries} >= {
        ('aws_ssm_parameter.each["a"]', "tags.stamp"),
        ('aws_ssm_parameter.each["b"]', "tags.stamp"),
        ("aws_ssm_parameter.value", "value"),
        ("aws_sns_topic.t", "policy"),
    }
    reduced = [
        {"resource": "aws_ssm_parameter.each", "attribute": 'tags["stamp"]', "reason": "r", "owner": "o"},
        *(entry for entry in entries if not entry["resource"].startswith("aws_ssm_parameter.each")),
    ]
    accept(plain_app, *reduced)
    committed = shard(plain_app, "deploy", "--yes")
    assert committed["outcome"] == "committed", committed
    assert shard(plain_app, "plan")["outcome"] == "unchanged"

    # A tag of another name that never settles is no part of it.
    document = on_aws("accepted")
    document["always"]["resource"]["aws_ssm_parameter"]["each"]["tags"]["other"] = "${timestamp()}"
    plain_app.write(document)
    refused = shard(plain_app, "deploy", "--yes")
    assert refused["outcome"] == "rolled_back", refused
    assert {entry["attribute"] for entry in advised(refused["next_step"])} == {"tags.other"}
    assert shard(plain_app, "destroy", "--yes")["outcome"] == "committed"
