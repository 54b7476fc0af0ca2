"""A version of a secret takes the place of the current one: of ours only, never of somebody else's."""

import json
from typing import Any

import pytest
from tests.support.owned_objects import Cloud, failing, stack
from tests.terraform.conftest import App

VERSION = "aws_secretsmanager_secret_version.v"


def version(secret: str, value: str, **more: Any) -> dict[str, Any]:
    return {"aws_secretsmanager_secret_version": {"v": {"secret_id": secret, "secret_string": value, **more}}}


def own(name: str, value: str) -> dict[str, Any]:
    """A secret and its version, of which a later one is made before the one before is deleted."""
    first = {"create_before_destroy": True}
    return {
        "aws_secretsmanager_secret": {"s": {"name": name}},
        **version("${aws_secretsmanager_secret.s.id}", value, lifecycle=first),
    }


@pytest.mark.long
def test_a_version_never_takes_the_place_of_somebody_elses(aws_app: App, cloud: Cloud) -> None:
    """And a rollback gives the place back to the version that had it, or says that it cannot."""
    secrets = cloud("secretsmanager")

    def named(suffix: str) -> str:
        return f"{aws_app.bucket}-{suffix}"

    def current(suffix: str) -> str:
        # By its label: without one, moto answers with the version that was made last.
        found = secrets.get_secret_value(SecretId=named(suffix), VersionStage="AWSCURRENT")
        return str(found["SecretString"])

    foreign = ("foreign", "late", "empty", "taken")
    arns = {suffix: secrets.create_secret(Name=named(suffix))["ARN"] for suffix in foreign}
    for suffix in ("foreign", "late", "taken"):
        secrets.put_secret_value(SecretId=arns[suffix], SecretString="theirs")
    for suffix in ("broken", "firstvalue"):
        cloud("ssm").put_parameter(Name=f"/{named(suffix)}/clash", Value="theirs", Type="String")

    def stacks(value: str) -> dict[str, Any]:
        def fails(suffix: str) -> dict[str, Any]:
            return failing(named(suffix), VERSION) if value == "2" else {}

        bare = {"aws_secretsmanager_secret": {"s": {"name": named("handmade")}}}
        lone = {"aws_secretsmanager_secret": {"s": {"name": named("firstvalue")}}}
        late = {"terraform_data": {"id": {"input": arns["late"]}}}
        return {
            "own": stack(**own(named("own"), value)),
            "broken": stack(**own(named("broken"), value), **fails("broken")),
            "empty": stack(**version(arns["empty"], value, lifecycle={"create_before_destroy": True})),
            "foreign": stack(**version(arns["foreign"], value)),
            "late": stack(**late, **version("${terraform_data.id.output}", value)),
            "taken": stack(**version(arns["taken"], "ours")),
            "handmade": stack(**bare) if value == "1" else stack(**own(named("handmade"), value)),
            "firstvalue": stack(**lone)
            if value == "1"
            else stack(**own(named("firstvalue"), value), **fails("firstvalue")),
        }

    aws_app.write(stacks("1"))
    refused = aws_app.run("deploy", "--stack", "taken", "--yes", "--json")
    (taken,) = json.loads(refused.stdout)["shards"]
    assert (refused.returncode, taken["outcome"]) == (4, "blocked"), refused.stdout
    assert f"--adopt {VERSION}" in taken["next_step"]
    assert aws_app.outcomes("deploy", "--stack", "taken", "--yes", "--adopt", VERSION) == {
        "taken": "committed"
    }
    first = aws_app.outcomes("deploy", "--yes")
    assert first == {
        "own": "committed",
        "broken": "committed",
        "empty": "committed",
        "foreign": "blocked",
        "late": "failed",
        "taken": "unchanged",
        "handmade": "committed",
        "firstvalue": "committed",
    }
    secrets.put_secret_value(SecretId=named("handmade"), SecretString="by hand")
    aws_app.write(stacks("2"))
    ran = aws_app.run("deploy", "--yes", "--json", "--approve", VERSION)
    shards = {one["name"]: one for one in json.loads(ran.stdout)["shards"]}
    assert {name: one["outcome"] for name, one in shards.items()} == {
        "own": "committed",
        "broken": "rolled_back",
        "empty": "committed",
        "foreign": "blocked",
        "late": "blocked",
        "taken": "unchanged",
        "handmade": "blocked",
        "firstvalue": "rolled_back",
    }
    assert {suffix: current(suffix) for suffix in shards} == {
        "own": "2",
        "broken": "1",
        "empty": "2",
        "foreign": "theirs",
        "late": "theirs",
        "taken": "ours",
        "handmade": "by hand",
        # AWS takes the current version away from nobody: that is said.
        "firstvalue": "2",
    }
    assert "keeps the value that this run gave it" in json.dumps(shards["firstvalue"])
    assert "keeps the value" not in json.dumps(shards["broken"])
    assert "theirs" not in ran.stdout + refused.stdout
