"""One look at each kind of target, from the answers AWS and others give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from holdfast_orchestrator.errors import ToolchainError
from holdfast_orchestrator.health.checks import (
    Alarm,
    AlbTargetsHealthy,
    Check,
    Command,
    EcsServiceSteady,
    Http,
)
from holdfast_orchestrator.health.context import CheckContext
from holdfast_orchestrator.health.http_client import Answer, NoAnswerError, RefusedUrlError
from holdfast_orchestrator.health.kinds import ecs_service, look
from holdfast_orchestrator.health.kinds.alb_targets import judge as judge_targets
from holdfast_orchestrator.health.kinds.smoke import LONGEST_BODY
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.system.process import Command as Program
from holdfast_orchestrator.system.process import Completed
from holdfast_orchestrator.testing import (
    FrozenClock,
    RefusingAws,
    RefusingProcesses,
    ScriptedProcesses,
    _refuse,
)

TASK = "arn:aws:ecs:eu-west-1:123456789012:task-definition/api"


@dataclass
class Web:
    """Answers by URL; keeps what was asked."""

    answers: Mapping[str, Answer | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, *, timeout: float, limit: int) -> Answer:
        self.asked.append(url)
        answer = self.answers.get(url) or _refuse(f"GET {url} in {timeout} s, {limit} bytes")
        if isinstance(answer, Exception):
            raise answer
        return answer


class OneClient:
    """AWS whose every client is an object with one method that answers."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        self.asked.append((service, region))
        return self

    def __getattr__(self, operation: str) -> Any:
        return self.answer


def doors(*, aws: Any = None, processes: Any = None, web: Web | None = None) -> CheckContext:
    return CheckContext(
        aws=aws or RefusingAws(),
        clock=FrozenClock(),
        processes=processes or RefusingProcesses(),
        http=web or Web(),
        environ={"PATH": "/bin"},
        region="eu-west-1",
        cwd=Path("/project"),
        variables={"HOLDFAST_SHARD": "api-dev-eu-west-1"},
    )


def deployment(revision: int = 7, **changed: Any) -> dict[str, Any]:
    made = {"status": "PRIMARY", "taskDefinition": f"{TASK}:{revision}", "rolloutState": "COMPLETED"}
    return {**made, **changed}


def service(*deployments: Mapping[str, Any], running: int = 2, desired: int = 2) -> dict[str, Any]:
    return {"runningCount": running, "desiredCount": desired, "deployments": deployments or (deployment(),)}


@pytest.mark.parametrize(
    ("found", "planned", "standing"),
    [
        (service(), None, Standing.HEALTHY),
        (service(), f"{TASK}:7", Standing.HEALTHY),
        (service(), "api:7", Standing.HEALTHY),
        (service(running=0, desired=0), None, Standing.HEALTHY),
        (service(running=1), None, Standing.WAITING),
        (service(deployment(rolloutState="IN_PROGRESS")), None, Standing.WAITING),
        (service(deployment(rolloutState="FAILED", rolloutStateReason="tasks died")), None, Standing.FAILED),
        (service(deployment(6)), f"{TASK}:7", Standing.FAILED),
        (service(deployment(6, rolloutState="IN_PROGRESS")), f"{TASK}:7", Standing.WAITING),
        (
            service(
                deployment(6, rolloutState="IN_PROGRESS"),
                deployment(7, status="ACTIVE", rolloutState="FAILED"),
            ),
            f"{TASK}:7",
            Standing.FAILED,
        ),
        ({"runningCount": 0, "desiredCount": 1, "deployments": []}, None, Standing.WAITING),
        (service({"status": "PRIMARY", "taskDefinition": f"{TASK}:7"}), None, Standing.HEALTHY),
    ],
)
def test_a_service_is_judged_by_rollout_counts_and_revision(
    found: Mapping[str, Any], planned: str | None, standing: Standing
) -> None:
    assert ecs_service.judge(found, planned=planned).standing is standing


