"""Tasks that ECS keeps running: it undoes a deploy that fails, without taking the old tasks away first."""

from collections.abc import Sequence
from dataclasses import replace

from cdktf import App, ITerraformDependable, Precondition, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ecs_service import (
    EcsService,
    EcsServiceCapacityProviderStrategy,
    EcsServiceDeploymentCircuitBreaker,
    EcsServiceLoadBalancer,
    EcsServiceNetworkConfiguration,
)

from holdfast_constructs._tokens import is_number_token
from holdfast_constructs.app._stack_order import wait_for
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.compute import _spot
from holdfast_constructs.compute._fargate_task import FargateTask
from holdfast_constructs.compute._migration_task import MigrationTask
from holdfast_constructs.compute.migrations import Migrations
from holdfast_constructs.compute.scale import BacklogScale, Scale
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import limited, name_in_cluster

# If one task or its zone fails, another task still answers.
SAFE_TASKS = 2
# The longest name of a service, which is a part of its state's key.
_LONGEST_SERVICE = 63
_MIGRATIONS = "-migrations"


class FargateService(FargateTask):
    """A task of which ECS keeps some running; `_run` begins that, once everything is there."""

    service: EcsService
    migration: MigrationTask | None = None

    @property
    def service_name(self) -> str:
        """The name of the ECS service, unique in its cluster.

        ECS cannot change a service to Spot or back. One that uses Spot has a name of its own, so that it is
        created before the other is deleted.
        """
        ending = "-spot" if self._options.spot_share else ""
        return name_in_cluster(self._stack.target, self._stack.service, f"{self.name}{ending}")

    def _check_addresses(self, scale: Scale | BacklogScale) -> None:
        """Raise ConstructError where the private subnets have too few addresses while this is deployed."""
        room: int | None = getattr(self._platform.network, "private_addresses", None)
        most = max((scale.max_tasks, *(each.max_tasks for each in scale.schedules)))
        if room is not None and not is_number_token(most) and 2 * most > room:
            raise ConstructError(
                f"max_tasks of {self.name}",
                got=most,
                allowed=f"at most {room // 2}: twice as many run during a deploy, for {room} addresses",
                next_step="take a larger network, which is the one with the smaller number after the slash",
            )

    def _run(
        self,
        count: int,
        *,
        waits_for: Sequence[ITerraformDependable] = (),
        behind: EcsServiceLoadBalancer | None = None,
        grace_seconds: int | None = None,
    ) -> EcsService:
        """Create the service with `count` tasks to begin with, and its health check after a deploy."""
        capacity = self._capacity(count)
        service = EcsService(
            self,
            "service",
            name=self.service_name,
            cluster=self._platform.cluster.arn,
            task_definition=self.task_definition.arn,
            launch_type=None if capacity else _spot.ON_DEMAND,
            capacity_provider_strategy=capacity or None,
            # Without it, the provider replaces a service whose strategy changes.
            force_new_deployment=True if capacity else None,
            platform_version="LATEST",
            desired_count=count,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            availability_zone_rebalancing="ENABLED",
            health_check_grace_period_seconds=grace_seconds,
            enable_execute_command=self._options.shell,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            network_configuration=self._network(),
            load_balancer=None if behind is None else [behind],
            # A task without its rights fails.
            depends_on=[*waits_for, self._https_out, *self._roles.policies],
            lifecycle=self._lifecycle(replaced=bool(capacity)),
        )
        self._waits_for_rights(service)
        self._stack.add_health_check(
            "ecs_service_steady",
            f"{self.name}-steady",
            cluster=self._platform.cluster.name,
            service=self.service_name,
        )
        return service

    def _migrate(self, migrations: Migrations | None) -> None:
        """Let `migrations` end well before the service is changed; their stack is one before this one."""
        if migrations is None:
            return
        given = self._options
        options = replace(
            given,
            image=migrations.image or given.image,
            size=migrations.size or given.size,
            environment=given.environment if migrations.environment is None else migrations.environment,
            secrets=given.secrets if migrations.secrets is None else migrations.secrets,
            command=migrations.command,
            port=None,
            container_health=None,
            sidecars=(),
            shell=False,
        )
        target, service = self._stack.target, self._stack.base_service
        # The target adds its tenant to the name of the service.
        longest = _LONGEST_SERVICE - len(_MIGRATIONS) - len(target.own_name(service)) + len(service)
        whose = limited(f"{service}-{self.name}", longest).lower()
        stack = ServiceStack(App.of(self), f"{whose}{_MIGRATIONS}", target)
        self.migration = MigrationTask(stack, platform=self._platform, options=options, migrations=migrations)
        self._connected_alike.append(self.migration)
        self._stack.add_dependency(stack)
        wait_for(self, self.migration, "its migrations")

    def _lifecycle(self, *, replaced: bool) -> TerraformResourceLifecycle:
        """Return what Terraform does about changes; autoscaling sets the count after the first deploy."""
        return TerraformResourceLifecycle(
            ignore_changes=["desired_count"],
            create_before_destroy=True if replaced else None,
            precondition=None if self.migration is None else [self._migrated(self.migration)],
        )

    def _migrated(self, migration: MigrationTask) -> Precondition:
        """Hold back a version whose migrations were left out, with `--service` for example."""
        stack = migration.stack.name
        return Precondition(
            condition=migration.is_of(self.task_definition.revision),
            error_message=f"The migrations of this version have not run: deploy the stack {stack}, too.",
        )

    def _network(self) -> EcsServiceNetworkConfiguration:
        return EcsServiceNetworkConfiguration(
            subnets=self._platform.network.private_subnet_ids,
            security_groups=list(self._group_ids),
            assign_public_ip=False,
        )

    def _place(self) -> None:
        self.service.put_network_configuration(
            subnets=self._platform.network.private_subnet_ids,
            security_groups=list(self._group_ids),
            assign_public_ip=False,
        )

    def _capacity(self, count: int) -> list[EcsServiceCapacityProviderStrategy]:
        kept = SAFE_TASKS if self._stack.target.production else 1
        return [
            EcsServiceCapacityProviderStrategy(
                capacity_provider=each.provider, weight=each.weight, base=each.base
            )
            for each in _spot.shared(self._options.spot_share, base=min(count, kept))
        ]
