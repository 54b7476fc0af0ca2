"""Health checks against services, targets and alarms of the local cloud."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.health.checks import Alarm, AlbTargetsHealthy, Check, EcsServiceSteady
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.http_client import Answer
from holdfast_orchestrator.health.kinds import look
from holdfast_orchestrator.health.observation import Standing
from holdfast_orchestrator.health.readiness import ready_before
from holdfast_orchestrator.health.watch import watch
from holdfast_orchestrator.testing import FrozenClock, RefusingProcesses

Clients = Callable[[str], Any]

# One server is enough for all of them.

FAILING = {"name": "HOLDFAST_LOCAL_TASKS_FAIL", "value": "true"}


class Nobody:
    """No check here asks a URL."""

    def get(self, url: str, *, timeout: float, limit: int) -> Answer:
        raise AssertionError(url)


class Here:
    """AWS at the local cloud."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def client(self, service: str, *, region: str, environ: object) -> Any:
        return self._clients(service)


@pytest.fixture
def doors(local_clients: Clients) -> CheckContext:
    return CheckContext(
        aws=Here(local_clients),
        clock=FrozenClock(),
        processes=RefusingProcesses(),
        http=Nobody(),
        environ={},
        region="eu-west-1",
        cwd=Path(),
    )


def revision(clients: Clients, name: str, *, fails: bool = False) -> str:
    container = {"name": "web", "image": "nginx", "memory": 64, "environment": [FAILING] if fails else []}
    made = clients("ecs").register_task_definition(family=name, containerDefinitions=[container])
    arn: str = made["taskDefinition"]["taskDefinitionArn"]
    return arn


@pytest.fixture
def service(request: pytest.FixtureRequest, local_clients: Clients) -> str:
    """A service behind a target group, all called alike."""
    name = f"health-{zlib.crc32(request.node.name.encode())}"
    ecs, elb = local_clients("ecs"), local_clients("elbv2")
    vpc = local_clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    ecs.create_cluster(clusterName=name)
    ecs.create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=revision(local_clients, name),
        desiredCount=2,
        loadBalancers=[{"targetGroupArn": arn, "containerName": "web", "containerPort": 80}],
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    return name


def steady(name: str, **settings: Any) -> Check:
    given = {"cluster": name, "service": name, **settings}
    return EcsServiceSteady(kind="ecs_service_steady", name="steady", **given)


def targets(clients: Clients, name: str) -> Check:
    (group,) = clients("elbv2").describe_target_groups(Names=[name])["TargetGroups"]
    return AlbTargetsHealthy(
        kind="alb_targets_healthy", name="targets", target_group_arn=group["TargetGroupArn"]
    )


def test_a_service_that_is_well_passes_at_the_first_look(
    doors: CheckContext, local_clients: Clients, service: str
) -> None:
    verdict = watch([steady(service), targets(local_clients, service)], {}, doors)

    assert verdict, verdict.evidence
    assert verdict.seconds == 0


def test_a_service_whose_new_tasks_fail_fails_at_once(
    doors: CheckContext, local_clients: Clients, service: str
) -> None:
    broken = revision(local_clients, service, fails=True)
    local_clients("ecs").update_service(cluster=service, service=service, taskDefinition=broken)

    verdict = watch([targets(local_clients, service), steady(service)], {}, doors)

    assert not verdict
    assert verdict.seconds == 0
    assert "the rollout failed (0 of 2 tasks of" in verdict.failures[0].why


def test_a_target_group_whose_tasks_are_gone_fails_at_the_end_of_its_window(
    doors: CheckContext, local_clients: Clients, service: str
) -> None:
    local_clients("ecs").update_service(cluster=service, service=service, desiredCount=0)

    verdict = watch([targets(local_clients, service)], {}, doors)

    assert verdict.seconds == 600
    assert "no targets; wanted at least 1" in verdict.failures[0].why


def test_a_service_that_runs_something_else_than_planned_fails(doors: CheckContext, service: str) -> None:
    verdict = watch([steady(service, task_definition=f"{service}:2")], {}, doors)

    assert verdict.failures[0].why == f"ECS went back to {service}:1; {service}:2 was planned"


def test_targets_of_a_group_that_does_not_exist_have_failed(doors: CheckContext) -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef"
    check = AlbTargetsHealthy(kind="alb_targets_healthy", name="targets", target_group_arn=arn)

    assert look(check, doors).standing is Standing.FAILED


@pytest.mark.parametrize("cluster", ["no-such-cluster", None])
def test_a_service_that_does_not_exist_has_failed(
    doors: CheckContext, service: str, cluster: str | None
) -> None:
    check = steady(service, cluster=cluster or service, service="no-such-service")

    assert look(check, doors).standing is Standing.FAILED


def alarm(clients: Clients, name: str, state: str) -> Check:
    cloudwatch = clients("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="set by a test")
    return Alarm(kind="alarm", name="errors", alarm=name)


@pytest.mark.parametrize(("state", "healthy"), [("OK", True), ("ALARM", False), ("INSUFFICIENT_DATA", False)])
def test_an_alarm_decides_by_its_state(
    doors: CheckContext, local_clients: Clients, state: str, *, healthy: bool
) -> None:
    verdict = watch([alarm(local_clients, f"decides-{state}", state)], {}, doors)

    assert verdict.healthy is healthy, verdict.evidence


def test_an_alarm_that_fires_while_it_is_watched_fails(doors: CheckContext, local_clients: Clients) -> None:
    check = alarm(local_clients, "fires", "OK")
    fire = {"AlarmName": "fires", "StateValue": "ALARM", "StateReason": "too many errors"}

    verdict = watch(
        [check], {}, doors, on_progress=lambda _: local_clients("cloudwatch").set_alarm_state(**fire)
    )

    assert verdict.failures[0].why == "in ALARM: too many errors"


def test_an_alarm_that_is_on_already_is_in_the_way_of_a_deploy(
    doors: CheckContext, local_clients: Clients
) -> None:
    check = alarm(local_clients, "on-already", "ALARM")

    (problem,) = ready_before([check], {}, doors)

    assert problem == "alarm 'on-already' of health check 'errors' is in ALARM: set by a test"


def test_a_composite_alarm_is_looked_at_too(doors: CheckContext, local_clients: Clients) -> None:
    cloudwatch = local_clients("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="all-of-it", AlarmRule="ALARM(x)")
    cloudwatch.set_alarm_state(AlarmName="all-of-it", StateValue="ALARM", StateReason="x is on")

    seen = look(Alarm(kind="alarm", name="c", alarm="all-of-it"), doors)

    assert (seen.standing, seen.what) == (Standing.UNHEALTHY, "in ALARM: x is on")
