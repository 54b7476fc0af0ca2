"""A task that is started once and has to end with exit code 0, from the answers ECS gives."""

from pathlib import Path
from typing import Any

import pytest

from holdfast_orchestrator.health.checks import EcsTaskSucceeds
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.http_client import Answer
from holdfast_orchestrator.health.kinds import look
from holdfast_orchestrator.health.observation import Standing
from holdfast_orchestrator.health.readiness import ready_before
from holdfast_orchestrator.health.watch import watch
from holdfast_orchestrator.testing import FrozenClock, RefusingAws, RefusingProcesses

DEFINITION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/orders-migrations:7"
EARLIER = DEFINITION.replace(":7", ":6")
CHECK = EcsTaskSucceeds(
    kind="ecs_task_succeeds",
    name="run",
    cluster="main",
    task_definition=DEFINITION,
    container="migrate",
    subnets=("subnet-1",),
    security_groups=("sg-1",),
)


def _task(number: int, status: str, code: int | None = None, definition: str = DEFINITION) -> dict[str, Any]:
    return {
        "taskArn": f"arn:aws:ecs:eu-west-1:123456789012:task/main/{number}",
        "taskDefinitionArn": definition,
        "lastStatus": status,
        "stoppedReason": _reason(status),
        "containers": [{"name": "otel", "exitCode": 0}, {"name": "migrate", "exitCode": code}],
    }


def _reason(status: str) -> str:
    return "Essential container in task exited" if status == "STOPPED" else ""


class Ecs:
    """A cluster; each task that is started goes through `course`, one state a look."""

    def __init__(self, *course: tuple[str, int | None], there: tuple[dict[str, Any], ...] = ()) -> None:
        self.course = list(course)
        self.tasks = {task["taskArn"]: task for task in there}
        self.started: list[dict[str, Any]] = []
        self.refused: list[str] = []

    def client(self, service: str, **_: Any) -> "Ecs":
        assert service == "ecs"
        return self

    def list_tasks(self, *, cluster: str, family: str, desiredStatus: str) -> dict[str, Any]:  # noqa: N803
        assert (cluster, family) == ("main", "orders-migrations")
        arns = [arn for arn, task in self.tasks.items() if self._wanted(task) == desiredStatus]
        return {"taskArns": arns}

    def describe_tasks(self, *, cluster: str, tasks: list[str]) -> dict[str, Any]:
        for arn in tasks:
            if self.course and self.tasks[arn].get("started"):
                status = self.course[0][0]
                self.tasks[arn] |= {"lastStatus": status, "stoppedReason": _reason(status)}
                self.tasks[arn]["containers"][1]["exitCode"] = self.course.pop(0)[1]
        return {"tasks": [self.tasks[arn] for arn in tasks]}

    def run_task(self, **asked: Any) -> dict[str, Any]:
        self.started.append(asked)
        if self.refused:
            return {"tasks": [], "failures": [{"reason": self.refused.pop()}]}
        task = {**_task(100 + len(self.started), "PROVISIONING"), "started": True}
        self.tasks[task["taskArn"]] = task
        return {"tasks": [task]}

    @staticmethod
    def _wanted(task: dict[str, Any]) -> str:
        return "STOPPED" if task["lastStatus"] == "STOPPED" else "RUNNING"


class Nobody:
    def get(self, url: str, *, timeout: float, limit: int) -> Answer:
        raise AssertionError(url)


def _doors(ecs: Any) -> CheckContext:
    return CheckContext(
        aws=ecs,
        clock=FrozenClock(),
        processes=RefusingProcesses(),
        http=Nobody(),
        environ={},
        region="eu-west-1",
        cwd=Path(),
    )


def test_a_task_is_started_once_and_waited_for() -> None:
    ecs = Ecs(("PENDING", None), ("RUNNING", None), ("STOPPED", 0))

    verdict = watch([CHECK], {}, _doors(ecs))

    assert verdict, verdict.evidence
    assert verdict.answers[0].looks == 3
    [asked] = ecs.started
    assert (asked["taskDefinition"], asked["launchType"]) == (DEFINITION, "FARGATE")
    assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-1"],
        "securityGroups": ["sg-1"],
        "assignPublicIp": "DISABLED",
    }


def test_a_bad_end_fails_at_once_and_says_where_the_log_is() -> None:
    ecs = Ecs(("STOPPED", 3))

    verdict = watch([CHECK], {}, _doors(ecs))

    [answer] = verdict.failures
    assert answer.why == (
        "task 101: exit code 3 (Essential container in task exited); its log stream is migrate/migrate/101"
    )
    assert len(ecs.started) == 1


def test_a_task_that_never_ran_has_failed() -> None:
    seen = look(CHECK, _doors(Ecs(("STOPPED", None))))

    assert (seen.standing, seen.what) == (
        Standing.FAILED,
        "task 101 never ran: Essential container in task exited",
    )


def test_a_task_that_runs_beyond_its_window_is_reported_and_not_stopped() -> None:
    ecs = Ecs(*[("RUNNING", None)] * 1000)

    verdict = watch([CHECK.model_copy(update={"window": 60})], {}, _doors(ecs))

    assert "not healthy within 60 s: task 101 is running" in verdict.failures[0].why


@pytest.mark.parametrize("there", [_task(1, "RUNNING"), _task(1, "STOPPED", 0)])
def test_a_task_that_an_earlier_process_started_is_not_started_again(there: dict[str, Any]) -> None:
    ecs = Ecs(there=(there,))

    look(CHECK, _doors(ecs))

    assert ecs.started == []


@pytest.mark.parametrize(
    "there", [_task(1, "STOPPED", 1), _task(1, "RUNNING", None, EARLIER), _task(1, "STOPPED", 0, EARLIER)]
)
def test_one_that_failed_or_is_of_another_version_does_not_count(there: dict[str, Any]) -> None:
    ecs = Ecs(("STOPPED", 0), there=(there,))

    seen = look(CHECK, _doors(ecs))

    assert (seen.standing, len(ecs.started)) == (Standing.HEALTHY, 1)


def test_a_start_that_ecs_refuses_is_tried_again() -> None:
    ecs = Ecs(("STOPPED", 0))
    ecs.refused.append("Capacity is unavailable at this time")
    doors = _doors(ecs)

    first = look(CHECK, doors)
    second = look(CHECK, doors)

    assert (first.standing, first.what) == (
        Standing.UNKNOWN,
        "ECS started no task: Capacity is unavailable at this time",
    )
    assert second.standing is Standing.HEALTHY


def test_nothing_is_started_before_the_deploy() -> None:
    assert ready_before([CHECK], {}, _doors(RefusingAws())) == ()
