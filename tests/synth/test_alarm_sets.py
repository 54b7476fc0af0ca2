"""The ready sets: each alarm has a reason and a runbook that names it; burn alarms tell of one cause once."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.alarm_simulation import Simulated, Traffic, changes, holding
from tests.support.observed import BALANCER, GROUP, alerts_in

from holdfast_constructs import (
    CacheAlarms,
    ConstructError,
    Dashboard,
    DatabaseAlarms,
    FirewallAlarms,
    Graph,
    HoldfastApp,
    LoadBalancerAlarms,
    QueueAlarms,
    ScheduledJobAlarms,
    ServiceStack,
    Slo,
    SloAlarms,
    Text,
    WebServiceAlarms,
    environment_widgets,
    service_widgets,
)
from holdfast_constructs.observability.alarm_set import AlarmSet
from holdfast_constructs.observability.runbooks import HEADINGS, shipped, text_of
from holdfast_constructs.testing import Synthesis

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
ROOT = Path(__file__).parents[2]
AT: dict[str, Any] = {"load_balancer": BALANCER, "target_group": GROUP}
# Each set with all that it can watch.
SETS: Mapping[type[AlarmSet], dict[str, Any]] = {
    WebServiceAlarms: AT | {"cluster": "main", "service": "api", "max_tasks": 10, "silence_minutes": 15},
    SloAlarms: AT | {"slo": Slo(availability=99.9, latency_ms=400, percentile=95)},
    DatabaseAlarms: {"instance": "orders", "most_connections": 200, "replica": True},
    QueueAlarms: {"queue": "work", "dead_letters": "work-dead"},
    LoadBalancerAlarms: {"load_balancer": BALANCER, "certificate": "arn:aws:acm:eu-west-1:1:certificate/x"},
    FirewallAlarms: {"web_acl": "edge", "region": "eu-west-1"},
    ScheduledJobAlarms: {"schedule_group": "orders", "not_started": "orders-not-started", "every_hours": 24},
    CacheAlarms: {"nodes": ["cache-001", "cache-002"]},
}


def _made(synthesize: Synthesize, kind: type[Any], **given: Any) -> tuple[Any, Synthesis]:
    made: list[Any] = []

    def build(app: HoldfastApp) -> None:
        alerts = alerts_in(app)
        made.append(kind(ServiceStack.of(alerts), "it", alerts=alerts, **SETS[kind] | given))

    synthesis = synthesize(build)
    return made[0], synthesis


@pytest.mark.parametrize("kind", SETS, ids=lambda kind: kind.__name__)
def test_each_alarm_that_tells_is_in_the_runbook_of_its_set(synthesize: Synthesize, kind: type[Any]) -> None:
    alarms, synthesis = _made(synthesize, kind)

    runbook = (ROOT / "docs" / "runbooks" / alarms.runbook).read_text()
    named = {each.node.id.removeprefix("it-") for each in alarms.telling}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", runbook, re.MULTILINE)) == named
    orders = synthesis["orders"]
    for resource in ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"):
        for alarm in orders.resources(resource).values():
            told = json.loads(alarm["alarm_description"])
            assert told["runbook"] == f"docs/runbooks/{alarms.runbook}"
            assert len(told["reason"]) > 20


@pytest.mark.parametrize("name", shipped())
def test_each_runbook_has_all_parts_and_is_in_this_project_word_for_word(name: str) -> None:
    text = text_of(name, owner="service team", deputy="platform team")

    assert (ROOT / "docs" / "runbooks" / name).read_text() == text
    assert tuple(line for line in text.splitlines() if line.startswith("## ")) == HEADINGS
    for command in ("holdfast runs", "holdfast rollback"):
        assert command in text
    assert "{" not in re.sub(r"`[^`]*`", "", text)


def test_every_runbook_belongs_to_a_set(synthesize: Synthesize) -> None:
    assert {_made(synthesize, kind)[0].runbook for kind in SETS} == set(shipped())


def test_what_is_not_given_is_not_watched(synthesize: Synthesize) -> None:
    web, _ = _made(synthesize, WebServiceAlarms, max_tasks=None, silence_minutes=None)
    job, _ = _made(synthesize, ScheduledJobAlarms, every_hours=None)
    cache, _ = _made(synthesize, CacheAlarms, nodes=["one"])

    assert set(web.alarms) == {"errors", "latency", "no-healthy-task", "cpu", "memory"}
    assert set(job.alarms) == {"not-started", "dropped"}
    assert set(cache.alarms) == {"cpu", "memory", "evictions"}


def test_a_job_that_never_starts_is_missed_an_hour_after_it_was_due(synthesize: Synthesize) -> None:
    missed = _made(synthesize, ScheduledJobAlarms)[0].alarms["missed"].when

    assert (missed.seconds, missed.missing, missed.comparison, missed.value) == (90_000, "breaching", "<", 1)
    with pytest.raises(ConstructError, match="every_hours must be 1-167"):
        _made(synthesize, ScheduledJobAlarms, every_hours=168)


def test_errors_of_a_service_need_traffic(synthesize: Synthesize) -> None:
    when = _made(synthesize, WebServiceAlarms)[0].alarms["errors"].when

    def fires(requests: int, errors: int) -> bool:
        alarm = Simulated(when)
        return "ALARM" in {
            alarm.evaluate(Traffic([requests] * 9, [errors] * 9), minute) for minute in range(9)
        }

    assert [fires(20, 20), fires(21, 2), fires(100, 5), fires(100, 6)] == [False, True, False, True]


def _told(alarms: SloAlarms, traffic: Traffic) -> dict[str, list[tuple[int, bool]]]:
    """When each composite alarm begins and ends."""
    simulated = {each.name: Simulated(each.when) for each in alarms.alarms.values()}
    states: dict[str, Any] = {}
    firing: dict[str, list[bool]] = {name: [] for name in alarms.composites}
    for minute in range(traffic.minutes):
        states |= {name: each.evaluate(traffic, minute) for name, each in simulated.items()}
        for name, composite in alarms.composites.items():
            holds = holding(composite.rule, states)
            states[composite.name] = "ALARM" if holds else "OK"
            firing[name].append(holds)
    return {name: changes(each) for name, each in firing.items()}


def test_one_cause_pages_once_and_the_ticket_waits_for_the_page_to_end(synthesize: Synthesize) -> None:
    alarms = _made(synthesize, SloAlarms)[0]
    # Everything fails and is slow, for 20 minutes from the fifth day on.
    start, length = 4 * 1440, 4 * 1440 + 500
    bad = [1000 if start <= minute < start + 20 else 0 for minute in range(length)]

    told = _told(alarms, Traffic([1000] * length, bad, bad))

    # The pairs of test_burn_rates: 14.4x until 24, 6x until 49, 3x until 139, 1x until 379.
    assert told["availability-page"] == [(start, True), (start + 49, False)]
    assert told["availability-ticket"] == [(start + 49, True), (start + 379, False)]
    # 5 percent may be slow: 20 minutes are less than 43 of an hour, 108 of six, 216 of a day and of three.
    assert told["latency-page"] == told["latency-ticket"] == []


def test_a_page_for_slow_answers_waits_for_one_for_errors(synthesize: Synthesize) -> None:
    alarms = _made(synthesize, SloAlarms)[0]
    # Everything is slow for two hours; in the second one everything fails, too.
    start, length = 4 * 1440, 4 * 1440 + 300
    slow = [1000 if start <= minute < start + 120 else 0 for minute in range(length)]
    bad = [1000 if start + 60 <= minute < start + 120 else 0 for minute in range(length)]

    told = _told(alarms, Traffic([1000] * length, bad, slow))

    # 43.2 minutes are 14.4 times 5 % of an hour; the short window of 6x ends 149 minutes after the beginning.
    assert told["latency-page"][0] == (start + 43, True)
    assert told["latency-page"][1] == (start + 60, False)
    assert told["availability-page"] == [(start + 60, True), (start + 149, False)]


@pytest.mark.parametrize("objective", [93, 100, 50])
def test_an_objective_that_no_outage_could_miss_fast_enough_is_refused(objective: float) -> None:
    with pytest.raises(ConstructError, match=r"above 93\.06 and below 100"):
        Slo(availability=objective)
    with pytest.raises(ConstructError, match="percentile of an Slo"):
        Slo(latency_ms=400, percentile=objective)


def test_an_objective_promises_something() -> None:
    with pytest.raises(ConstructError, match="availability, latency_ms or both"):
        Slo(availability=None)
    assert Slo(availability=None, latency_ms=400).kinds() == ("latency",)


def _dashboard(app: HoldfastApp, widgets: Any, **given: Any) -> None:
    alerts = alerts_in(app)
    stack = ServiceStack.of(alerts)
    sets = [kind(stack, f"s{n}", alerts=alerts, **given_) for n, (kind, given_) in enumerate(SETS.items())]
    Dashboard(stack, "main", widgets=widgets(sets, alerts), **given)


def test_a_dashboard_of_a_service_shows_the_signals_and_thresholds_of_its_alarms(
    synthesize: Synthesize,
) -> None:
    widgets = lambda sets, _: service_widgets(sets, ["/orders"])  # noqa: E731

    orders = synthesize(lambda app: _dashboard(app, widgets))["orders"]

    body = json.loads(
        orders.resource("aws_cloudwatch_dashboard", dashboard_name="orders-prod-main")["dashboard_body"]
    )
    shown = body["widgets"]
    assert all(each["x"] + each["width"] <= 24 for each in shown)
    assert len({(each["x"], each["y"]) for each in shown}) == len(shown)
    graphs = [each["properties"] for each in shown if each["type"] == "metric"]
    lines = {line["value"] for graph in graphs for line in graph["annotations"]["horizontal"]}
    thresholds = {each["threshold"] for each in orders.resources("aws_cloudwatch_metric_alarm").values()}
    assert lines == thresholds
    for graph in graphs:
        entries = [row[-1] for row in graph["metrics"]]
        ids = [entry["id"] for entry in entries]
        assert len(ids) == len(set(ids))
        for entry in entries:
            words = set(re.findall(r"\b[a-z]\w*", entry.get("expression", "")))
            assert words <= set(ids)
    [logs] = [each["properties"] for each in shown if each["type"] == "log"]
    assert logs["query"].startswith("SOURCE '/orders' | ")


def test_a_dashboard_of_an_environment_shows_states_and_whom_to_call(synthesize: Synthesize) -> None:
    widgets = lambda sets, alerts: environment_widgets({"orders": sets}, alerts)  # noqa: E731

    board = synthesize(lambda app: _dashboard(app, widgets))["orders"].resource("aws_cloudwatch_dashboard")

    alarms, text = json.loads(board["dashboard_body"])["widgets"]
    assert (alarms["type"], alarms["properties"]["title"]) == ("alarm", "orders")
    assert "| sev1 | primary on-call, secondary on-call +5 min" in text["properties"]["markdown"]


@pytest.mark.parametrize(
    ("widgets", "told"),
    [
        (lambda signal: [Text(markdown="x")] * 501, "at most 500"),
        (lambda signal: [Graph(title="x", signals=[signal] * 501)], "metrics of a widget"),
        (lambda signal: [Graph(title="x", signals=[signal] * 417)] * 6, "metrics of a dashboard"),
        (lambda signal: [Text(markdown="x", width=25)], "1-24 columns"),
    ],
)
def test_a_dashboard_is_within_the_limits_of_cloudwatch(
    synthesize: Synthesize, widgets: Callable[[Any], Any], told: str
) -> None:
    from tests.support.observed import depth  # noqa: PLC0415 - for this table only

    with pytest.raises(ConstructError, match=told):
        synthesize(lambda app: Dashboard(ServiceStack.of(alerts_in(app)), "main", widgets=widgets(depth())))
