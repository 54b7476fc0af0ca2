"""The planned task definition of an ECS service, found in the state that was applied."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.health_doors import doors

from holdfast_orchestrator.health.checks import EcsServiceSteady, Output
from holdfast_orchestrator.health.watch import pinned, watch
from holdfast_orchestrator.testing import RefusingAws

ARN = "arn:aws:ecs:eu-west-1:123456789012"
OUTPUTS = {"cluster": f"{ARN}:cluster/main", "name": "api", "id": f"{ARN}:service/main/api"}


class Services:
    """ECS with one service."""

    def __init__(self, service: Mapping[str, Any]) -> None:
        self._service = service

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        return self

    def describe_services(self, **_: Any) -> Any:
        return {"services": [self._service]}


def steady(**settings: Any) -> EcsServiceSteady:
    given = {"cluster": "main", "service": "api", **settings}
    return EcsServiceSteady(kind="ecs_service_steady", name="steady", **given)


def state(*services: Mapping[str, Any]) -> Mapping[str, Any]:
    instances = [{"attributes": service} for service in services]
    return {
        "resources": [{"mode": "managed", "type": "aws_ecs_service", "name": "s", "instances": instances}]
    }


def in_state(name: str = "api", cluster: str = "main", revision: int = 7) -> Mapping[str, Any]:
    return {"name": name, "cluster": f"{ARN}:cluster/{cluster}", "task_definition": f"{ARN}:api:{revision}"}


@pytest.mark.parametrize(
    ("check", "services", "planned"),
    [
        (steady(), [in_state()], "api:7"),
        (
            steady(cluster=Output(output="cluster")),
            [in_state(), in_state(cluster="another", revision=1)],
            "api:7",
        ),
        (steady(service=Output(output="name")), [in_state(), in_state(name="other", revision=1)], "api:7"),
        (steady(service=Output(output="id")), [in_state(), in_state(name="other", revision=1)], "api:7"),
        (steady(service=Output(output="missing")), [in_state()], None),
        (steady(), [in_state(), in_state(name="other", revision=1)], "api:7"),
        (steady(), [in_state(cluster="another")], None),
        (steady(), [in_state(), in_state(revision=8)], None),
        (steady(), [], None),
        (steady(task_definition="mine:1"), [in_state()], "mine:1"),
    ],
)
def test_the_planned_task_definition_is_found_in_the_applied_state(
    check: EcsServiceSteady, services: list[Mapping[str, Any]], planned: str | None
) -> None:
    (found,) = pinned([check], state(*services), OUTPUTS)

    assert isinstance(found, EcsServiceSteady)
    assert str(found.task_definition).endswith(str(planned))


def test_a_service_that_went_back_is_ill_where_an_output_names_it() -> None:
    checks = [steady(service=Output(output="name"))]
    primary = {"status": "PRIMARY", "taskDefinition": "task-definition/api:6", "rolloutState": "COMPLETED"}
    service = {"status": "ACTIVE", "runningCount": 1, "desiredCount": 1, "deployments": [primary]}

    verdict = watch(pinned(checks, state(in_state()), OUTPUTS), OUTPUTS, doors(Services(service)))

    assert not verdict
    assert "ECS went back to api:6" in verdict.evidence[0]


def test_an_output_that_is_missing_is_told_by_the_watch() -> None:
    checks = pinned([steady(service=Output(output="name"))], state(in_state()), {})

    verdict = watch(checks, {}, doors(RefusingAws()))

    assert verdict.evidence == ("steady (ecs_service_steady): failed: the shard has no output 'name'",)
