"""A worker: tasks that take messages from a queue, as many as its backlog needs.

queue ── messages ── tasks in private subnets ── what the worker is connected to
└── backlog per task ── autoscaling
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from constructs import Construct

from holdfast_constructs.app._connections import note_permission
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute._backlog import Backlog
from holdfast_constructs.compute._container_rules import LONGEST_STOP_SECONDS, SHORTEST_STOP_SECONDS
from holdfast_constructs.compute._fargate_service import FargateService
from holdfast_constructs.compute._task_options import SMALL, UNPRIVILEGED, Architecture, TaskOptions
from holdfast_constructs.compute.container_health import ContainerHealth
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.migrations import Migrations
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.compute.scale import BacklogScale, Size
from holdfast_constructs.compute.sidecar import Sidecar
from holdfast_constructs.errors import ConstructError
from holdfast_constructs.security.access import Grantee
from holdfast_constructs.security.policy import Statement
from holdfast_constructs.security.secret_value import SecretValue

_PREFIX = "QUEUE"


class WorkQueue(Protocol):
    """An SQS queue that a worker takes messages from: a `Queue`, or any object that says these three.

    Where it has `grant_consume`, that gives the permissions, those for its key among them.
    """

    @property
    def arn(self) -> str:
        """Its ARN."""

    @property
    def url(self) -> str:
        """Its URL."""

    @property
    def queue_name(self) -> str:
        """Its name in SQS, by which CloudWatch counts its messages."""


@runtime_checkable
class _Grants(Protocol):
    def grant_consume(self, grantee: Grantee) -> None: ...


@checked
class Worker(FargateService):
    """Tasks that take messages from `queue`, between `scale.min_tasks` and `scale.max_tasks` of them.

    The program finds the queue in `QUEUE_URL`, receives, and deletes what it has done; nobody calls it. When
    a task has to go, it is told to stop and has `stop_seconds` (2-120) for the message in its hands; one that
    is not deleted until then is delivered again. A Queue hides a message for no less. The other properties
    are those of a WebService.

    Raises ConstructError for what AWS would refuse, and in production for an image by tag or for no tasks.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        platform: Platform,
        image: Image,
        queue: WorkQueue,
        scale: BacklogScale,
        size: Size = SMALL,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str | SecretValue] | None = None,
        user: str = UNPRIVILEGED,
        stop_seconds: int = LONGEST_STOP_SECONDS,
        command: Sequence[str] = (),
        entry_point: Sequence[str] = (),
        container_health: ContainerHealth | None = None,
        architecture: Architecture = "X86_64",
        spot_share: int = 0,
        sidecars: Sequence[Sidecar] = (),
        writable_paths: Sequence[str] = (),
        migrations: Migrations | None = None,
        exec: bool = False,  # noqa: A002 - what AWS calls it, and a property more than a variable
    ) -> None:
        options = TaskOptions(
            image=image,
            size=size,
            environment=environment,
            secrets=secrets,
            user=user,
            stop_seconds=stop_seconds,
            least_stop_seconds=SHORTEST_STOP_SECONDS,
            command=command,
            entry_point=entry_point,
            container_health=container_health,
            architecture=architecture,
            sidecars=sidecars,
            writable_paths=writable_paths,
            shell=exec,
            spot_share=spot_share,
        )
        super().__init__(scope, id_, platform=platform, options=options)
        self._check_tasks(scale)
        self._check_addresses(scale)
        _check_visibility(queue, id_, stop_seconds)
        self._migrate(migrations)
        self.queue = queue
        self._consume(queue)
        self.service = self._run(scale.min_tasks)
        self.autoscaling = Backlog(
            self,
            "autoscaling",
            cluster=platform.cluster.name,
            service=self.service.name,
            scale=scale,
            queue_name=queue.queue_name,
        )

    def _consume(self, queue: WorkQueue) -> None:
        self._add_variables({f"{_PREFIX}_URL": queue.url})
        if isinstance(queue, _Grants):
            queue.grant_consume(self)
            return
        consume = Statement(
            sid="Consume",
            actions=(
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
            ),
            resources=(queue.arn,),
        )
        note_permission(self, queue, consume.actions)
        self.grant("consume", consume)

    def _check_tasks(self, scale: BacklogScale) -> None:
        target = self._stack.target
        fewest = min((scale.min_tasks, *(each.min_tasks for each in scale.schedules)))
        if target.production and fewest < 1:
            raise ConstructError(
                f"min_tasks of {self.name} in {target.environment}",
                got=fewest,
                allowed="at least 1",
                next_step="without a task, the first message waits for minutes",
            )


def _check_visibility(queue: WorkQueue, worker: str, stop_seconds: int) -> None:
    """Refuse a queue that gives a message to another task while the first may still be working on it."""
    hidden = getattr(queue, "visibility_seconds", None)
    if isinstance(hidden, int) and hidden < stop_seconds:
        raise ConstructError(
            f"visibility_seconds of the queue of {worker}",
            got=hidden,
            allowed=f"at least its stop_seconds, {stop_seconds}",
            next_step="raise it to more than the work on a message takes, or lower stop_seconds",
        )
