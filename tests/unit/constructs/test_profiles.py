from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holdfast_constructs.profiles import PROFILES, PerProfile, Profile, closest
from holdfast_constructs.settings import InvalidSettingsError
from holdfast_constructs.settings.loading import parse_environment
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.profiles import DEFAULTS
from holdfast_constructs.settings.services import DatabaseService
from holdfast_constructs.testing import sample_target

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALLEST = """\
account = "210987654321"
regions = ["us-east-1"]
domain = "example.com"
owners = ["team"]
{above}
state.bucket = "some-state"
network.cidr = "10.0.0.0/16"
gateway.zone_id = "Z0PRODEXAMPLE0000001"
firewall.mode = "count"
[services.orders]
image = "repository@sha256:ece35c3044773464025064d1d6663bba256ec0886059ea2f20672da64e8bbd61"
database.class = "db.r6g.large"
database.storage_gib = 100
{below}
"""


def environment(above: str, below: str = "") -> Environment:
    text = SMALLEST.format(above=above, below=below)
    return parse_environment(text, Path("environments/some.toml"), services={"orders": DatabaseService})


def values(table: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    found: dict[tuple[str, ...], object] = {}
    for name, value in table:
        field = type(table).__pydantic_fields__[name]
        below = (*path, "*" if path == ("services",) else field.alias or name)
        found |= values(value, below) if hasattr(value, "model_fields_set") else {below: value}
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_what_the_file_leaves_out_is_as_the_profile_says(profile: Profile) -> None:
    found = values(environment(f'profile = "{profile}"'))

    assert {path: found[path] for path in DEFAULTS} == {
        path: default.of(profile) for path, default in DEFAULTS.items()
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_what_the_file_says_comes_before_the_profile(profile: Profile) -> None:
    own: Mapping[tuple[str, ...], object] = {
        ("keep_data",): True,
        ("network", "zones"): 4,
        ("logs", "retention_days"): 400,
        ("services", "*", "min_tasks"): 5,
        ("services", "*", "max_tasks"): 9,
        ("services", "*", "database", "multi_az"): True,
        ("services", "*", "database", "backup_days"): 21,
    }
    above = f'profile = "{profile}"\nkeep_data = true\nnetwork.zones = 4\nlogs.retention_days = 400'
    below = "min_tasks = 5\nmax_tasks = 9\ndatabase.multi_az = true\ndatabase.backup_days = 21"

    found = values(environment(above, below))

    assert {path: found[path] for path in own} == own


@pytest.mark.parametrize("profile", PROFILES)
def test_a_default_does_not_count_as_written(profile: Profile) -> None:
    env = environment(f'profile = "{profile}"')

    assert env.network.model_fields_set == {"cidr"}
    assert "production" not in env.model_fields_set


def test_without_a_profile_nothing_is_other_than_before() -> None:
    env = environment("")

    assert (env.profile, env.production, env.keep_data, env.network.nat) == (None, False, True, "per_az")
    assert env.services.present()["orders"].database.backup_days == 7


def test_the_rules_of_production_hold_for_its_profile() -> None:
    with pytest.raises(InvalidSettingsError, match="zone without a way out") as raised:
        environment('profile = "prod"\nnetwork.nat = "single"\nkeep_data = false')

    assert {problem.key for problem in raised.value.problems} == {"network.nat", "keep_data"}


def test_an_unknown_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidSettingsError) as raised:
        environment('profile = "production"')

    (problem,) = raised.value.problems
    assert (problem.key, problem.got) == ("profile", "'production'")
    assert all(repr(profile) in problem.allowed or profile in problem.allowed for profile in PROFILES)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("local", (False, False, 7)),
        ("dev", (False, False, 30)),
        ("staging", (False, True, 90)),
        ("prod", (True, True, 365)),
    ],
)
def test_a_target_has_the_defaults_of_its_profile(profile: Profile, expected: tuple[object, ...]) -> None:
    target = _bare_target(profile=profile)

    assert (target.production, target.delete_protection, target.log_retention_days) == expected
    assert target.profile == profile


def test_what_a_target_is_given_comes_before_its_profile() -> None:
    target = _bare_target(profile="prod", production=False, delete_protection=False, log_retention_days=1)

    assert (target.production, target.delete_protection, target.log_retention_days) == (False, False, 1)


@pytest.mark.parametrize(
    ("given", "profile"),
    [
        ({"local": True}, "local"),
        ({"production": True}, "prod"),
        ({}, "staging"),
        ({"delete_protection": False}, "dev"),
    ],
)
def test_a_target_without_a_profile_is_what_it_was_and_has_the_closest(
    given: dict[str, Any], profile: Profile
) -> None:
    target = _bare_target(**given)

    assert target.profile == profile
    assert target.log_retention_days == 365
    assert target.production is given.get("production", False)
    assert target.delete_protection is given.get("delete_protection", True)


def test_every_combination_has_one_closest_profile() -> None:
    both = (False, True)
    found = {
        (local, production, keeps): closest(local=local, production=production, keeps_data=keeps)
        for local in both
        for production in both
        for keeps in both
    }

    assert set(found.values()) == set(PROFILES)
    assert all(profile == "local" for (local, *_), profile in found.items() if local)


def test_what_is_given_comes_before_a_default_even_where_it_is_false() -> None:
    default = PerProfile(local=True, dev=True, staging=True, prod=True)

    assert default.of("prod", given=False) is False
    assert default.of("prod") is True


def _bare_target(**changes: Any) -> Any:
    sample = sample_target()
    fields = {name: getattr(sample, name) for name in ("environment", "account", "region", "zones", "state")}
    return type(sample)(**(fields | changes))


def test_the_page_says_the_defaults_of_each_profile() -> None:
    page = (Path(__file__).parents[3] / "docs/environments.md").read_text()

    for path, default in DEFAULTS.items():
        name = ".".join("<service>" if part == "*" else part for part in path)
        shown = [str(default.of(profile)) for profile in PROFILES]
        shown = [value.lower() if value in ("True", "False") else value for value in shown]
        assert f"| `{name}` | {' | '.join(shown)} |" in page
