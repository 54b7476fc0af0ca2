"""Alerts: who may publish, the ways to people, and that no alarm is without runbook, owner and deputy."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.observed import TO_ALL, above, alerts_in
from tests.support.statements import conditions, statements_of

from holdfast_constructs import (
    Alarm,
    Alerts,
    ConstructError,
    EmailRoute,
    Escalation,
    HoldfastApp,
    HttpsRoute,
    Key,
    Owner,
    Queue,
    QueueRoute,
    ServiceStack,
    SlackRoute,
    Step,
)
from holdfast_constructs.testing import Synthesis, sample_target

Synthesize = Callable[[Callable[[HoldfastApp], object]], Synthesis]
ACCOUNT = {"aws:SourceAccount": ["210987654321"]}


def test_each_sender_gets_in_and_eventbridge_without_an_account(synthesize: Synthesize) -> None:
    orders = synthesize(alerts_in)["orders"]

    for topic in orders.resources("aws_sns_topic").values():
        allowed = statements_of(orders, topic["policy"])
        who = {sid: conditions(each) for sid, each in allowed.items() if each["effect"] == "Allow"}
        assert who == {
            "AllowAlarms": ACCOUNT | {"aws:SourceArn": ["arn:aws:cloudwatch:eu-west-1:210987654321:alarm:*"]},
            "AllowRules": {"aws:SourceArn": ["arn:aws:events:eu-west-1:210987654321:rule/*"]},
            "AllowBudgets": ACCOUNT | {"aws:SourceArn": ["arn:aws:budgets::210987654321:*"]},
            "AllowCostAnomalies": ACCOUNT,
            "AllowBackups": ACCOUNT,
        }


def test_the_key_lets_every_sender_in_for_the_topics_of_this_account(synthesize: Synthesize) -> None:
    statements = json.loads(synthesize(alerts_in)["orders"].resource("aws_kms_key")["policy"])["Statement"]

    [opened] = [each for each in statements if each["Sid"] == "ServicesToTopics"]

    wanted = {f"{name}.amazonaws.com" for name in ("cloudwatch", "events", "budgets", "costalerts", "backup")}
    assert wanted <= set(opened["Principal"]["Service"])
    # EventBridge's requests have no account: a condition on it would lose its events.
    assert list(opened["Condition"]) == ["ArnLike"]
    assert list(opened["Condition"]["ArnLike"]) == ["kms:EncryptionContext:aws:sns:topicArn"]


def test_a_key_for_something_else_is_refused(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "orders", sample_target())
        Alerts(stack, "alerts", key=Key(stack, "logs", purpose="logs"), routes=TO_ALL)

    with pytest.raises(ConstructError, match="lets no AWS service in"):
        synthesize(build)


def test_the_ways_to_people(synthesize: Synthesize) -> None:
    def build(app: HoldfastApp) -> None:
        stack = ServiceStack(app, "ops", sample_target())
        key = Key(stack, "messages", purpose="messages")
        slack = SlackRoute(team_id="T0123ABCD", channel_id="C0123ABCD")
        Alerts(
            stack,
            "alerts",
            key=key,
            routes={
                "sev1": [HttpsRoute(parameter="/alerts/pagerduty"), slack],
                "sev2": [HttpsRoute(parameter="/alerts/pagerduty"), slack],
                "sev3": [EmailRoute("team@example.com"), QueueRoute(Queue(stack, "inbox", key=key))],
            },
        )

    ops = synthesize(build)["ops"]

    [parameter] = ops.data("aws_ssm_parameter")
    https = [
        each for each in ops.resources("aws_sns_topic_subscription").values() if each["protocol"] == "https"
    ]
    assert [each["endpoint"] for each in https] == [f"${{{parameter}.value}}"] * 2
    assert all(each["endpoint_auto_confirms"] for each in https)
    ops.has_resource("aws_sns_topic_subscription", protocol="email", endpoint="team@example.com")
    ops.has_resource("aws_sns_topic_subscription", protocol="sqs", raw_message_delivery=False)
    channel = ops.resource("aws_chatbot_slack_channel_configuration", slack_channel_id="C0123ABCD")
    assert len(channel["sns_topic_arns"]) == 2
    assert channel["guardrail_policy_arns"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: EmailRoute("nobody"), "an e-mail address"),
        (HttpsRoute, "either url or parameter"),
        (lambda: HttpsRoute(url="http://example.com"), "begins with https"),
        (
            lambda: HttpsRoute(url="https://events.pagerduty.com/integration/" + "0a" * 16 + "/enqueue"),
            "has a key in it; keep it as a SecureString",
        ),
        (
            lambda: HttpsRoute(url="https://api.opsgenie.com/v1?apiKey=01234567-89ab-cdef-0123-456789abcdef"),
            "has a key in it",
        ),
        (lambda: SlackRoute(team_id="T01", channel_id="#alarms"), "a name such as #alarms is none"),
        (lambda: Owner("payments", "payments"), "somebody else than payments"),
        (lambda: Owner("payments", " "), "a team or a person"),
        (lambda: Step("CTO", -1), "0-1440"),
        (lambda: Escalation(()), "one after 0 minutes"),
        (lambda: Escalation((Step("a", 5),)), "one after 0 minutes"),
        (lambda: Escalation((Step("a", 0), Step("b", 0))), "each later than the last"),
    ],
)
def test_what_leads_to_nobody_is_refused(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ConstructError, match=told) as raised:
        make()

    assert "0a0a" not in str(raised.value)


ONE_STEP = Escalation((Step("on-call", 0),))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"routes": {}}, "a route for each severity"),
        ({"routes": {"sev1": []}}, "severity sev1 of escalation has no route"),
        (
            {"routes": {"sev1": [EmailRoute("a@b.ch")]}, "escalation": {"sev1": ONE_STEP, "sev2": ONE_STEP}},
            "severity sev2 of escalation has no route",
        ),
        ({"routes": {"sev1": [EmailRoute("a@b.ch")]}, "escalation": {}}, "sev1 of routes has no steps"),
        ({"routes": {"sev1": [EmailRoute("a@b.ch")] * 2}}, "a@b.ch is a route of sev1 twice"),
    ],
)
def test_each_severity_has_a_route_and_steps(synthesize: Synthesize, given: Any, told: str) -> None:
    with pytest.raises(ConstructError, match=told):
        synthesize(lambda app: alerts_in(app, **given))


def _alarm(app: HoldfastApp, runbook: str = "queue.md", **given: Any) -> None:
    alerts = alerts_in(app, **given)
    plain: dict[str, Any] = {"when": above(1), "reason": "one is too many", "severity": "sev2"}
    Alarm(ServiceStack.of(alerts), "depth", alerts=alerts, runbook=runbook, **plain)


def test_an_alarm_of_a_severity_without_a_route_is_refused(synthesize: Synthesize) -> None:
    with pytest.raises(ConstructError, match="severity sev2 has no route in alerts"):
        synthesize(lambda app: _alarm(app, routes={"sev1": [EmailRoute("a@b.ch")]}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "alarm orders-prod-depth has no runbook: there is no file books/mine.md; write it"),
        ("# Without a header\n", "books/mine.md has no owner; write `owner: …`"),
        ("---\nowner:\ndeputy: b\n---\n", "books/mine.md has no owner"),
        ("---\nowner: a\n---\n", "books/mine.md has no deputy; write `deputy: …`"),
        ("---\nowner: a\ndeputy: a\n---\n", "deputy in books/mine.md must be somebody else than a"),
    ],
)
def test_no_alarm_without_runbook_no_runbook_without_owner_no_owner_without_deputy(
    synthesize: Synthesize, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books").mkdir()
    if text is not None:
        (tmp_path / "books" / "mine.md").write_text(text)

    with pytest.raises(ConstructError, match=told):
        synthesize(lambda app: _alarm(app, "mine.md", runbooks="books"))


def test_a_missing_runbook_of_ours_is_written_by_the_command_that_is_named(
    synthesize: Synthesize, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from holdfast_constructs.observability.runbooks.__main__ import main  # noqa: PLC0415 - as a command

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConstructError) as raised:
        synthesize(_alarm)
    command = str(raised.value.next_step).partition("python -m ")[2]
    assert command.startswith("holdfast_constructs.observability.runbooks docs/runbooks --owner")

    monkeypatch.setattr("sys.argv", ["x", "docs/runbooks", "--owner", "orders", "--deputy", "platform"])
    assert main() == 0

    synthesize(_alarm)
    assert (
        (tmp_path / "docs/runbooks/queue.md").read_text().startswith("---\nowner: orders\ndeputy: platform")
    )
