"""A job: a task that is started at times, does its work, and ends.

schedule ── role ── RunTask ── task in private subnets ── what the job is connected to
└── a start that failed for good ── dead_letters
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.scheduler_schedule import (
    SchedulerSchedule,
    SchedulerScheduleFlexibleTimeWindow,
    SchedulerScheduleTarget,
    SchedulerScheduleTargetDeadLetterConfig,
    SchedulerScheduleTargetEcsParameters,
    SchedulerScheduleTargetEcsParametersCapacityProviderStrategy,
    SchedulerScheduleTargetEcsParametersNetworkConfiguration,
    SchedulerScheduleTargetRetryPolicy,
)
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
from constructs import Construct

from holdfast_constructs.app._connections import Outside, note_connection
from holdfast_constructs.checking.arguments import checked
from holdfast_constructs.compute import _schedule_group, _spot
from holdfast_constructs.compute._container_rules import SHORTEST_STOP_SECONDS
from holdfast_constructs.compute._fargate_task import FargateTask
from holdfast_constructs.compute._job_rules import Times
from holdfast_constructs.compute._task_options import SMALL, UNPRIVILEGED, Architecture, TaskOptions
from holdfast_constructs.compute.image import Image
from holdfast_constructs.compute.platform import Platform
from holdfast_constructs.compute.scale import Size
from holdfast_constructs.compute.sidecar import Sidecar
from holdfast_constructs.naming import aws_name, limited
from holdfast_constructs.security._resource_policy import encrypted_transport_only
from holdfast_constructs.security.policy import (
    Condition,
    Statement,
    assumed_by,
    from_this_account,
    policy_json,
)
from holdfast_constructs.security.secret_value import SecretValue

# Amazon SQS: the longest time that a queue keeps a message.
_FORTNIGHT_SECONDS = 1_209_600


@checked
class ScheduledJob(FargateTask):
    """A task that starts by `schedule`: `cron(15 3 * * ? *)`, `rate(1 hour)` or `at(2027-01-31T09:00:00)`.

    The times are those of `timezone`. With `window_minutes` (to 1,440) the start may be as much later, so
    that not everything starts at once. A start that AWS refuses, for want of capacity for example, is tried
    again up to `retries` (0-185) times until `max_age_seconds` (60-86,400) have passed; then it goes to the
    queue `dead_letters`. A program that fails is not started again before its next time: its exit code is in
    the event that ECS sends.

    A job that is still running when its next time comes runs twice: let the program take a lock (in its
    database, for one) if that does harm. `enabled=False` keeps everything and starts nothing. The other
    properties are those of a WebService; with a `spot_share` AWS may end the job within two minutes.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        platform: Platform,
        image: Image,
        schedule: str,
        timezone: str = "UTC",
        window_minutes: int = 0,
        retries: int = 5,
        max_age_seconds: int = 3_600,
        enabled: bool = True,
        size: Size = SMALL,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str | SecretValue] | None = None,
        user: str = UNPRIVILEGED,
        stop_seconds: int = 60,
        command: Sequence[str] = (),
        entry_point: Sequence[str] = (),
        architecture: Architecture = "X86_64",
        spot_share: int = 0,
        sidecars: Sequence[Sidecar] = (),
        writable_paths: Sequence[str] = (),
        exec: bool = False,  # noqa: A002 - what AWS calls it, and a property more than a variable
    ) -> None:
        times = Times(
            schedule=schedule,
            timezone=timezone,
            window_minutes=window_minutes,
            retries=retries,
            max_age_seconds=max_age_seconds,
        )
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
            architecture=architecture,
            sidecars=sidecars,
            writable_paths=writable_paths,
            shell=exec,
            spot_share=spot_share,
        )
        super().__init__(scope, id_, platform=platform, options=options)
        self._times = times
        self.dead_letters = self._make_dead_letters()
        self.starter_role = self._make_starter_role()
        permissions = self._permit_starting()
        self.schedule = self._make_schedule(permissions, enabled=enabled)
        self._waits_for_rights(self.schedule)
        note_connection(Outside("Schedule", times.schedule), self, word="start")

    def _make_dead_letters(self) -> SqsQueue:
        target = self._stack.target
        name = aws_name("queue", target, self._stack.service, self.name, "not-started")
        arn = f"arn:{target.partition}:sqs:{target.region}:{target.account}:{name}"
        queue = SqsQueue(
            self,
            "dead-letters",
            name=name,
            sqs_managed_sse_enabled=True,
            message_retention_seconds=_FORTNIGHT_SECONDS,
            policy=policy_json(self, "dead-letters-policy", encrypted_transport_only("sqs:*", arn)),
        )
        if target.delete_protection:
            self._stack.protect(queue)
        return queue

    def _make_starter_role(self) -> IamRole:
        target = self._stack.target
        trust = assumed_by(
            "scheduler.amazonaws.com",
            from_this_account(target),
            Condition("ArnLike", "aws:SourceArn", (_schedule_group.group_arn(self._stack),)),
        )
        return IamRole(
            self,
            "starter",
            name=aws_name("role", target, self._stack.service, self.name, "starter"),
            description=f"{self._stack.service}/{self.name}. Starts its tasks at their times",
            assume_role_policy=policy_json(self, "starter-trust", trust),
            permissions_boundary=target.permissions_boundary,
        )

    def _permit_starting(self) -> IamRolePolicy:
        policy = policy_json(self, "start-permissions", *self._start_statements())
        return IamRolePolicy(self, "start", name="start", role=self.starter_role.id, policy=policy)

    def _start_statements(self) -> tuple[Statement, ...]:
        target, cluster = self._stack.target, self._platform.cluster
        tasks = f"arn:{target.partition}:ecs:{target.region}:{target.account}:task/{cluster.name}/*"
        return (
            Statement(
                sid="Run",
                actions=("ecs:RunTask",),
                resources=(f"{self.task_definition.arn_without_revision}:*",),
                conditions=(Condition("ArnEquals", "ecs:cluster", (cluster.arn,)),),
            ),
            Statement(
                sid="Tag",
                actions=("ecs:TagResource",),
                resources=(tasks,),
                conditions=(Condition("StringEquals", "ecs:CreateAction", ("RunTask",)),),
            ),
            Statement(
                sid="PassRoles",
                actions=("iam:PassRole",),
                resources=(self.execution_role.arn, self.task_role.arn),
                conditions=(Condition("StringEquals", "iam:PassedToService", ("ecs-tasks.amazonaws.com",)),),
            ),
            Statement(sid="GiveUp", actions=("sqs:SendMessage",), resources=(self.dead_letters.arn,)),
        )

    def _make_schedule(self, permissions: IamRolePolicy, *, enabled: bool) -> SchedulerSchedule:
        times = self._times
        name = aws_name("cluster", self._stack.target, self._stack.service, self.name)
        window = times.window_minutes
        return SchedulerSchedule(
            self,
            "schedule",
            name=limited(name, _schedule_group.LONGEST_NAME),
            group_name=_schedule_group.schedule_group(self._stack).name,
            description=f"Starts {self._stack.service}/{self.name}",
            schedule_expression=times.schedule,
            schedule_expression_timezone=times.timezone,
            state="ENABLED" if enabled else "DISABLED",
            flexible_time_window=SchedulerScheduleFlexibleTimeWindow(
                mode="FLEXIBLE" if window else "OFF", maximum_window_in_minutes=window or None
            ),
            target=SchedulerScheduleTarget(**self._target()),
            # A task that starts before it has its rights fails, and a schedule that may not start it too.
            depends_on=[permissions, self._https_out, *self._roles.policies],
        )

    def _place(self) -> None:
        self.schedule.put_target(**self._target())

    def _target(self) -> dict[str, Any]:
        """Return what the schedule starts, as arguments of SchedulerScheduleTarget."""
        times = self._times
        return {
            "arn": self._platform.cluster.arn,
            "role_arn": self.starter_role.arn,
            "ecs_parameters": self._task(),
            "retry_policy": SchedulerScheduleTargetRetryPolicy(
                maximum_retry_attempts=times.retries,
                maximum_event_age_in_seconds=times.max_age_seconds,
            ),
            "dead_letter_config": SchedulerScheduleTargetDeadLetterConfig(arn=self.dead_letters.arn),
        }

    def _task(self) -> SchedulerScheduleTargetEcsParameters:
        capacity = [
            SchedulerScheduleTargetEcsParametersCapacityProviderStrategy(
                capacity_provider=each.provider, weight=each.weight, base=each.base
            )
            for each in _spot.shared(self._options.spot_share, base=0)
        ]
        return SchedulerScheduleTargetEcsParameters(
            # This revision, and not the newest: what was deployed and verified is what starts.
            task_definition_arn=self.task_definition.arn,
            task_count=1,
            launch_type=None if capacity else _spot.ON_DEMAND,
            capacity_provider_strategy=capacity or None,
            platform_version="LATEST",
            enable_execute_command=self._options.shell,
            enable_ecs_managed_tags=True,
            propagate_tags="TASK_DEFINITION",
            network_configuration=SchedulerScheduleTargetEcsParametersNetworkConfiguration(
                subnets=self._platform.network.private_subnet_ids,
                security_groups=list(self._group_ids),
                assign_public_ip=False,
            ),
        )
