"""A web service in one call: hardened tasks on Fargate behind the shared load balancer.

    load balancer ── rule for the host ── target group ── tasks in private subnets ── what it is connected to

A deploy that does not become healthy is undone by ECS itself, without taking the old tasks away first. What
the service may reach and do is said with `connect_to` and `grant`, and shows up in its own stack.
"""

from collections.abc import Mapping
from dataclasses import replace

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.ecs_service import (
    EcsService,
    EcsServiceDeploymentCircuitBreaker,
    EcsServiceLoadBalancer,
    EcsServiceNetworkConfiguration,
)
from cdktf_cdktf_provider_aws.ecs_task_definition import (
    EcsTaskDefinition,
    EcsTaskDefinitionRuntimePlatform,
    EcsTaskDefinitionVolume,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.lb_listener_rule import LbListenerRule
from cdktf_cdktf_provider_aws.lb_target_group import LbTargetGroup
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute import _web_service_rules as rules
from holdfast_constructs.compute._autoscaling import Autoscaling
from holdfast_constructs.compute._container import TMP_VOLUME, Container
from holdfast_constructs.compute._routing import Routing
from holdfast_constructs.compute._secret_places import secret_places
from holdfast_constructs.compute._task_roles import TaskRoles, start_statements
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.compute.scale import Scale, Size
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network.connections import Connectable, connect
from holdfast_constructs.network.network import ANYWHERE
from holdfast_constructs.security.access import OffersAccess
from holdfast_constructs.security.policy import Statement
from holdfast_constructs.security.secret_value import SecretValue

SMALL = Size(256, 512)
# Called `nonroot` in distroless images.
UNPRIVILEGED = "65532"
HTTPS = 443


@checked
class WebService(Construct):
    """A service that answers HTTP on `port` for `host`, on the platform's load balancer and cluster.

    Required: `image`; `port`; `health`, the path that answers 200-299 when it can take requests; `host`, one
    level below the load balancer's domain; `scale`. `size` is what one task gets. `environment` is plain text
    for anybody to read; `secrets` maps names to `secret.value()`, or to ARNs in Secrets Manager or SSM. The
    container runs as `user` (not root) and writes nowhere but to /tmp: an image that uses /tmp as that user
    declares it as a volume. `stop_seconds` (30-120) is how long it may finish its requests, `grace_seconds`
    how long a new task may fail its health check. `priority` (1-50,000) places the host's rule, only needed
    when two rules collide.

    Raises ConstructError for what AWS would refuse, for what looks like a secret in `environment`, and in
    production for an image by tag or a single task.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        platform: Platform,
        image: Image,
        port: int,
        health: str,
        host: str,
        scale: Scale,
        size: Size = SMALL,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str | SecretValue] | None = None,
        user: str = UNPRIVILEGED,
        stop_seconds: int = 60,
        grace_seconds: int = 60,
        priority: int | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._platform = platform
        self.name = id_
        self.default_port = port
        self.host = host
        rules.check_request(host, platform.gateway.domain, port=port, health=health)
        rules.check_production(self._stack.target, image, scale)
        self.log_group = self._make_log_group()
        self._container = Container(
            name=id_,
            image=image.reference,
            port=port,
            user=user,
            stop_seconds=stop_seconds,
            log_group=self.log_group.name,
            region=self._stack.target.region,
            environment=environment or {},
            secrets=secrets or {},
        )
        self.security_group = self._make_security_group()
        self._routing = Routing(self, "routing", service=id_, platform=platform, port=port, health=health)
        self._roles = TaskRoles(self, "roles", name=id_, start=self._start(image))
        self.task_definition = self._make_task_definition(size)
        self.service = self._make_service(scale, grace_seconds, before=self._routing.claim(host, priority))
        connect(platform.gateway, self, scope=self)
        self.autoscaling = self._scale(scale)
        self._record_health_checks()

    @property
    def security_group_id(self) -> str:
        """The id of the security group of its tasks."""
        return self.security_group.id

    @property
    def url(self) -> str:
        """The URL of the service."""
        return f"{self._platform.gateway.scheme}://{self.host}"

    @property
    def task_role(self) -> IamRole:
        """The role of its program."""
        return self._roles.task

    @property
    def execution_role(self) -> IamRole:
        """The role with which ECS starts its tasks."""
        return self._roles.execution

    @property
    def target_group(self) -> LbTargetGroup:
        """The target group of its tasks."""
        return self._routing.target_group

    def connect_to(
        self,
        server: Connectable,
        *,
        port: int | None = None,
        prefix: str | None = None,
        user: str | None = None,
    ) -> None:
        """Let this service talk to `server`, on its default port unless `port` is given.

        Both security-group rules are written in this service's stack. A server that asks for a login, such as
        a Postgres, also gives the task role its permissions, and the container variables that begin with
        `prefix` (`DATABASE` for a Postgres unless given): see `Postgres.access_for` for which, and for what
        `user` means. Raises ConstructError when the two are connected already, or a variable is set already.
        """
        connect(self, server, port=port)
        if isinstance(server, OffersAccess):
            access = server.access_for(user)
            beginning = server.default_prefix if prefix is None else prefix
            self._add_variables({f"{beginning}_{name}": value for name, value in access.environment.items()})
            self.grant(f"use-{server.name}", *access.statements)

    def grant(self, name: str, *statements: Statement) -> None:
        """Allow the program what `statements` say; `name` is unique in this service and becomes an id."""
        self._roles.grant(name, statements)
        # A task that starts before it has its rights fails, and the deploy with it.
        policy = self._roles.policies[-1]
        address = f"{policy.terraform_resource_type}.{policy.friendly_unique_id}"
        self.service.depends_on = [*(self.service.depends_on or []), address]

    def _add_variables(self, variables: Mapping[str, str]) -> None:
        container = self._container
        taken = sorted(variables.keys() & (container.environment.keys() | container.secrets.keys()))
        if taken:
            raise ConstructError(
                f"{', '.join(taken)} of {self.name} are set already",
                next_step="pass another prefix to connect_to, or remove them from environment and secrets",
            )
        self._container = replace(container, environment={**container.environment, **variables})
        self.task_definition.container_definitions = self._container.definitions()

    def _start(self, image: Image) -> list[Statement]:
        return start_statements(
            self._stack.target,
            image,
            self.log_group.arn,
            secret_places(self, self._container.secrets.values()),
        )

    def _make_log_group(self) -> CloudwatchLogGroup:
        target = self._stack.target
        return CloudwatchLogGroup(
            self,
            "log",
            name=f"/holdfast/{target.environment}/{self._stack.service}/{self.name}",
            retention_in_days=target.log_retention_days,
            kms_key_id=self._platform.logs_key.arn,
        )

    def _make_security_group(self) -> SecurityGroup:
        return SecurityGroup(
            self,
            "security-group",
            name=aws_name("security_group", self._stack.target, self._stack.service, self.name),
            description=f"Tasks of {self._stack.service}/{self.name}",
            vpc_id=self._platform.network.vpc_id,
        )

    def _make_egress(self) -> VpcSecurityGroupEgressRule:
        """Open the ways on which images are pulled and log lines written."""
        return VpcSecurityGroupEgressRule(
            self,
            "https-out",
            security_group_id=self.security_group.id,
            cidr_ipv4=ANYWHERE,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="HTTPS to AWS and to other services",
        )

    def _make_task_definition(self, size: Size) -> EcsTaskDefinition:
        return EcsTaskDefinition(
            self,
            "task",
            family=aws_name("cluster", self._stack.target, self._stack.service, self.name),
            cpu=str(size.cpu),
            memory=str(size.memory),
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform=EcsTaskDefinitionRuntimePlatform(
                operating_system_family="LINUX", cpu_architecture="X86_64"
            ),
            execution_role_arn=self.execution_role.arn,
            task_role_arn=self.task_role.arn,
            volume=[EcsTaskDefinitionVolume(name=TMP_VOLUME)],
            container_definitions=self._container.definitions(),
            # A rollback by ECS needs the revision it goes back to; where nothing is kept, nothing stays.
            skip_destroy=self._stack.target.delete_protection,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )

    def _make_service(self, scale: Scale, grace_seconds: int, *, before: LbListenerRule) -> EcsService:
        network = EcsServiceNetworkConfiguration(
            subnets=self._platform.network.private_subnet_ids,
            security_groups=[self.security_group.id],
            assign_public_ip=False,
        )
        backend = EcsServiceLoadBalancer(
            container_name=self.name, container_port=self.default_port, target_group_arn=self.target_group.arn
        )
        return EcsService(
            self,
            "service",
            name=f"{self._stack.service}-{self.name}",
            cluster=self._platform.cluster.arn,
            task_definition=self.task_definition.arn,
            launch_type="FARGATE",
            platform_version="LATEST",
            desired_count=scale.min_tasks,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            deployment_circuit_breaker=EcsServiceDeploymentCircuitBreaker(enable=True, rollback=True),
            availability_zone_rebalancing="ENABLED",
            health_check_grace_period_seconds=grace_seconds,
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            network_configuration=network,
            load_balancer=[backend],
            # ECS refuses a target group without a listener, and a task without its rights fails.
            depends_on=[before, self._make_egress(), *self._roles.policies],
            # Autoscaling sets this after the first deploy.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["desired_count"]),
        )

    def _scale(self, scale: Scale) -> Autoscaling:
        gateway, group = self._platform.gateway, self.target_group
        return Autoscaling(
            self,
            "autoscaling",
            cluster=self._platform.cluster.name,
            service=self.service.name,
            scale=scale,
            request_label=f"{gateway.load_balancer_arn_suffix}/{group.arn_suffix}",
        )

    def _record_health_checks(self) -> None:
        self._stack.add_health_check(
            "ecs_service_steady",
            f"{self.name}-steady",
            cluster=self._platform.cluster.name,
            service=f"{self._stack.service}-{self.name}",
        )
        self._stack.add_health_check(
            "alb_targets_healthy", f"{self.name}-targets", target_group_arn=self.target_group.arn
        )
