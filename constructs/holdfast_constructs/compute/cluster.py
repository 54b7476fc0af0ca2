"""The ECS cluster of the services: Fargate only, with Container Insights."""

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.ecs_cluster import EcsCluster, EcsClusterSetting
from cdktf_cdktf_provider_aws.ecs_cluster_capacity_providers import (
    EcsClusterCapacityProviders,
    EcsClusterCapacityProvidersDefaultCapacityProviderStrategy,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.naming import aws_name
from holdfast_constructs.security.keys import EncryptionKey


@checked
class Cluster(Construct):
    """An ECS cluster; `logs_key` encrypts what Container Insights records."""

    def __init__(self, scope: Construct, id_: str, *, logs_key: EncryptionKey) -> None:
        super().__init__(scope, id_)
        stack = ServiceStack.of(self)
        cluster_name = aws_name("cluster", stack.target, stack.service, id_)
        self.insights_log_group = CloudwatchLogGroup(
            self,
            "insights",
            # ECS writes to this group. If ECS created it, it would not be encrypted and never expire.
            name=f"/aws/ecs/containerinsights/{cluster_name}/performance",
            retention_in_days=stack.target.log_retention_days,
            kms_key_id=logs_key.arn,
        )
        self.cluster = EcsCluster(
            self,
            "cluster",
            name=cluster_name,
            setting=[EcsClusterSetting(name="containerInsights", value="enhanced")],
            depends_on=[self.insights_log_group],
        )
        EcsClusterCapacityProviders(
            self,
            "capacity",
            cluster_name=self.cluster.name,
            capacity_providers=["FARGATE"],
            default_capacity_provider_strategy=[
                EcsClusterCapacityProvidersDefaultCapacityProviderStrategy(
                    capacity_provider="FARGATE", weight=1
                )
            ],
        )

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return self.cluster.arn

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.cluster.name