def test_a_service_that_ecs_took_back_says_what_was_planned_and_what_runs() -> None:
    seen = ecs_service.judge(service(deployment(6)), planned=f"{TASK}:7")

    assert seen == Observation(Standing.FAILED, "ECS went back to api:6; api:7 was planned")


@pytest.mark.parametrize("services", [[], [{**service(), "status": "INACTIVE"}]])
def test_a_service_that_is_not_there_has_failed(services: list[Any]) -> None:
    check = EcsServiceSteady(kind="ecs_service_steady", name="c", cluster="main", service="api")

    seen = look(check, doors(aws=OneClient(lambda **_: {"services": services})))

    assert seen == Observation(Standing.FAILED, "there is no service api in main")


@pytest.mark.parametrize(
    ("states", "at_least", "standing"),
    [
        (["healthy", "healthy"], 2, Standing.HEALTHY),
        (["healthy", "draining", "draining"], 1, Standing.HEALTHY),
        ([], 1, Standing.WAITING),
        (["draining"], 1, Standing.WAITING),
        (["healthy"], 2, Standing.WAITING),
        (["healthy", "initial"], 1, Standing.WAITING),
        (["healthy", "unhealthy"], 1, Standing.UNHEALTHY),
        (["unused"], 1, Standing.UNHEALTHY),
        (["unavailable"], 1, Standing.UNHEALTHY),
    ],
)
def test_targets_are_well_when_enough_stay_and_all_of_those_are_healthy(
    states: list[str], at_least: int, standing: Standing
) -> None:
    assert judge_targets([{"State": state} for state in states], at_least).standing is standing


def test_a_target_that_is_unwell_says_why() -> None:
    seen = judge_targets([{"State": "unhealthy", "Reason": "Target.Timeout"}], 1)

    assert seen.what == "1 unhealthy; wanted at least 1, all healthy (Target.Timeout)"


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        ({"MetricAlarms": [{"StateValue": "OK"}]}, Standing.HEALTHY),
        ({"CompositeAlarms": [{"StateValue": "OK"}]}, Standing.HEALTHY),
        ({"MetricAlarms": [{"StateValue": "ALARM", "StateReason": "5xx"}]}, Standing.UNHEALTHY),
        ({"MetricAlarms": [{"StateValue": "INSUFFICIENT_DATA"}]}, Standing.UNKNOWN),
        ({"MetricAlarms": [], "CompositeAlarms": []}, Standing.FAILED),
    ],
)
def test_an_alarm_is_judged_by_its_state(answer: Mapping[str, Any], standing: Standing) -> None:
    check = Alarm(kind="alarm", name="c", alarm="errors")

    assert look(check, doors(aws=OneClient(lambda **_: answer))).standing is standing


def test_an_alarm_may_lie_in_another_region() -> None:
    aws = OneClient(lambda **_: {"MetricAlarms": [{"StateValue": "OK"}]})

    look(Alarm(kind="alarm", name="c", alarm="errors", region="us-east-1"), doors(aws=aws))

    assert aws.asked == [("cloudwatch", "us-east-1")]


TARGETS = AlbTargetsHealthy(kind="alb_targets_healthy", name="c", target_group_arn="arn")


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("TargetGroupNotFound", Standing.FAILED),
        ("AccessDeniedException", Standing.DENIED),
        ("AccessDenied", Standing.DENIED),
        ("ExpiredTokenException", Standing.DENIED),
        ("ThrottlingException", Standing.UNKNOWN),
        ("InternalFailure", Standing.UNKNOWN),
    ],
)
def test_errors_of_aws_are_told_apart(code: str, standing: Standing) -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "m"}}, "DescribeTargetHealth")

    assert look(TARGETS, doors(aws=OneClient(refuse))).standing is standing


