"""The watch: when it looks, when it ends, what it says. The clock moves only when the watch sleeps."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.health_doors import doors

from holdfast_orchestrator.health.checks import (
    Alarm,
    AlbTargetsHealthy,
    Check,
    Command,
    Http,
    Output,
    Overrides,
)
from holdfast_orchestrator.health.http_client import Answer, RefusedUrlError
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.health.parallel import look_at_all
from holdfast_orchestrator.health.readiness import ready_before
from holdfast_orchestrator.health.tally import Result
from holdfast_orchestrator.health.watch import CheckProgress, watch
from holdfast_orchestrator.system.stop import StopSignal
from holdfast_orchestrator.testing import FrozenClock, RefusingAws

OK, ALARM, NO_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"


class Cloud:
    """AWS whose targets and alarms stand as scripted, look by look; the last standing lasts."""

    def __init__(self, *, targets: Mapping[str, str] | None = None, alarms: Any = None) -> None:
        self._targets = {arn: self._row(row.split()) for arn, row in (targets or {}).items()}
        self._alarms = {name: self._row(row) for name, row in (alarms or {}).items()}

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        return self

    def describe_target_health(self, *, TargetGroupArn: str) -> Any:  # noqa: N803 - boto3's own name
        state = next(self._targets[TargetGroupArn])
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}}]}

    def describe_alarms(self, *, AlarmNames: list[str], **_: Any) -> Any:  # noqa: N803
        (name,) = AlarmNames
        return {"MetricAlarms": [{"StateValue": next(self._alarms[name])}] if name in self._alarms else []}

    @staticmethod
    def _row(states: list[str]) -> Iterator[str]:
        yield from states
        while True:
            yield states[-1]


class Denying(Cloud):
    def describe_target_health(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeTargetHealth")


class OneAnswer:
    def __init__(self, answer: Answer | Exception) -> None:
        self.answer = answer

    def get(self, url: str, *, timeout: float, limit: int) -> Answer:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def targets(name: str = "targets", **settings: Any) -> Check:
    given = {"target_group_arn": name, "interval": 5, "window": 60, **settings}
    return AlbTargetsHealthy(kind="alb_targets_healthy", name=name, **given)


def alarm(name: str = "errors", **settings: Any) -> Check:
    return Alarm(kind="alarm", name=name, **{"alarm": name, "interval": 15, "window": 60, **settings})


def test_what_is_well_at_once_takes_one_look_and_no_time() -> None:
    verdict = watch([targets()], {}, doors(Cloud(targets={"targets": "healthy"})))

    assert verdict
    assert (verdict.seconds, verdict.answers[0].looks) == (0, 1)
    assert verdict.evidence == ("targets (alb_targets_healthy): passed: 1 targets, all healthy",)


def test_no_checks_at_all_are_healthy() -> None:
    assert watch([], {}, doors(RefusingAws()))


def test_it_looks_every_interval_until_the_target_is_well() -> None:
    verdict = watch([targets()], {}, doors(Cloud(targets={"targets": "initial initial healthy"})))

    assert verdict
    assert (verdict.seconds, verdict.answers[0].looks) == (10, 3)


def test_a_target_that_flaps_passes_only_after_enough_looks_in_a_row() -> None:
    row = "healthy unhealthy healthy initial healthy healthy"

    verdict = watch([targets(successes=2)], {}, doors(Cloud(targets={"targets": row})))

    assert verdict
    assert verdict.answers[0].looks == 6


def test_a_target_that_never_gets_well_fails_at_the_end_of_the_window() -> None:
    verdict = watch([targets(window=12)], {}, doors(Cloud(targets={"targets": "initial"})))

    assert not verdict
    assert (verdict.seconds, verdict.answers[0].looks) == (12, 4)
    assert verdict.failures[0].why.startswith("not healthy within 12 s: 1 initial")


def test_the_first_failure_ends_the_watch_and_leaves_the_others_undecided() -> None:
    cloud = Cloud(targets={"bad": "unhealthy", "slow": "initial"})

    verdict = watch([targets("slow"), targets("bad", failures=0)], {}, doors(cloud))

    assert [answer.result for answer in verdict.answers] == [Result.STOPPED, Result.FAILED]
    assert verdict.seconds == 0
    assert verdict.evidence[0].startswith("slow (alb_targets_healthy): stopped: not decided: 1 initial")


def test_an_alarm_is_watched_to_the_very_end_of_its_window() -> None:
    verdict = watch([alarm(interval=25)], {}, doors(Cloud(alarms={"errors": [OK]})))

    assert verdict
    assert (verdict.seconds, verdict.answers[0].looks) == (60, 4)


def test_an_alarm_that_fires_during_the_bake_fails_at_once() -> None:
    verdict = watch([alarm()], {}, doors(Cloud(alarms={"errors": [OK, OK, ALARM]})))

    assert not verdict
    assert verdict.seconds == 30


@pytest.mark.parametrize(("accepted", "healthy"), [("fail", False), ("pass", True)])
def test_an_alarm_without_data_is_decided_at_the_end_as_configured(accepted: str, *, healthy: bool) -> None:
    check = alarm(on_inconclusive=accepted)

    verdict = watch([check], {}, doors(Cloud(alarms={"errors": [NO_DATA]})))

    assert verdict.healthy is healthy
    assert verdict.seconds == 60
    assert "inconclusive after 60 s: INSUFFICIENT_DATA" in verdict.evidence[0]


def test_an_alarm_that_is_missing_fails() -> None:
    verdict = watch([alarm()], {}, doors(Cloud()))

    assert verdict.failures[0].why == "there is no alarm 'errors'"


def test_a_check_whose_output_is_missing_fails_without_a_look() -> None:
    verdict = watch([targets(target_group_arn=Output(output="arn"))], {}, doors(RefusingAws()))

    assert verdict.failures[0].why == "the shard has no output 'arn'"
    assert verdict.answers[0].looks == 0


def test_a_check_that_is_switched_off_is_not_looked_at_and_says_why() -> None:
    off = targets(overrides=Overrides(enabled=False, reason="maintenance"))

    verdict = watch([off], {}, doors(RefusingAws()))

    assert verdict
    assert verdict.evidence == ("targets (alb_targets_healthy): off: switched off: maintenance",)


def test_progress_is_told_when_something_new_is_seen() -> None:
    told: list[CheckProgress] = []

    watch(
        [targets()],
        {},
        doors(Cloud(targets={"targets": "initial initial healthy"})),
        on_progress=told.append,
    )

    assert [(each.standing, each.seconds) for each in told] == [(Standing.WAITING, 0), (Standing.HEALTHY, 10)]


def test_a_stop_that_was_asked_for_ends_the_watch_without_a_verdict() -> None:
    stop = StopSignal()

    verdict = watch(
        [targets()],
        {},
        doors(Cloud(targets={"targets": "initial"})),
        stop=stop,
        on_progress=lambda _: stop.ask(),
    )

    assert verdict.stopped
    assert not verdict.healthy
    assert not verdict.failures


def test_a_stop_is_noticed_in_the_middle_of_a_long_interval() -> None:
    stop = StopSignal()
    world = doors(Cloud(targets={"targets": "initial"}))

    class AskingClock(FrozenClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.monotonic() >= 2:
                stop.ask()

    verdict = watch([targets(interval=50)], {}, replace(world, clock=AskingClock()), stop=stop)

    assert verdict.seconds == 2


def test_the_answers_are_json() -> None:
    verdict = watch([targets()], {}, doors(Cloud(targets={"targets": "healthy"})))

    assert verdict.answers[0].to_json() == {
        "check": "targets",
        "kind": "alb_targets_healthy",
        "result": "passed",
        "why": "1 targets, all healthy",
        "looks": 1,
        "seconds": 0,
    }


def test_a_look_that_hangs_tells_nothing_and_does_not_hold_up_the_others() -> None:
    never = threading.Event()

    def look(check: Check) -> Observation:
        if check.name == "hangs":
            never.wait()
        return Observation(Standing.HEALTHY, check.name)

    seen = look_at_all([targets("hangs", timeout=0.01), targets("answers")], look)
    never.set()

    assert [each.standing for each in seen] == [Standing.UNKNOWN, Standing.HEALTHY]


def test_a_defect_in_a_look_is_not_taken_for_an_unhealthy_target() -> None:
    def broken(_: Check) -> Observation:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        look_at_all([targets()], broken)


def ready(check: Check, aws: Any, *, http: Any = None, outputs: Any = None) -> tuple[str, ...]:
    return ready_before([check], outputs or {}, doors(aws, http=http))


def test_an_alarm_that_is_on_already_is_in_the_way() -> None:
    (problem,) = ready(alarm(), Cloud(alarms={"errors": [ALARM]}))

    assert problem == "alarm 'errors' of health check 'errors' is in ALARM: no reason given"


def test_credentials_that_may_not_look_are_in_the_way() -> None:
    (problem,) = ready(targets(), Denying())

    assert "may not look" in problem


def test_a_url_that_is_never_asked_is_in_the_way() -> None:
    check = Http(kind="http", name="page", url="http://169.254.169.254")

    (problem,) = ready(check, RefusingAws(), http=OneAnswer(RefusedUrlError("link-local")))

    assert problem == "health check 'page' cannot be made: link-local"


@pytest.mark.parametrize(
    ("check", "aws"),
    [
        (alarm(), Cloud(alarms={"errors": [OK]})),
        (alarm(), Cloud(alarms={"errors": [NO_DATA]})),
        (alarm(), Cloud()),
        (alarm(alarm=Output(output="not-deployed-yet")), RefusingAws()),
        (alarm(overrides=Overrides(enabled=False, reason="noisy")), RefusingAws()),
        (targets(), Cloud(targets={"targets": "unhealthy"})),
        (Command(kind="command", name="own", command=("./smoke.sh",)), RefusingAws()),
    ],
)
def test_what_this_deploy_may_mend_or_make_is_not_in_the_way(check: Check, aws: Any) -> None:
    assert ready(check, aws) == ()


def test_a_page_that_is_down_before_the_deploy_is_not_in_the_way() -> None:
    check = Http(kind="http", name="page", url="https://shop.example")

    assert ready(check, RefusingAws(), http=OneAnswer(Answer(status=503))) == ()


class RoleAws:
    """AWS that hands out a role's credentials and keeps the environment each client was made with."""

    def __init__(self) -> None:
        self.made: dict[str, Mapping[str, str]] = {}

    def client(self, service: str, *, region: str, environ: Mapping[str, str]) -> Any:
        self.made[service] = environ
        return self

    def assume_role(self, **asked: str) -> Any:
        assert asked["RoleArn"] == "arn:role"
        return {"Credentials": {"AccessKeyId": "id", "SecretAccessKey": "key", "SessionToken": "token"}}


def test_a_shard_with_a_role_is_looked_at_with_that_role() -> None:
    aws = RoleAws()
    environ = {"AWS_PROFILE": "mine", "AWS_ENDPOINT_URL": "http://here"}
    world = replace(doors(aws), role_arn="arn:role", environ=environ)

    world.client("ecs")

    assert aws.made["sts"] == environ
    assert aws.made["ecs"] == {
        "AWS_ENDPOINT_URL": "http://here",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_SESSION_TOKEN": "token",
    }
