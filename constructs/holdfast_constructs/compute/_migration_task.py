"""The migrations of a service: a stack of their own, before that of the service.

    orders-api-migrations ── task definition ── health check: RunTask, exit code 0
            └── orders waits for it

A deploy goes on to a stack once those it waits for are healthy. So a migration that fails leaves the service
as it was, a resumed deploy waits for the task that runs, and one without a new version runs none.
"""

from cdktf import DataResource, Op
from constructs import Construct

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.compute._fargate_task import FargateTask
from holdfast_constructs.compute._task_options import TaskOptions
from holdfast_constructs.compute.migrations import Migrations
from holdfast_constructs.compute.platform import Platform

_MINUTE = 60
_ID = "migrate"


class MigrationTask(FargateTask):
    """The task of `migrations`, in the stack `scope`, which has nothing else."""

    def __init__(
        self, scope: Construct, *, platform: Platform, options: TaskOptions, migrations: Migrations
    ) -> None:
        super().__init__(scope, _ID, platform=platform, options=options)
        # Says to the service's stack which version this one was deployed for.
        self._version = DataResource(self, "version", input={"image": options.image.reference})
        self._stack.add_health_check(
            "ecs_task_succeeds",
            f"{_ID}-run",
            cluster=platform.cluster.name,
            task_definition=self.task_definition.arn,
            container=self.name,
            subnets=platform.network.private_subnet_ids,
            security_groups=[self.security_group.id],
            window=migrations.timeout_minutes * _MINUTE,
        )

    @property
    def stack(self) -> ServiceStack:
        """The stack it is in."""
        return self._stack

    def is_of(self, revision: float) -> object:
        """Return the condition that this image was deployed; it is open until `revision` is known.

        A plan is made before the migrations of the same run: it cannot be asked there.
        """
        migrated = Op.eq(self._version.get_string_attribute("output.image"), self._container.image)
        return Op.or_(migrated, Op.lt(revision, 1))

    def _place(self) -> None:
        """Do nothing: the task calls no service, so its groups stay as they are."""