def test_an_aws_that_cannot_be_reached_tells_nothing() -> None:
    def lost(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://elb")

    assert look(TARGETS, doors(aws=OneClient(lost))).standing is Standing.UNKNOWN


def page(**settings: Any) -> Check:
    return Http(kind="http", name="c", **{"url": "https://shop.example/up", **settings})


def to(location: str, status: int = 302) -> Answer:
    return Answer(status=status, location=location)


@pytest.mark.parametrize(
    ("check", "answer", "standing", "said"),
    [
        (page(), Answer(status=200), Standing.HEALTHY, "status 200"),
        (page(), Answer(status=503), Standing.UNHEALTHY, "status 503, wanted 200"),
        (page(status=(200, 204)), Answer(status=500), Standing.UNHEALTHY, "wanted 200 or 204"),
        (page(status=(301,)), to("https://other.example/", 301), Standing.HEALTHY, "status 301"),
        (page(marker="v2"), Answer(status=200, body=b"this is v2"), Standing.HEALTHY, "status 200"),
        (page(marker="v2"), Answer(status=200, body=b"v1"), Standing.UNHEALTHY, "'v2' is not in the body"),
        (page(), Answer(status=200, cut=True), Standing.UNHEALTHY, f"longer than {LONGEST_BODY} bytes"),
        (page(), NoAnswerError("no answer: refused"), Standing.UNHEALTHY, "refused"),
        (page(), RefusedUrlError("not asked"), Standing.FAILED, "not asked"),
        (page(), to("https://evil.example/up"), Standing.UNHEALTHY, "another host, evil.example"),
        (page(), to("http://shop.example/up"), Standing.UNHEALTHY, "from https to http"),
        (page(), to("//evil.example/up"), Standing.UNHEALTHY, "another host, evil.example"),
        (page(), to("/up"), Standing.UNHEALTHY, "more than 5 redirects"),
    ],
)
def test_a_page_is_judged_by_its_answer(
    check: Check, answer: Answer | Exception, standing: Standing, said: str
) -> None:
    seen = look(check, doors(web=Web({"https://shop.example/up": answer})))

    assert seen.standing is standing
    assert said in seen.what


def test_redirects_on_the_same_host_are_followed() -> None:
    web = Web(
        {
            "http://shop.example/up": to("https://shop.example/up"),
            "https://shop.example/up": to("/health?x=1"),
            "https://shop.example/health?x=1": Answer(status=200),
        }
    )

    seen = look(page(url="http://shop.example", path="/up"), doors(web=web))

    assert seen.standing is Standing.HEALTHY
    assert web.asked == list(web.answers)


def own(answer: Callable[[Program], Completed]) -> tuple[Observation, ScriptedProcesses]:
    processes = ScriptedProcesses(answer)
    check = Command(kind="command", name="c", command=("./smoke.sh", "--fast"), timeout=9)
    return look(check, doors(processes=processes)), processes


def test_a_command_of_ones_own_gets_the_shard_in_its_environment_and_a_time_limit() -> None:
    seen, processes = own(lambda program: Completed(command=program, code=0))

    (program,) = processes.commands
    assert seen.standing is Standing.HEALTHY
    assert program.argv == ("./smoke.sh", "--fast")
    assert (program.timeout, program.on_timeout, program.cwd) == (9, "kill", Path("/project"))
    assert program.environ == {"PATH": "/bin", "HOLDFAST_SHARD": "api-dev-eu-west-1"}


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"code": 1, "stderr": "a\nno orders\n"}, "exit code 1: no orders"),
        ({"code": 2, "stdout": "only here"}, "exit code 2: only here"),
        ({"code": 3}, "exit code 3: it said nothing"),
        ({"code": -9, "timed_out": True}, "did not end within 9 s"),
    ],
)
def test_a_command_that_fails_says_how(ended: dict[str, Any], said: str) -> None:
    seen, _ = own(lambda program: Completed(command=program, **ended))

    assert seen == Observation(Standing.UNHEALTHY, said)


def test_a_command_that_does_not_exist_has_failed_for_good() -> None:
    def missing(_: Program) -> Completed:
        raise ToolchainError("there is no program './smoke.sh'")

    assert own(missing)[0].standing is Standing.FAILED
