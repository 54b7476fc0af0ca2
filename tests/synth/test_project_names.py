"""The name of a project is in every name that two apps in one account would share."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.example_settings import ENVIRONMENTS, example, parse_environment

from holdfast_constructs import ConstructError
from holdfast_constructs.naming import LIMITS, Kind, aws_name
from holdfast_constructs.testing import Synthesis, Template, sample_target, synthesize_into
from holdfast_orchestrator.scaffold.project_name import snapshot_of, with_project

SNAPSHOTS = Path(__file__).parent / "__snapshots__" / "test_stacks_as_reviewed"
NAMES = (
    "alias",
    "bucket",
    "family",
    "identifier",
    "name",
    "name_prefix",
    "policy_name",
    "final_snapshot_identifier",
)
# Names inside of something that has the project in its name already, and DNS names.
INSIDE = {
    "aws_appautoscaling_policy",
    "aws_iam_role_policy",
    "aws_route53_record",
    "aws_route53_zone",
    "aws_lb_target_group",
}


def _built(folder: Path, project: str | None) -> Synthesis:
    from holdfast_constructs.project.main import build  # noqa: PLC0415 - loads jsii
    from holdfast_constructs.project.registry import registrations  # noqa: PLC0415 - the same

    stacks = registrations("holdfast_stacks")
    environments = [
        parse_environment(
            example(name) if project is None else with_project(example(name), project),
            ENVIRONMENTS / f"{name}.toml",
        )
        for name in ("local", "prod")
    ]
    return synthesize_into(folder, lambda app: build(app, stacks, environments))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    return _built(tmp_path_factory.mktemp("shop"), "shop")


def _names(template: Template) -> Iterator[str]:
    for kind, blocks in template.configuration["resource"].items():
        for block in blocks.values() if kind not in INSIDE else ():
            own = NAMES if kind != "aws_db_parameter_group" else ("name_prefix",)
            yield from (
                block[key] for key in own if isinstance(block.get(key), str) and "${" not in block[key]
            )


def test_every_name_has_the_project_in_it(shop: Synthesis) -> None:
    names = [name for template in shop.templates.values() for name in _names(template)]

    assert len(names) > 50
    assert [name for name in names if "shop-" not in name and "/shop/" not in name] == []


def test_states_and_tags_say_whose_they_are(shop: Synthesis) -> None:
    orders = shop["orders-prod-eu-west-1"].configuration

    key = "shop.orders/210987654321/eu-west-1/prod/terraform.tfstate"
    assert orders["terraform"]["backend"]["s3"]["key"] == key
    assert shop.manifest["shards"]["orders-prod-eu-west-1"]["state"]["key"] == key
    assert shop.manifest["shards"]["orders-prod-eu-west-1"]["project"] == "shop"
    [tags] = orders["provider"]["aws"][0]["default_tags"]
    assert tags["tags"]["Project"] == "shop"


def test_two_apps_share_no_name_and_no_state(shop: Synthesis, tmp_path: Path) -> None:
    other = _built(tmp_path, "market")

    def shared(read: Callable[[Template], Any]) -> set[str]:
        return {str(value) for one in shop.templates.values() for value in read(one)} & {
            str(value) for one in other.templates.values() for value in read(one)
        }

    assert shared(_names) == set()
    assert shared(lambda one: [one.configuration["terraform"]["backend"]["s3"]["key"]]) == set()


def test_the_snapshots_of_a_new_project_are_what_it_is_synthesized_to(shop: Synthesis) -> None:
    for file in sorted(SNAPSHOTS.glob("*.json")):
        name = file.stem.partition("[")[2].removesuffix("]")
        expected = json.loads(snapshot_of("shop", file.read_text(encoding="utf-8")))

        assert json.loads(json.dumps(shop[name].readable())) == expected


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_a_name_begins_with_the_project_and_keeps_its_limit(kind: Kind) -> None:
    target = sample_target(project="shop")

    name = aws_name(kind, target, "edge", "gateway").lstrip("/").replace("/", "-")
    assert name.startswith("shop-edge-prod-gateway")
    assert len(aws_name(kind, target, "edge", "p" * 1000)) == LIMITS[kind]


@pytest.mark.parametrize("project", ["Shop", "my.shop", "", "-shop"])
def test_a_project_that_can_be_no_part_of_a_key_is_refused(project: str) -> None:
    with pytest.raises(ConstructError, match="project must be 1-63 of a-z"):
        sample_target(project=project)
