"""The properties of `Cluster`."""

from holdfast_constructs.properties import Always, Property, Theme

DIAGRAM = """
cluster ── Fargate, Fargate Spot
   ├── Container Insights ── log group (logs key)
   ├── ECS Exec sessions ── log group (logs key)
   └── names of services ── how services call each other
"""

PROPERTIES = {
    "logs_key": Property(
        why="encrypts what Container Insights and ECS Exec record",
        controls=("CKV_AWS_158", "CKV_AWS_224"),
        theme=Theme.ENCRYPTED,
    ),
    "exec_audit": Property(why="lets services have a shell, whose sessions are kept"),
    "network": Property(why="lets services call each other by name in this network"),
}

ALWAYS = (
    Always(
        resource="aws_ecs_cluster",
        argument="setting.value",
        value="enhanced",
        why="figures of every task and container",
        controls=("CKV_AWS_65", "FSBP ECS.12", "AwsSolutions-ECS4"),
        theme=Theme.OBSERVED,
    ),
)
