"""Everything that runs as a task on Fargate: its containers, log, roles, security group and task definition.

The blocks add when tasks run: a service, a queue's worker, a schedule. What the program may reach and do is
said with `connect_to` and `grant`, and shows up in its own stack.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from cdktf import TerraformResource, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.ecs_task_definition import (
    EcsTaskDefinition,
    EcsTaskDefinitionRuntimePlatform,
    EcsTaskDefinitionVolume,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from constructs import Construct

from holdfast_constructs.app._connections import note_connection, note_permission
from holdfast_constructs.app._stack_order import wait_for
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.compute._calls import AnswersCalls
from holdfast_constructs.compute._container import definitions
from holdfast_constructs.compute._exec import exec_statements
from holdfast_constructs.compute._secret_places import secret_places
from holdfast_constructs.compute._task_options import TaskOptions
from holdfast_constructs.compute._task_roles import TaskRoles, start_statements
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.naming import aws_name
from holdfast_constructs.network.connections import Connectable, connect
from holdfast_constructs.network.network import ANYWHERE
from holdfast_constructs.security.access import OffersAccess
from holdfast_constructs.security.policy import Statement

HTTPS = 443


@dataclass(frozen=True, slots=True)
class _Client:
    """A task as one that opens connections: it has no port of its own."""

    name: str
    security_group_id: str
    default_port: int = 0


class FargateTask(Construct):
    """A task on the cluster of `platform`; `options` are what it runs and as what.

    A block that derives from it calls `_waits_for_rights` with what starts tasks.
    """

    def __init__(self, scope: Construct, id_: str, *, platform: Platform, options: TaskOptions) -> None:
        super().__init__(scope, id_)
        self._stack = ServiceStack.of(self)
        self._platform = platform
        self._options = options
        self._starters: list[TerraformResource] = []
        self._used: dict[str, OffersAccess] = {}
        self._connected_alike: list[FargateTask] = []
        self.name = id_
        options.check(id_, self._stack.target)
        self.log_group = self._make_log_group()
        place = (self.log_group.name, self._stack.target.region)
        self._container = options.main(id_, *place)
        self._sidecars = tuple(options.others(*place))
        self.security_group = self._make_security_group()
        self._group_ids = [self.security_group.id]
        self._https_out = self._make_egress()
        self._roles = TaskRoles(self, "roles", name=id_, start=self._start())
        if options.shell:
            self._roles.grant("exec", exec_statements(platform.cluster, id_))
        self.task_definition = self._make_task_definition()

    @property
    def security_group_id(self) -> str:
        """The id of the security group of its tasks."""
        return self.security_group.id

    @property
    def task_role(self) -> IamRole:
        """The role of its program."""
        return self._roles.task

    @property
    def execution_role(self) -> IamRole:
        """The role with which ECS starts its tasks."""
        return self._roles.execution

    def connect_to(
        self,
        part: Connectable | OffersAccess,
        *,
        port: int | None = None,
        prefix: str | None = None,
        user: str | None = None,
    ) -> None:
        """Let the program use `part`: reach it, be permitted to, and know where it is.

        Where the part listens in the network, both security-group rules are written in this stack, for its
        default port unless `port` is given. What it offers (a Postgres, a queue, a bucket) gives the task
        role its permissions, and the container variables that begin with `prefix` (`DATABASE` for a Postgres
        unless given); `user` is whom to log in as, for a part that has users.

        Another service gives `<its name>_URL`; the two may be in stacks that call each other. Raises
        ConstructError when the two are connected already, a variable is set already, or two stacks would wait
        for each other.
        """
        if isinstance(part, AnswersCalls):
            self._call(part, port, prefix)
            return
        wait_for(self, part, part.name)
        if _listens(part):
            connect(_Client(self.name, self.security_group_id), part, port=port, scope=self)
        elif port is not None:
            raise ConstructError(f"{part.name} has no port", got=port, next_step="leave port out")
        if isinstance(part, OffersAccess):
            self._use(part, prefix, user)
        for task in self._connected_alike:
            task.connect_to(part, port=port, prefix=prefix, user=user)

    def grant(self, name: str, *statements: Statement) -> None:
        """Allow the program what `statements` say; `name` is unique in this block and becomes an id."""
        self._roles.grant(name, statements)
        # A task that starts before it has its rights fails, and the deploy with it.
        policy = self._roles.policies[-1]
        address = f"{policy.terraform_resource_type}.{policy.friendly_unique_id}"
        for starter in self._starters:
            starter.depends_on = [*(starter.depends_on or []), address]

    def _call(self, service: AnswersCalls, port: int | None, prefix: str | None) -> None:
        """Let the program call another service, whose stack does not become one that this one waits for."""
        url = service.accept_calls(port)
        self._add_variables({f"{prefix or self._named_as(service)}_URL": url})
        self._join(service.calls_group_id)
        listening = service.default_port if port is None else port
        note_connection(self, service, port=listening, word="call")
        if self.node.try_find_child(f"calls-on-{listening}") is None:
            VpcSecurityGroupEgressRule(
                self,
                f"calls-on-{listening}",
                security_group_id=self.security_group.id,
                referenced_security_group_id=service.calls_group_id,
                ip_protocol="tcp",
                from_port=listening,
                to_port=listening,
                description="Calls to services of the cluster",
            )

    def _named_as(self, service: AnswersCalls) -> str:
        """What a service is called in variables: by its stack, or by its own name in the same one.

        A service of the caller's own tenant goes without the tenant's name: `BILLING`.
        """
        stack = ServiceStack.of(service) if isinstance(service, Construct) else self._stack
        is_own = stack.target.tenant == self._stack.target.tenant
        of_stack = stack.base_service if is_own else stack.service
        name = service.name if stack is self._stack else of_stack
        return name.upper().replace("-", "_")

    def _join(self, group_id: str) -> None:
        """Make the tasks members of one more security group."""
        if group_id not in self._group_ids:
            self._group_ids.append(group_id)
            self._place()

    def _place(self) -> None:
        """Tell what starts tasks that their security groups are others."""
        raise NotImplementedError

    def _use(self, part: OffersAccess, prefix: str | None, user: str | None) -> None:
        access = part.access_for(user)
        beginning = part.default_prefix if prefix is None else prefix
        self._add_variables({f"{beginning}_{name}": value for name, value in access.environment.items()})
        note_permission(self, part, [action for each in access.statements for action in each.actions])
        if access.statements:
            self.grant(self._use_name(part), *access.statements)

    def _use_name(self, part: OffersAccess) -> str:
        """What is granted for a part; two parts of one name are told apart by their stacks."""
        name = f"use-{part.name}"
        first = self._used.setdefault(name, part)
        if first is part or not isinstance(part, Construct):
            return name
        return f"use-{ServiceStack.of(part).name}-{part.name}"

    def _add_variables(self, variables: Mapping[str, str]) -> None:
        container = self._container
        taken = sorted(variables.keys() & (container.environment.keys() | container.secrets.keys()))
        if taken:
            raise ConstructError(
                f"{', '.join(taken)} of {self.name} are set already",
                next_step="pass another prefix to connect_to, or remove them from environment and secrets",
            )
        self._container = replace(container, environment={**container.environment, **variables})
        self.task_definition.container_definitions = self._definitions()

    def _waits_for_rights(self, starter: TerraformResource) -> None:
        """Let `starter`, which starts tasks, wait for what the program is granted later on."""
        self._starters.append(starter)

    def _definitions(self) -> str:
        return definitions([self._container, *self._sidecars])

    def _start(self) -> list[Statement]:
        containers = (self._container, *self._sidecars)
        secrets = [arn for container in containers for arn in container.secrets.values()]
        images = [self._options.image, *(sidecar.image for sidecar in self._options.sidecars)]
        return start_statements(self._stack.target, images, self.log_group.arn, secret_places(self, secrets))

    def _make_log_group(self) -> CloudwatchLogGroup:
        target = self._stack.target
        return CloudwatchLogGroup(
            self,
            "log",
            name=f"{target.log_prefix}/{self._stack.service}/{self.name}",
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

    def _make_task_definition(self) -> EcsTaskDefinition:
        size = self._options.size
        return EcsTaskDefinition(
            self,
            "task",
            family=aws_name("cluster", self._stack.target, self._stack.service, self.name),
            cpu=str(size.cpu),
            memory=str(size.memory),
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform=EcsTaskDefinitionRuntimePlatform(
                operating_system_family="LINUX", cpu_architecture=self._options.architecture
            ),
            execution_role_arn=self.execution_role.arn,
            task_role_arn=self.task_role.arn,
            volume=[EcsTaskDefinitionVolume(name=name) for name in self._volumes()],
            container_definitions=self._definitions(),
            # A rollback by ECS needs the revision it goes back to; where nothing is kept, nothing stays.
            skip_destroy=self._stack.target.delete_protection,
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )

    def _volumes(self) -> Sequence[str]:
        containers = (self._container, *self._sidecars)
        return [mount.volume for container in containers for mount in container.mounts]


def _listens(part: Connectable | OffersAccess) -> TypeGuard[Connectable]:
    return hasattr(part, "security_group_id") and hasattr(part, "default_port")
