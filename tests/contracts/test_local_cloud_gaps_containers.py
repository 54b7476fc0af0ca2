"""The gaps of ECS, Lambda and Application Auto Scaling.

Each probe asks a cloud and returns what it saw. The local cloud must show what AWS shows; moto by itself
must not: where it does, moto has closed the gap and the module named can be deleted.
"""

import io
import zipfile
from typing import Any

from botocore.exceptions import ClientError
from tests.support.gaps import Clients, Gaps, Probes

# One server of each kind is enough for all of them.

TASK = {"name": "web", "image": "nginx", "memory": 64, "essential": True}


def service(clients: Clients, name: str, **settings: Any) -> Any:
    ecs = clients("ecs")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family=name, containerDefinitions=[TASK])
    made = {"cluster": name, "serviceName": name, "taskDefinition": name, "desiredCount": 2}
    ecs.create_service(**made, **settings)
    return ecs.describe_services(cluster=name, services=[name])["services"][0]


def settings_of_a_new_service(clients: Clients) -> object:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    made = service(
        clients,
        "settings",
        availabilityZoneRebalancing="ENABLED",
        capacityProviderStrategy=strategy,
        enableECSManagedTags=True,
        enableExecuteCommand=True,
        healthCheckGracePeriodSeconds=60,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    return [
        made.get("launchType"),
        made["availabilityZoneRebalancing"],
        [p["capacityProvider"] for p in made["capacityProviderStrategy"]],
        made["enableECSManagedTags"],
        made["enableExecuteCommand"],
        made["healthCheckGracePeriodSeconds"],
        made["deploymentConfiguration"]["deploymentCircuitBreaker"],
        made["deploymentConfiguration"]["minimumHealthyPercent"],
    ]


def a_new_service_becomes_steady(clients: Clients) -> object:
    made = service(clients, "steady")
    return made["runningCount"], made["pendingCount"], made["deployments"][0]["rolloutState"]


def an_update_is_rolled_out(clients: Clients) -> object:
    ecs = clients("ecs")
    before = service(clients, "rolled")["deployments"][0]["id"]
    ecs.register_task_definition(family="rolled", containerDefinitions=[TASK])
    ecs.update_service(cluster="rolled", service="rolled", taskDefinition="rolled:2")
    after = ecs.describe_services(cluster="rolled", services=["rolled"])["services"][0]["deployments"]
    return len(after), after[0]["id"] != before, after[0]["rolloutState"]


def a_cluster_setting_can_be_updated(clients: Clients) -> object:
    ecs = clients("ecs")
    ecs.create_cluster(clusterName="insights")
    wanted = [{"name": "containerInsights", "value": "enhanced"}]
    ecs.update_cluster_settings(cluster="insights", settings=wanted)
    return ecs.describe_clusters(clusters=["insights"], include=["SETTINGS"])["clusters"][0]["settings"]


def tags_of_a_scalable_target(clients: Clients) -> object:
    service(clients, "scaled")
    scaling = clients("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/scaled/scaled",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    arn = scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2, Tags={"a": "1"})
    scaling.tag_resource(ResourceARN=arn["ScalableTargetARN"], Tags={"b": "2"})
    scaling.untag_resource(ResourceARN=arn["ScalableTargetARN"], TagKeys=["a"])
    return scaling.list_tags_for_resource(ResourceARN=arn["ScalableTargetARN"])["Tags"]


def test_a_service_whose_tasks_fail_on_purpose_never_becomes_steady(local_clients: Clients) -> None:
    ecs = local_clients("ecs")
    service(
        local_clients,
        "failing",
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    broken = {**TASK, "environment": [{"name": "HOLDFAST_LOCAL_TASKS_FAIL", "value": "true"}]}
    ecs.register_task_definition(family="failing", containerDefinitions=[broken])

    ecs.update_service(cluster="failing", service="failing", taskDefinition="failing:2")

    seen = ecs.describe_services(cluster="failing", services=["failing"])["services"][0]
    assert (seen["runningCount"], seen["deployments"][0]["rolloutState"]) == (0, "FAILED")


def a_one_off_task_ends(clients: Clients) -> object:
    """A task of two containers whose memory is that of the task, with and without an end that is bad."""
    ecs, ec2 = clients("ecs"), clients("ec2")
    ecs.create_cluster(clusterName="one-off")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ended = []
    for family, value in (("good", "false"), ("bad", "true")):
        fails = [{"name": "HOLDFAST_LOCAL_TASKS_FAIL", "value": value}]
        ecs.register_task_definition(
            family=family,
            cpu="256",
            memory="512",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            containerDefinitions=[
                {"name": "run", "image": "app", "environment": fails},
                {"name": "otel", "image": "otel", "essential": False},
            ],
        )
        started = ecs.run_task(
            cluster="one-off",
            taskDefinition=family,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
        )["tasks"][0]
        task = ecs.describe_tasks(cluster="one-off", tasks=[started["taskArn"]])["tasks"][0]
        listed = ecs.list_tasks(cluster="one-off", family=family, desiredStatus="STOPPED")["taskArns"]
        ended.append((task["lastStatus"], task["containers"][0]["exitCode"], len(task["containers"]), listed))
    return [(status, code, count, len(listed)) for status, code, count, listed in ended]


def an_account_setting_for_everybody(clients: Clients) -> object:
    ecs = clients("ecs")
    ecs.put_account_setting_default(name="containerInsights", value="enhanced")
    return ecs.list_account_settings(name="containerInsights", effectiveSettings=True)["settings"][0]["value"]


def a_statement_of_a_function_that_is_there_already(clients: Clients) -> object:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("a.py", "")
    role = clients("iam").create_role(RoleName="permitted", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = clients("lambda")
    functions.create_function(
        FunctionName="f", Runtime="python3.11", Role=role, Handler="a.b", Code={"ZipFile": code.getvalue()}
    )
    statement = {"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction"}
    functions.add_permission(**statement, Principal="events.amazonaws.com")
    try:
        functions.add_permission(**statement, Principal="s3.amazonaws.com")
    except ClientError as refused:
        return refused.response["Error"]["Code"]
    return None


PROBES: Probes = {
    a_statement_of_a_function_that_is_there_already: ("ResourceConflictException", "lambda_permissions"),
    settings_of_a_new_service: (
        [None, "ENABLED", ["FARGATE_SPOT"], True, True, 60, {"enable": True, "rollback": True}, 100],
        "ecs_services",
    ),
    a_new_service_becomes_steady: ((2, 0, "COMPLETED"), "ecs_services"),
    an_update_is_rolled_out: ((1, True, "COMPLETED"), "ecs_services"),
    a_cluster_setting_can_be_updated: (
        [{"name": "containerInsights", "value": "enhanced"}],
        "ecs_cluster_settings",
    ),
    tags_of_a_scalable_target: ({"b": "2"}, "autoscaling_tags"),
    a_one_off_task_ends: ([("STOPPED", 0, 2, 1), ("STOPPED", 1, 2, 1)], "ecs_one_off_tasks"),
    an_account_setting_for_everybody: ("enhanced", "ecs_account_settings"),
}


class TestGaps(Gaps):
    probes = PROBES
