"""A service that was deleted is in nobody's way, though AWS goes on describing it as INACTIVE for a while.

One that is there stays its owner's, also where it was scaled to zero, which is all that the data source tells
of a deleted one.
"""

from typing import Any

import pytest
from tests.support.owned_objects import Cloud, stack
from tests.terraform.conftest import ACCOUNT, REGION, App

pytestmark = pytest.mark.long


def service(name: str, *, count: int) -> dict[str, Any]:
    """An ECS service in a cluster that somebody else keeps."""
    return {
        "aws_ecs_service": {
            "s": {
                "name": name,
                "cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{name}",
                "task_definition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{name}:1",
                "launch_type": "EC2",
                "desired_count": count,
                "tags": {"Purpose": "test"},
            }
        }
    }


@pytest.fixture
def cloud(aws_app: App) -> Cloud:
    """The cloud with a cluster and a task definition."""
    cloud = Cloud(aws_app, aws_app.bucket)
    ecs = cloud("ecs")
    ecs.create_cluster(clusterName=cloud.name)
    container = {"name": "main", "image": "busybox", "memory": 64}
    ecs.register_task_definition(family=cloud.name, containerDefinitions=[container])
    return cloud


@pytest.mark.parametrize("cold", [(), ("--cold-providers",)], ids=["warm", "cold"])
def test_what_was_destroyed_can_be_deployed_again_at_once(
    aws_app: App, cloud: Cloud, cold: tuple[str, ...]
) -> None:
    aws_app.write({"svc": stack(**service(cloud.name, count=1))})
    assert aws_app.outcomes("deploy", "--yes", *cold) == {"svc": "committed"}
    assert aws_app.outcomes("destroy", "--yes", *cold) == {"svc": "committed"}
    described = cloud("ecs").describe_services(cluster=cloud.name, services=[cloud.name])["services"]
    assert [one["status"] for one in described] == ["INACTIVE"]

    assert aws_app.outcomes("deploy", "--yes", *cold) == {"svc": "committed"}

    described = cloud("ecs").describe_services(cluster=cloud.name, services=[cloud.name])["services"]
    assert [one["status"] for one in described] == ["ACTIVE"]


@pytest.mark.parametrize("count", [0, 2])
def test_a_service_that_is_there_stays_its_owners_also_when_scaled_to_zero(
    aws_app: App, cloud: Cloud, count: int
) -> None:
    cloud("ecs").create_service(
        cluster=cloud.name, serviceName=cloud.name, taskDefinition=cloud.name, desiredCount=count
    )
    aws_app.write({"svc": stack(**service(cloud.name, count=1))})

    assert aws_app.outcomes("deploy", "--yes") == {"svc": "blocked"}

    (described,) = cloud("ecs").describe_services(cluster=cloud.name, services=[cloud.name])["services"]
    assert described["desiredCount"] == count
