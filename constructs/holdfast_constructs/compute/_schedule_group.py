"""The group of a stack's schedules: the role that starts a job trusts the schedules of this group only."""

from typing import Any

from cdktf_cdktf_provider_aws.scheduler_schedule_group import SchedulerScheduleGroup

from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.naming import aws_name, limited

# EventBridge Scheduler: the names of groups and schedules.
LONGEST_NAME = 64
_ID = "schedules"


def schedule_group(stack: ServiceStack) -> SchedulerScheduleGroup:
    """Return the group of `stack`; the first job of a stack creates it."""
    group: Any = stack.node.try_find_child(_ID)
    if isinstance(group, SchedulerScheduleGroup):
        return group
    return SchedulerScheduleGroup(stack, _ID, name=group_name(stack))


def group_name(stack: ServiceStack) -> str:
    """Return the name of the group, as a text that is known before it exists."""
    return limited(aws_name("cluster", stack.target, stack.service), LONGEST_NAME)


def group_arn(stack: ServiceStack) -> str:
    """Return the ARN of the group, as a text that is known before it exists."""
    target = stack.target
    place = f"arn:{target.partition}:scheduler:{target.region}:{target.account}"
    return f"{place}:schedule-group/{group_name(stack)}"
