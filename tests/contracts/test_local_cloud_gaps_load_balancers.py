"""The gap of Elastic Load Balancing.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

from typing import Any

from tests.support.gaps import Clients, Gaps, Probes

# One server of each kind is enough for all of them.

TASK = {"name": "web", "image": "nginx", "memory": 64, "essential": True}


def target_group(clients: Clients, name: str) -> str:
    vpc = clients("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = clients("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip"
    )
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    return arn


def service_behind(clients: Clients, name: str, arn: str, *, fails: bool = False) -> None:
    environment = [{"name": "HOLDFAST_LOCAL_TASKS_FAIL", "value": "true"}] if fails else []
    ecs = clients("ecs")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family=name, containerDefinitions=[{**TASK, "environment": environment}])
    ecs.create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=name,
        desiredCount=2,
        loadBalancers=[{"targetGroupArn": arn, "containerName": "web", "containerPort": 8080}],
    )


def health(clients: Clients, arn: str) -> Any:
    return clients("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]


def health_of_the_tasks_of_a_service(clients: Clients) -> object:
    arn = target_group(clients, "tasks")
    service_behind(clients, "tasks", arn)
    found = health(clients, arn)
    addresses = {target["Target"]["Id"] for target in found}
    return len(addresses), {(target["Target"]["Port"], target["TargetHealth"]["State"]) for target in found}


def test_a_target_group_of_no_service_stays_empty(local_clients: Clients) -> None:
    service_behind(local_clients, "elsewhere", target_group(local_clients, "elsewhere"))

    assert health(local_clients, target_group(local_clients, "empty")) == []


def test_a_service_whose_tasks_fail_has_no_targets(local_clients: Clients) -> None:
    arn = target_group(local_clients, "failing-tasks")

    service_behind(local_clients, "failing-tasks", arn, fails=True)

    assert health(local_clients, arn) == []


def test_the_targets_go_with_the_tasks(local_clients: Clients) -> None:
    arn = target_group(local_clients, "scaled-in")
    service_behind(local_clients, "scaled-in", arn)

    local_clients("ecs").update_service(cluster="scaled-in", service="scaled-in", desiredCount=1)

    assert len(health(local_clients, arn)) == 1


def test_targets_somebody_registered_are_shown_as_before(local_clients: Clients) -> None:
    arn = target_group(local_clients, "by-hand")
    elb = local_clients("elbv2")
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.1.2.3", "Port": 99}])

    assert [target["Target"]["Id"] for target in health(local_clients, arn)] == ["10.1.2.3"]


PROBES: Probes = {
    health_of_the_tasks_of_a_service: ((2, {(8080, "healthy")}), "elbv2_target_health"),
}


class TestGaps(Gaps):
    probes = PROBES
