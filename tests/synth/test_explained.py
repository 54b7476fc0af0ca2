"""explained.json: the effective value of each property, its origin, and the controls it satisfies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import holdfast_constructs
from holdfast_constructs import HoldfastApp, Postgres, ServiceStack
from holdfast_constructs.profiles import PROFILES, PerProfile, Profile
from holdfast_constructs.project.main import load_and_build
from holdfast_constructs.project.registry import registrations
from holdfast_constructs.properties import Property, Table, table_of
from holdfast_constructs.testing import Synthesis, sample_target, synthesize_into

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


@pytest.fixture
def explain(on_site: Callable[..., Synthesis]) -> Callable[..., dict[str, Any]]:
    """Synthesize a database on a site, and return the rows of its explanation by name."""

    def explained(change: Callable[[Postgres], object] = lambda _: None, **target: Any) -> dict[str, Any]:
        synthesis = on_site(lambda site: change(site.database()), target=sample_target(**target))
        [rows] = [
            block["properties"]
            for stack in read(synthesis).values()
            for block in stack["blocks"]
            if block["block"] == "Postgres"
        ]
        return {row["name"]: row for row in rows}

    return explained


def read(synthesis: Synthesis) -> dict[str, Any]:
    stacks: dict[str, Any] = json.loads((synthesis.outdir / "explained.json").read_bytes())["stacks"]
    return stacks


def test_an_argument_comes_from_the_line_that_makes_the_block_and_a_default_from_nowhere(
    explain: Callable[..., dict[str, Any]],
) -> None:
    rows = explain()

    assert rows["instance_class"]["value"] == "db.r6g.large"
    file, _, line = rows["instance_class"]["from"].rpartition(":")
    assert file.endswith("conftest.py")
    assert line.isdigit()
    assert (rows["database"]["value"], rows["database"]["from"]) == (None, "default")


def test_what_the_block_writes_satisfies_its_controls(explain: Callable[..., dict[str, Any]]) -> None:
    row = explain()["aws_db_instance.storage_encrypted"]

    assert (row["value"], row["from"], row["weakened"]) == (True, "the block", False)
    assert {"CKV_AWS_16", "FSBP RDS.3", "SOC 2 CC6.1"} <= set(row["controls"])


@pytest.mark.parametrize("block", ["Bucket", "Repository"])
def test_a_bucket_without_a_key_on_purpose_satisfies_no_control_of_keys(
    synthesize: Callable[..., Synthesis], block: str
) -> None:
    def build(app: HoldfastApp) -> None:
        getattr(holdfast_constructs, block)(ServiceStack(app, "files", sample_target()), "it", key=None)

    [stack] = read(synthesize(build)).values()

    [row] = [row for row in stack["blocks"][0]["properties"] if row["name"] == "key"]
    assert (row["value"], row["weakened"]) == (None, True)
    assert row["from"] != "default"


@pytest.mark.parametrize("argument", [each.argument for each in table_of("Postgres").always])
def test_an_override_that_weakens_a_control_is_seen(
    explain: Callable[..., dict[str, Any]], argument: str
) -> None:
    [entry] = [each for each in table_of("Postgres").always if each.argument == argument]
    weaker = not entry.value if isinstance(entry.value, bool) else 0

    rows = explain(lambda database: database.instance.add_override(argument, weaker))

    row = rows[f"aws_db_instance.{argument}"]
    assert (row["value"], row["weakened"]) == (weaker, True)
    assert row["from"] == (entry.follows or "an override")
    assert [name for name, each in rows.items() if each["weakened"]] == [f"aws_db_instance.{argument}"]


def test_a_target_that_keeps_nothing_weakens_what_follows_it(
    explain: Callable[..., dict[str, Any]],
) -> None:
    rows = explain(production=False, delete_protection=False)

    weakened = {name for name, row in rows.items() if row["weakened"]}
    assert weakened == {"aws_db_instance.deletion_protection", "aws_db_instance.skip_final_snapshot"}
    assert rows["aws_db_instance.deletion_protection"]["from"] == "delete_protection of the target"


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_left_out_has_the_default_of_the_profile(
    explain: Callable[..., dict[str, Any]], profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = PerProfile(local="a", dev="b", staging="c", prod="d")
    table = Table(properties={"database": Property(why="", per_profile=default)}, always=())
    monkeypatch.setattr("holdfast_constructs.app._explained.table_of", lambda _: table)

    row = explain(profile=profile, production=False)["database"]

    assert (row["value"], row["from"]) == (default.of(profile), f"profile {profile}")


def test_a_value_that_is_known_after_the_deploy_is_not_shown_as_a_token(
    explain: Callable[..., dict[str, Any]],
) -> None:
    rows = explain()

    assert "TfToken" not in json.dumps(rows)


def test_every_setting_says_whether_the_file_or_a_default_gave_it(tmp_path: Path) -> None:
    stacks = registrations("holdfast_stacks")

    synthesis = synthesize_into(
        tmp_path / "out", lambda app: load_and_build(app, stacks, ENVIRONMENTS, ["prod"])
    )

    orders = read(synthesis)["orders-prod-eu-west-1"]
    origin = {row["name"]: (row["value"], row["from"]) for row in orders["settings"]}
    assert orders["profile"] == "prod"
    file = (ENVIRONMENTS / "prod.toml").as_posix()
    assert origin["network.nat"] == ("per_az", file)
    assert origin["services.orders.cpu"] == (1024, file)
    assert origin["services.orders.database.class"] == ("db.r6g.large", file)
    assert origin["gateway.tls"] == (True, "default")
    assert not any(name.startswith("services.storefront") for name in origin)
