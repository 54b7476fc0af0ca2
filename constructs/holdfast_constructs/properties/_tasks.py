"""The properties that all blocks made of a Fargate task have: services, workers, jobs."""

from holdfast_constructs.profiles import Profile
from holdfast_constructs.properties import Always, Property, Theme

_TASK = "aws_ecs_task_definition"
_LOGS = "aws_cloudwatch_log_group"
_SPOT_IN_PRODUCTION = 100


def _keeps_tasks(share: int, profile: Profile) -> bool:
    return profile != "prod" or share < _SPOT_IN_PRODUCTION


PLATFORM = Property(why="the network, load balancer, cluster and logs key it runs on")
IMAGE = Property(why="what runs; production takes a digest, because a tag can be pushed over")
MIGRATIONS = Property(
    why="a task that must end well before the new version is deployed; else the earlier one stays",
    theme=Theme.CHANGED_WITH_CARE,
)

TASK_PROPERTIES = {
    "size": Property(why="CPU units and MiB of a task, one of the pairs that Fargate has"),
    "environment": Property(
        why="variables for anybody to read; what looks like a secret is refused",
        controls=("FSBP ECS.8", "AwsSolutions-ECS2"),
        theme=Theme.ACCESS,
    ),
    "secrets": Property(why="variables whose values ECS fetches by ARN when a task starts"),
    "user": Property(
        why="never root, so that a program that is broken into may do little",
        controls=("FSBP ECS.20",),
        theme=Theme.ACCESS,
    ),
    "stop_seconds": Property(why="how long it may finish what it does before it is killed"),
    "command": Property(why="words in place of the image's command"),
    "entry_point": Property(why="words in place of the image's entry point"),
    "architecture": Property(why="ARM64 (Graviton) costs a fifth less, for an image built for it"),
    "spot_share": Property(
        why="percent of tasks on Fargate Spot, which costs less and may be taken away within two minutes",
        theme=Theme.RECOVERABLE,
        satisfied=_keeps_tasks,
    ),
    "sidecars": Property(why="other containers of the same task, such as a proxy or an agent"),
    "writable_paths": Property(why="folders that are volumes, since everything else cannot be written"),
    "exec": Property(
        why="a shell in a running task by ECS Exec; each session is kept in the cluster's log group",
        theme=Theme.ACCESS,
        satisfied=lambda value, _: not value,
    ),
}

TASK_ALWAYS = (
    Always(
        resource=_TASK,
        argument="container_definitions.readonlyRootFilesystem",
        value=True,
        why="a program that is broken into cannot change what runs",
        controls=("CKV_AWS_336", "FSBP ECS.5"),
        theme=Theme.CHANGED_WITH_CARE,
    ),
    Always(
        resource=_TASK,
        argument="container_definitions.linuxParameters.capabilities.drop",
        value=["ALL"],
        why="the kernel grants it nothing that a web program does not need",
        theme=Theme.ACCESS,
    ),
    Always(
        resource=_TASK,
        argument="network_mode",
        value="awsvpc",
        why="each task has its own security group",
        controls=("FSBP ECS.17",),
        theme=Theme.BOUNDARY,
    ),
)

SERVICE_ALWAYS = (
    Always(
        resource="aws_ecs_service",
        argument="network_configuration.assign_public_ip",
        value=False,
        why="tasks are reached through the load balancer only",
        controls=("CKV_AWS_333", "FSBP ECS.2"),
        theme=Theme.BOUNDARY,
    ),
    Always(
        resource="aws_ecs_service",
        argument="platform_version",
        value="LATEST",
        why="AWS's newest corrections",
        controls=("CKV_AWS_332", "FSBP ECS.10"),
        theme=Theme.PATCHED,
    ),
    Always(
        resource="aws_ecs_service",
        argument="deployment_circuit_breaker.rollback",
        value=True,
        why="a version that does not become healthy goes back by itself",
        theme=Theme.CHANGED_WITH_CARE,
    ),
    Always(
        resource="aws_ecs_service",
        argument="deployment_minimum_healthy_percent",
        value=100,
        why="a deploy never takes capacity away",
        theme=Theme.RECOVERABLE,
    ),
)
