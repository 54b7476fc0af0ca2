"""Alarms and composite alarms: what CloudWatch gets, and what is refused before it could."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.observed import above, alerts_in, depth

from holdfast_constructs import (
    Alarm,
    CompositeAlarm,
    ConstructError,
    Expression,
    HoldfastApp,
    Metric,
    Owner,
    Threshold,
)
from holdfast_constructs.app.stack import ServiceStack
from holdfast_constructs.observability.metrics import queries
from holdfast_constructs.observability.threshold import few_samples
from holdfast_constructs.testing import Synthesis

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]


def _alarm(app: HoldfastApp, id_: str = "depth", alerts: Any = None, **given: Any) -> Alarm:
    alerts = alerts or alerts_in(app)
    plain = {
        "alerts": alerts,
        "when": above(100, periods=5, datapoints=3),
        "severity": "sev2",
        "runbook": "queue.md",
        "reason": "100 messages are ten minutes of work",
    }
    return Alarm(ServiceStack.of(alerts), id_, **plain | given)


def test_an_alarm_is_on_one_metric_and_tells_the_topic_of_its_severity(synthesize: Synthesize) -> None:
    orders = synthesize(_alarm)["orders"]

    alarm = orders.resource(
        "aws_cloudwatch_metric_alarm",
        alarm_name="orders-prod-depth",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": "orders-prod-work"},
        statistic="Average",
        period=60,
        comparison_operator="GreaterThanThreshold",
        threshold=100,
        evaluation_periods=5,
        datapoints_to_alarm=3,
        treat_missing_data="notBreaching",
    )
    [topic] = [name for name in orders.resources("aws_sns_topic") if "sev2" in name]
    assert alarm["alarm_actions"] == alarm["ok_actions"] == [f"${{{topic}.arn}}"]
    assert "insufficient_data_actions" not in alarm


def test_its_description_says_who_does_what_in_json(synthesize: Synthesize) -> None:
    build = lambda app: _alarm(  # noqa: E731
        app, alerts=alerts_in(app, runbooks_url="https://wiki.example.com/"), dashboard="orders-prod-main"
    )

    told = json.loads(
        synthesize(build)["orders"].resource("aws_cloudwatch_metric_alarm")["alarm_description"]
    )

    console = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
    assert told == {
        "service": "orders",
        "environment": "prod",
        "severity": "sev2",
        "reason": "100 messages are ten minutes of work",
        "runbook": "https://wiki.example.com/docs/runbooks/queue.md",
        "owner": "service team",
        "deputy": "platform team",
        "escalation": (
            "primary on-call, secondary on-call +15 min, product lead +30 min, engineering director +45 min"
        ),
        "dashboard": f"{console}#dashboards/dashboard/orders-prod-main",
    }


def test_another_owner_and_no_dashboard(synthesize: Synthesize) -> None:
    build = lambda app: _alarm(app, owner=Owner("payments", "orders"))  # noqa: E731

    told = json.loads(
        synthesize(build)["orders"].resource("aws_cloudwatch_metric_alarm")["alarm_description"]
    )

    assert (told["owner"], told["deputy"]) == ("payments", "orders")
    assert told["dashboard"].endswith("#alarmsV2:alarm/orders-prod-depth")


def test_an_expression_is_a_list_of_queries_of_which_the_last_is_returned(synthesize: Synthesize) -> None:
    share = Expression(
        text="IF(total > 20, 100 * bad / total, 0)",
        metrics={
            "bad": Expression(text="FILL(dead, 0)", metrics={"dead": depth(stat="Sum")}),
            "total": depth(stat="SampleCount"),
        },
    )

    alarm = synthesize(lambda app: _alarm(app, when=above(5, share)))["orders"].resource(
        "aws_cloudwatch_metric_alarm"
    )

    assert [query["id"] for query in alarm["metric_query"]] == ["dead", "bad", "total", "result"]
    assert [query.get("return_data") for query in alarm["metric_query"]] == [None, None, None, True]
    assert alarm["metric_query"][2]["metric"]["stat"] == "SampleCount"
    assert "metric_name" not in alarm


def test_a_percentile_keeps_its_state_while_samples_are_few(synthesize: Synthesize) -> None:
    alarm = synthesize(lambda app: _alarm(app, when=above(1, depth(stat="p95"))))["orders"]

    alarm.has_resource(
        "aws_cloudwatch_metric_alarm",
        extended_statistic="p95",
        evaluate_low_sample_count_percentiles="ignore",
    )


def test_a_rank_is_asked_for_as_a_query_and_missing_data_tells_somebody(synthesize: Synthesize) -> None:
    when = Threshold(signal=depth(stat="PR(:0.4)"), comparison="<", value=95, missing="missing")

    alarm = synthesize(lambda app: _alarm(app, when=when))["orders"].resource("aws_cloudwatch_metric_alarm")

    assert alarm["metric_query"][0]["metric"]["stat"] == "PR(:0.4)"
    assert alarm["insufficient_data_actions"] == alarm["ok_actions"]


@pytest.mark.parametrize(
    ("percentile", "samples"), [(95, 200), (99, 1000), (99.9, 10000), (50, 20), (5, 200)]
)
def test_how_many_samples_are_few(percentile: float, samples: int) -> None:
    assert few_samples(percentile) == samples


def _ten_metrics(count: int) -> Expression:
    names = [f"m{number}" for number in range(count)]
    return Expression(text=" + ".join(names), metrics={name: depth() for name in names})


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: depth(period_seconds=90), "multiple of 60"),
        (lambda: depth(stat="p101"), "stat of metric"),
        (lambda: depth(name=""), "1-255"),
        (lambda: depth(dimensions={f"d{number}": "x" for number in range(31)}), "at most 30"),
        (lambda: above(1, depth(), periods=0), "at least 1"),
        (lambda: above(1, depth(), periods=3, datapoints=4), "1-3"),
        (lambda: above(1, depth(period_seconds=1800), periods=49), "at most 48"),
        (lambda: above(1, depth(period_seconds=3600), periods=169), "at most 168"),
        (lambda: above(1, _ten_metrics(11)), "1-10 in an alarm"),
        (lambda: above(1, Expression(text="SEARCH('x', 'Sum') + a", metrics={"a": depth()})), "no alarm may"),
        (lambda: Expression(text="a / b", metrics={"a": depth()}), "b in 'a / b' is none of its metrics"),
        (lambda: Expression(text="a", metrics={"a": depth(), "b": depth()}), "b is not used"),
        (lambda: Expression(text="A", metrics={"A": depth()}), "a small letter"),
        (
            lambda: Expression(text="a + b", metrics={"a": depth(), "b": depth(period_seconds=300)}),
            "periods of their own",
        ),
        (
            lambda: above(1, Expression(text="2 * slow", metrics={"slow": depth(stat="p95")})),
            "IF\\(count >= 200",
        ),
    ],
)
def test_what_cloudwatch_would_refuse_is_refused(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ConstructError, match=told):
        make()


def test_a_week_of_hours_and_three_days_at_once_are_allowed() -> None:
    above(1, depth(period_seconds=3600), periods=168)
    above(1, depth(period_seconds=259_200))


def test_two_parts_of_one_name_have_to_be_the_same() -> None:
    inner = Expression(text="a * 2", metrics={"a": depth()})

    same = Expression(text="a + inner", metrics={"a": depth(), "inner": inner})

    assert [query.id for query in queries(same)] == ["a", "inner", "result"]
    with pytest.raises(ConstructError, match="both called a"):
        Expression(text="a + inner", metrics={"a": depth(stat="Sum"), "inner": inner})


def test_no_more_than_five_actions_and_a_description_that_fits(synthesize: Synthesize) -> None:
    five = [f"arn:aws:sns:eu-west-1:210987654321:t{number}" for number in range(5)]

    with pytest.raises(ConstructError, match="at most 4 besides its topic"):
        synthesize(lambda app: _alarm(app, actions=five))
    with pytest.raises(ConstructError, match=r"at most 1024, got .*; shorten its reason"):
        synthesize(lambda app: _alarm(app, reason="long " * 200))
    with pytest.raises(ConstructError, match="why its threshold is what it is"):
        synthesize(lambda app: _alarm(app, reason=" "))


def _two(app: HoldfastApp, *, notify: bool = False) -> tuple[Alarm, Alarm]:
    alerts = alerts_in(app)
    return _alarm(app, "one", alerts, notify=notify), _alarm(app, "two", alerts, notify=notify)


def _compose(app: HoldfastApp, rule: Any, *, notify: bool = False) -> CompositeAlarm:
    one, two = _two(app, notify=notify)
    stack = ServiceStack.of(one)
    alerts: Any = stack.node.find_child("alerts")
    return CompositeAlarm(
        stack,
        "both",
        alerts=alerts,
        rule=rule(one, two),
        severity="sev1",
        runbook="queue.md",
        reason="one of the two alone repairs itself",
    )


def test_a_composite_alarm_speaks_for_silent_ones_and_refers_to_them(synthesize: Synthesize) -> None:
    orders = synthesize(
        lambda app: _compose(app, lambda one, two: (one.fires & two.fires) | ~one.is_ok & two.has_no_data)
    )["orders"]

    both = orders.resource("aws_cloudwatch_composite_alarm", alarm_name="orders-prod-both")
    one, two = (f'"${{{name}.alarm_name}}"' for name in orders.resources("aws_cloudwatch_metric_alarm"))
    first = f"(ALARM({one}) AND ALARM({two}))"
    assert both["alarm_rule"] == f"({first} OR (NOT OK({one}) AND INSUFFICIENT_DATA({two})))"
    assert len(both["alarm_actions"]) == 1
    orders.has_no_resource("aws_cloudwatch_metric_alarm", alarm_actions=both["alarm_actions"])
    assert all(
        "alarm_actions" not in each for each in orders.resources("aws_cloudwatch_metric_alarm").values()
    )


def test_a_cause_is_not_told_twice_but_what_speaks_for_itself_may_silence(synthesize: Synthesize) -> None:
    with pytest.raises(
        ConstructError, match="would both tell of one cause; give orders-prod-one notify=False"
    ):
        synthesize(lambda app: _compose(app, lambda one, two: one.fires & two.fires, notify=True))

    synthesize(lambda app: _compose(app, lambda one, _: ~one.fires, notify=True))
    with pytest.raises(ConstructError, match="would both tell"):
        synthesize(lambda app: _compose(app, lambda one, _: ~~one.fires, notify=True))


def test_a_rule_is_within_the_limits_of_cloudwatch(synthesize: Synthesize) -> None:
    def many(app: HoldfastApp, count: int, length: int) -> None:
        alerts = alerts_in(app)
        alarms = [
            _alarm(app, f"a{number}".ljust(length, "x"), alerts, notify=False) for number in range(count)
        ]
        rule = alarms[0].fires
        for alarm in alarms[1:]:
            rule = rule | alarm.fires
        plain: dict[str, Any] = {"severity": "sev1", "runbook": "queue.md", "reason": "any"}
        CompositeAlarm(ServiceStack.of(alerts), "any", alerts=alerts, rule=rule, **plain)

    synthesize(lambda app: many(app, 100, 4))
    with pytest.raises(ConstructError, match="got 101; make composite"):
        synthesize(lambda app: many(app, 101, 4))
    with pytest.raises(ConstructError, match="at most 10240"):
        synthesize(lambda app: many(app, 60, 180))


def test_and_and_or_of_python_are_refused(synthesize: Synthesize) -> None:
    with pytest.raises(ConstructError, match=r"write &, \| and ~"):
        synthesize(lambda app: _compose(app, lambda one, two: one.fires and two.fires))


def test_two_alarms_of_one_name_are_refused_even_of_both_kinds(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        one, _ = _two(app)
        stack = ServiceStack.of(one)
        plain: dict[str, Any] = {"severity": "sev1", "runbook": "queue.md", "reason": "twice"}
        alerts: Any = stack.node.find_child("alerts")
        CompositeAlarm(alerts, "one", alerts=alerts, rule=one.fires, **plain)

    with pytest.raises(ConstructError, match="orders-prod-one, of which AWS has one"):
        synthesize(build)


def test_a_metric_has_no_dimension_by_default() -> None:
    assert Metric(namespace="Shop", name="Orders").dimensions == {}


def test_an_alarm_in_another_stack_tells_the_topic_of_the_one_with_the_alerts(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        alerts = alerts_in(app)
        billing = ServiceStack(app, "billing", ServiceStack.of(alerts).target)
        told: dict[str, Any] = {"severity": "sev2", "runbook": "queue.md", "reason": "none is normal"}
        Alarm(billing, "dead", alerts=alerts, when=above(0), **told)

    alarm = synthesize(build)["billing"].resource(
        "aws_cloudwatch_metric_alarm", alarm_name="billing-prod-dead"
    )

    [topic] = alarm["alarm_actions"]
    assert topic.startswith("${data.terraform_remote_state.")
    assert json.loads(alarm["alarm_description"])["service"] == "billing"
