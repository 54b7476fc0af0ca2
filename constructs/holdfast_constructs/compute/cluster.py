"""The ECS cluster of the services: Fargate and Fargate Spot, with Container Insights."""

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.ecs_cluster import (
    EcsCluster,
    EcsClusterConfiguration,
    EcsClusterConfigurationExecuteCommandConfiguration,
    EcsClusterConfigurationExecuteCommandConfigurationLogConfiguration,
    EcsClusterSetting,
)
from cdktf_cdktf_provider_aws.ecs_cluster_capacity_providers import (
    EcsClusterCapacityProviders,
    EcsClusterCapacityProvidersDefaultCapacityProviderStrategy,
)
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute._calls import Calls
from holdfast_constructs.compute._spot import ON_DEMAND, SPOT
from holdfast_constructs.compute.imported_cluster import ClusterCalls, ExecAudit, ImportedCluster
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network.imported_network import VpcNetwork
from holdfast_constructs.security.keys import EncryptionKey


@checked
class Cluster(Construct):
    """An ECS cluster; `logs_key` encrypts what Container Insights records.

    With `exec_audit`, services may have `exec`: each session is encrypted with `logs_key`, and what is typed
    and answered is kept in a log group. With `network`, the services call each other by name: `connect_to`
    from one to another asks for it. A task runs on Fargate unless its block says `spot_share`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        logs_key: EncryptionKey,
        exec_audit: bool = False,
        network: VpcNetwork | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._name = aws_name("cluster", self._stack.target, self._stack.service, id_)
        self.logs_key = logs_key
        self.insights_log_group = CloudwatchLogGroup(
            self,
            "insights",
            # ECS writes to this group. If ECS created it, it would not be encrypted and never expire.
            name=f"/aws/ecs/containerinsights/{self._name}/performance",
            retention_in_days=self._stack.target.log_retention_days,
            kms_key_id=logs_key.arn,
        )
        self.exec_log_group = self._make_exec_log_group() if exec_audit else None
        self.cluster = EcsCluster(
            self,
            "cluster",
            name=self._name,
            configuration=self._configuration(),
            setting=[EcsClusterSetting(name="containerInsights", value="enhanced")],
            depends_on=[self.insights_log_group],
        )
        EcsClusterCapacityProviders(
            self,
            "capacity",
            cluster_name=self.cluster.name,
            capacity_providers=[ON_DEMAND, SPOT],
            default_capacity_provider_strategy=[
                EcsClusterCapacityProvidersDefaultCapacityProviderStrategy(
                    capacity_provider=ON_DEMAND, weight=1
                )
            ],
        )

        self.calls = None if network is None else Calls(self, "calls", name=self._name, network=network)

    @classmethod
    def import_(
        cls, arn: str, *, exec_audit: ExecAudit | None = None, calls: ClusterCalls | None = None
    ) -> ImportedCluster:
        """Return a cluster that exists, by its ARN; nothing of it is managed.

        It has to offer Fargate, and Fargate Spot to services with a `spot_share`. `exec_audit` and `calls`
        are what its services need for `exec` and to call each other. Raises ConstructError for an ARN of
        anything else.
        """
        return ImportedCluster(arn, exec_audit=exec_audit, calls=calls)

    @property
    def exec_audit(self) -> ExecAudit | None:
        """What sessions of ECS Exec are recorded with, where they are."""
        if self.exec_log_group is None:
            return None
        return ExecAudit(log_group_arn=self.exec_log_group.arn, key_arn=self.logs_key.arn)

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return self.cluster.arn

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.cluster.name

    def _make_exec_log_group(self) -> CloudwatchLogGroup:
        return CloudwatchLogGroup(
            self,
            "exec",
            name=f"/holdfast/exec/{self._name}",
            retention_in_days=self._stack.target.log_retention_days,
            kms_key_id=self.logs_key.arn,
        )

    def _configuration(self) -> EcsClusterConfiguration | None:
        if self.exec_log_group is None:
            return None
        return EcsClusterConfiguration(
            execute_command_configuration=EcsClusterConfigurationExecuteCommandConfiguration(
                kms_key_id=self.logs_key.arn,
                logging="OVERRIDE",
                log_configuration=EcsClusterConfigurationExecuteCommandConfigurationLogConfiguration(
                    cloud_watch_encryption_enabled=True,
                    cloud_watch_log_group_name=self.exec_log_group.name,
                ),
            )
        )
