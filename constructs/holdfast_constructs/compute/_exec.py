"""ECS Exec: a shell in a running container, for people whom IAM lets; each session is encrypted and recorded.

The agent that AWS puts into the container works with the rights of the task, so these need them.
"""

from holdfast_constructs.compute.imported_cluster import ServiceCluster
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.policy import Statement


def exec_statements(cluster: ServiceCluster, name: str) -> tuple[Statement, ...]:
    """Return what a task of `cluster` needs for ECS Exec.

    Raises ConstructError for a cluster that records no sessions.
    """
    audit = cluster.exec_audit
    if audit is None:
        raise ConstructError(
            f"exec of {name} needs a cluster that records what is typed",
            next_step="create the Cluster with exec_audit=True, or import it with exec_audit=…",
        )
    return (
        # None of these takes a resource.
        Statement(
            sid="OpenSession",
            actions=(
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ),
        ),
        Statement(sid="FindAuditLog", actions=("logs:DescribeLogGroups",)),
        Statement(
            sid="WriteAuditLog",
            actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
            resources=(f"{audit.log_group_arn}:*",),
        ),
        Statement(sid="EncryptSession", actions=("kms:Decrypt",), resources=(audit.key_arn,)),
    )
