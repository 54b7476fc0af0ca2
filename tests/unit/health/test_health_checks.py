"""holdfast.json's health checks: what is accepted, what is refused and in which words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.app.manifest import Shard, StateLocation
from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.health.checks import (
    Alarm,
    AlbTargetsHealthy,
    Command,
    EcsServiceSteady,
    EcsTaskSucceeds,
    Http,
    MissingOutputError,
    Output,
    json_schema,
    output_values,
    parse_checks,
    resolved,
)

ECS = {"kind": "ecs_service_steady", "name": "steady", "cluster": {"output": "cluster"}, "service": "api"}
ALL_KINDS = (
    ECS,
    {"kind": "alb_targets_healthy", "name": "targets", "target_group_arn": "arn", "at_least": 2},
    {"kind": "http", "name": "page", "url": "https://shop.example", "path": "/up", "status": [200, 204]},
    {"kind": "alarm", "name": "errors", "alarm": {"output": "alarm"}},
    {"kind": "command", "name": "own", "command": ["./smoke.sh", {"output": "url"}]},
    {
        "kind": "ecs_task_succeeds",
        "name": "migrations",
        "cluster": "main",
        "task_definition": {"output": "definition"},
        "container": "migrate",
        "subnets": {"output": "subnets"},
        "security_groups": ["sg-1"],
    },
)


def shard(*checks: Mapping[str, Any]) -> Shard:
    return Shard(
        name="api-dev-eu-west-1",
        directory=Path(),
        configuration=b"{}",
        service="api",
        environment="dev",
        account="123456789012",
        region="eu-west-1",
        state=StateLocation(bucket="states", key="k", region="eu-west-1"),
        health_checks=tuple(checks),
    )


def test_every_kind_is_read_as_its_own_type_in_the_order_given() -> None:
    checks = parse_checks(shard(*ALL_KINDS))

    assert [type(check) for check in checks] == [
        EcsServiceSteady,
        AlbTargetsHealthy,
        Http,
        Alarm,
        Command,
        EcsTaskSucceeds,
    ]


def test_what_the_web_service_construct_writes_is_accepted() -> None:
    steady, targets = parse_checks(
        shard(
            {**ECS, "name": "orders-steady", "cluster": {"output": "health-orders-steady-cluster"}},
            {
                "kind": "alb_targets_healthy",
                "name": "orders-targets",
                "target_group_arn": {"output": "health-orders-targets-target_group_arn"},
            },
        )
    )

    assert isinstance(steady, EcsServiceSteady)
    assert steady.cluster == Output(output="health-orders-steady-cluster")
    assert isinstance(targets, AlbTargetsHealthy)
    assert targets.at_least == 1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "tcp", "name": "x"}, "kind must be one of ecs_service_steady, .*; got 'tcp'"),
        ({"name": "x"}, "kind must be one of .*; got None"),
        ({**ECS, "clutser": "typo"}, "clutser: Extra inputs are not permitted"),
        ({**ECS, "interval": 0}, "interval: .*greater than 0"),
        ({**ECS, "window": float("inf")}, "window"),
        ({**ECS, "overrides": {"enabled": False}}, "needs a `reason`"),
        ({**ECS, "overrides": {"enabled": False, "reason": "  "}}, "needs a `reason`"),
        ({"kind": "command", "name": "x", "command": []}, "command"),
        ({"kind": "http", "name": "x", "url": "https://a", "path": "up"}, "path"),
        ({"kind": "alb_targets_healthy", "name": "x", "target_group_arn": "a", "at_least": 0}, "at_least"),
    ],
)
def test_what_is_wrong_is_said_with_shard_check_and_field(entry: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=f"(?s)api-dev-eu-west-1: health check .*{said}"):
        parse_checks(shard(entry))


def test_two_checks_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="two health checks are called 'steady'"):
        parse_checks(shard(ECS, ECS))


def test_an_override_of_the_environment_wins() -> None:
    (check,) = parse_checks(shard({**ECS, "interval": 9, "overrides": {"window": 30, "timeout": 3}}))

    assert (check.window, check.timeout, check.interval) == (30, 3, 9)
    assert check.off is None


def test_a_check_is_switched_off_with_its_reason() -> None:
    (check,) = parse_checks(shard({**ECS, "overrides": {"enabled": False, "reason": "no traffic in dev"}}))

    assert check.off == "no traffic in dev"


def test_outputs_are_put_in_wherever_they_are_referred_to() -> None:
    steady, _, _, _, command, migrations = parse_checks(shard(*ALL_KINDS))
    outputs = output_values(
        {
            "cluster": {"value": "main", "type": "string"},
            "url": {"value": "https://u"},
            "definition": {"value": "orders:7"},
            "subnets": {"value": ["subnet-1", "subnet-2"]},
        }
    )

    assert resolved(steady, outputs).model_dump()["cluster"] == "main"
    assert resolved(command, outputs).model_dump()["command"] == ("./smoke.sh", "https://u")
    assert resolved(migrations, outputs).model_dump()["subnets"] == ("subnet-1", "subnet-2")


def test_a_command_can_be_an_output_as_a_whole() -> None:
    (check,) = parse_checks(shard({"kind": "command", "name": "own", "command": {"output": "words"}}))

    assert resolved(check, {"words": ["curl", "-f"]}).model_dump()["command"] == ("curl", "-f")


def test_an_output_the_shard_does_not_have_is_named() -> None:
    (check,) = parse_checks(shard(ECS))

    with pytest.raises(MissingOutputError, match="no output 'cluster'"):
        resolved(check, {})


def test_an_output_of_another_type_is_refused() -> None:
    (check,) = parse_checks(shard(ECS))

    with pytest.raises(SettingsError, match="health check 'steady': cluster"):
        resolved(check, {"cluster": ["a", "b"]})


def test_overrides_stay_in_force_when_outputs_are_put_in() -> None:
    (check,) = parse_checks(shard({**ECS, "overrides": {"window": 30}}))

    assert resolved(check, {"cluster": "main"}).window == 30


def test_the_schema_tells_the_kinds_apart() -> None:
    assert set(json_schema()["discriminator"]["mapping"]) == {entry["kind"] for entry in ALL_KINDS}
