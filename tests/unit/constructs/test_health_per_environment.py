"""An environment's settings reach its health checks, by kind or by name."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.example_settings import ENVIRONMENTS, example, load_environment, parse_environment

from holdfast_constructs.app._manifest import _overridden
from holdfast_constructs.app.target import Operations, StateBucket, Target
from holdfast_constructs.settings import InvalidSettingsError
from holdfast_orchestrator.app.manifest import Shard, StateLocation
from holdfast_orchestrator.health.checks import parse_checks

PROD = example("prod")
FILE = Path("environments/prod.toml")
CHECKS: tuple[dict[str, Any], ...] = (
    {"kind": "ecs_service_steady", "name": "orders-steady", "cluster": "c", "service": "orders"},
    {"kind": "alb_targets_healthy", "name": "orders-targets", "target_group_arn": "arn"},
    {"kind": "http", "name": "orders-home", "url": "https://orders.example.com"},
    {"kind": "alarm", "name": "orders-errors", "alarm": "errors"},
    {"kind": "command", "name": "orders-command", "command": ["true"]},
)


def windows(settings: str) -> dict[str, float]:
    """The time limit of each check in an environment with these settings."""
    environment = parse_environment(PROD + settings, FILE)
    target = Target(
        environment="prod",
        account=environment.account,
        region="eu-west-1",
        zones=("eu-west-1a",),
        state=StateBucket(bucket="example-state", region="eu-west-1"),
        operations=Operations(health=environment.health_overrides()),
    )
    shard = Shard(
        name="orders",
        directory=Path(),
        configuration=b"{}",
        service="orders",
        environment="prod",
        account=environment.account,
        region="eu-west-1",
        state=StateLocation(bucket="b", key="k", region="eu-west-1"),
        health_checks=tuple(_overridden(check, target) for check in CHECKS),
    )
    return {check.name: check.window for check in parse_checks(shard)}


def test_each_kind_has_a_time_limit_of_its_own() -> None:
    assert windows("") == {
        "orders-steady": 600,
        "orders-targets": 600,
        "orders-home": 120,
        "orders-errors": 300,
        "orders-command": 300,
    }


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check["kind"]))
def test_an_environment_changes_the_limit_of_a_kind_and_of_no_other(check: dict[str, Any]) -> None:
    changed = windows(f"\n[health.{check['kind']}]\nwindow = 42.0\n")

    assert changed == {**windows(""), check["name"]: 42}


def test_the_name_of_a_check_counts_more_than_its_kind() -> None:
    both = '\n[health.http]\nwindow = 42.0\n[health."orders-home"]\nwindow = 43.0\n'

    assert windows(both)["orders-home"] == 43


def test_a_check_is_not_switched_off_without_a_reason() -> None:
    with pytest.raises(InvalidSettingsError, match="without saying why"):
        parse_environment(PROD + "\n[health.http]\nenabled = false\n", FILE)


def test_an_environment_that_says_nothing_changes_nothing() -> None:
    environment = load_environment(ENVIRONMENTS / "prod.toml")

    assert environment.health_overrides() == {}
    assert environment.keeping() == {}


def test_copies_retention_and_unredacted_output_are_handed_on() -> None:
    copies = 'copies = [{ bucket = "example-copy", region = "eu-central-1" }]\nbackup_count = 5\n'
    text = PROD.replace("[state]\n", f"[state]\n{copies}") + "\n[audit]\ndays = 400\nunredacted = false\n"

    assert parse_environment(text, FILE).keeping() == {
        "copies": [{"bucket": "example-copy", "region": "eu-central-1", "kms_key_id": None}],
        "backup_count": 5,
        "backup_days": 90,
        "audit_days": 400,
        "unredacted": False,
    }
