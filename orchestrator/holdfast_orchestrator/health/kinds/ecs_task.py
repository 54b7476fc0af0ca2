"""A task on ECS is started once, and ends with exit code 0.

The first look starts it; the later ones ask how it is getting on. A deploy that is resumed finds the task
that the process before it had started, and starts no second one beside it.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from holdfast_orchestrator.health.observation import Observation, Standing

if TYPE_CHECKING:
    from holdfast_orchestrator.health.checks import EcsTaskSucceeds
    from holdfast_orchestrator.health.context import CheckContext

_STARTED_BY = "holdfast"
# Amazon ECS, DescribeTasks: tasks in one call.
_MOST_TASKS = 100


def look(check: "EcsTaskSucceeds", doors: "CheckContext") -> Observation:
    """Start the task unless there is one, and judge it."""
    ecs = doors.client("ecs")
    if check.name not in doors.started:
        task = _earlier(ecs, check) or _start(ecs, check)
        if isinstance(task, Observation):
            return task
        doors.started[check.name] = task
    arn = doors.started[check.name]
    tasks = ecs.describe_tasks(cluster=check.cluster, tasks=[arn])["tasks"]
    if not tasks:
        return Observation(Standing.UNKNOWN, f"ECS does not know task {_id(arn)} yet")
    return judge(tasks[0], str(check.container))


def judge(task: Mapping[str, Any], container: str) -> Observation:
    """Say how a task, as DescribeTasks gives it, has ended, by the exit code of `container`."""
    name, status = _id(task["taskArn"]), task["lastStatus"]
    if status != "STOPPED":
        return Observation(Standing.WAITING, f"task {name} is {status.lower()}")
    code = _exit_code(task, container)
    if code == 0:
        return Observation(Standing.HEALTHY, f"task {name}: exit code 0")
    why = task.get("stoppedReason") or "no reason given"
    if code is None:
        return Observation(Standing.FAILED, f"task {name} never ran: {why}")
    log = f"{container}/{container}/{name}"
    return Observation(Standing.FAILED, f"task {name}: exit code {code} ({why}); its log stream is {log}")


def _start(ecs: Any, check: "EcsTaskSucceeds") -> str | Observation:
    answer = ecs.run_task(
        cluster=check.cluster,
        taskDefinition=check.task_definition,
        count=1,
        launchType="FARGATE",
        startedBy=_STARTED_BY,
        propagateTags="TASK_DEFINITION",
        # One request that is sent twice starts one task.
        clientToken=uuid.uuid4().hex,
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": _texts(check.subnets),
                "securityGroups": _texts(check.security_groups),
                "assignPublicIp": "DISABLED",
            }
        },
    )
    for task in answer["tasks"]:
        return str(task["taskArn"])
    reasons = ", ".join(str(each.get("reason")) for each in answer.get("failures") or ())
    return Observation(Standing.UNKNOWN, f"ECS started no task: {reasons or 'no reason given'}")


def _earlier(ecs: Any, check: "EcsTaskSucceeds") -> str | None:
    """Return a task of this task definition that runs, or has ended well: nothing is done twice."""
    return next(
        (
            str(task["taskArn"])
            for task in _tasks(ecs, check)
            if task["taskDefinitionArn"] == check.task_definition
            and (task["lastStatus"] != "STOPPED" or _exit_code(task, str(check.container)) == 0)
        ),
        None,
    )


def _tasks(ecs: Any, check: "EcsTaskSucceeds") -> Iterator[Mapping[str, Any]]:
    family = str(check.task_definition).rpartition("/")[2].partition(":")[0]
    for status in ("RUNNING", "STOPPED"):
        listed = ecs.list_tasks(cluster=check.cluster, family=family, desiredStatus=status)["taskArns"]
        if listed:
            yield from ecs.describe_tasks(cluster=check.cluster, tasks=listed[:_MOST_TASKS])["tasks"]


def _exit_code(task: Mapping[str, Any], container: str) -> int | None:
    codes = [each.get("exitCode") for each in task.get("containers") or () if each.get("name") == container]
    return codes[0] if codes else None


def _texts(values: object) -> list[str]:
    return [str(each) for each in values] if isinstance(values, tuple) else []


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
