"""The foundation of an environment: what the blocks need is known, and every role has the boundary."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cdktf_cdktf_provider_aws.iam_role import IamRole
from tests.support.every_block import build_every_block
from tests.support.example_settings import example, parse_environment

from holdfast_constructs import ConstructError, HoldfastApp, ServiceStack
from holdfast_constructs.foundation.actions import actions_for
from holdfast_constructs.foundation.existing import Existing
from holdfast_constructs.project.foundations import build_foundation
from holdfast_constructs.testing import sample_target

BOUNDARY = "arn:aws:iam::210987654321:policy/foundation-prod-boundary"
GITHUB = """
[foundation.github]
repository = "acme/shop"
"""
HOST = "token.actions.githubusercontent.com"


def documents(outdir: str) -> dict[str, Any]:
    files = Path(outdir).glob("stacks/*/cdk.tf.json")
    return {file.parent.name: json.loads(file.read_text()) for file in files}


def test_every_type_of_every_block_is_known_and_every_role_is_bounded(tmp_path: Path) -> None:
    app = HoldfastApp(str(tmp_path))
    target = dataclasses.replace(sample_target(), permissions_boundary=BOUNDARY)
    build_every_block(app, target)
    app.synth()

    stacks = documents(app.outdir)
    actions = actions_for(stacks, {})

    assert {"ecs:CreateService", "rds:CreateDBInstance", "sqs:CreateQueue"} <= actions.write
    roles = [
        role for each in stacks.values() for role in each.get("resource", {}).get("aws_iam_role", {}).values()
    ]
    assert len(roles) > 8
    assert {role["permissions_boundary"] for role in roles} == {BOUNDARY}


def test_a_role_of_ones_own_without_the_boundary_is_refused(tmp_path: Path) -> None:
    app = HoldfastApp(str(tmp_path))
    target = dataclasses.replace(sample_target(), permissions_boundary=BOUNDARY)
    stack = ServiceStack(app, "orders", target)
    IamRole(stack, "mine", name="mine", assume_role_policy="{}")

    with pytest.raises(ConstructError, match="/mine has no permission boundary") as raised:
        app.synth()

    assert "permissions_boundary=site.target.permissions_boundary" in str(raised.value)


@pytest.mark.parametrize("foreign", [frozenset[str](), frozenset({HOST})], ids=["made", "used"])
def test_an_identity_provider_that_somebody_else_made_is_used_and_not_managed(
    tmp_path: Path, foreign: frozenset[str]
) -> None:
    app = HoldfastApp(str(tmp_path / "out"))
    environment = parse_environment(example("prod") + GITHUB, tmp_path / "prod.toml")

    build_foundation(app, environment, stacks={}, existing=Existing(foreign_providers=foreign))
    app.synth()

    (document,) = documents(app.outdir).values()
    trust = json.loads(next(iter(document["resource"]["aws_iam_role"].values()))["assume_role_policy"])
    (statement,) = trust["Statement"]
    assert ("aws_iam_openid_connect_provider" in document["resource"]) is not bool(foreign)
    if foreign:
        assert statement["Principal"] == {"Federated": f"arn:aws:iam::210987654321:oidc-provider/{HOST}"}
    assert statement["Condition"]["StringEquals"][f"{HOST}:aud"] == "sts.amazonaws.com"


def test_an_environment_without_a_foundation_names_the_table(tmp_path: Path) -> None:
    environment = parse_environment(example("prod"), tmp_path / "prod.toml")

    with pytest.raises(ConstructError, match=r"add the table \[foundation\] to environments/prod.toml"):
        build_foundation(HoldfastApp(str(tmp_path / "out")), environment, stacks={}, existing=Existing())
