"""Alarms of the local cloud: they fire and recover from data, move composites, and reach topics."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.gaps import Clients, Gaps, Probes

ACCOUNT = "arn:aws:sns:eu-west-1:123456789012:"
ERRORS: dict[str, Any] = {
    "Namespace": "App",
    "MetricName": "Errors",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Statistic": "Sum",
    "Threshold": 10,
    "ComparisonOperator": "GreaterThanThreshold",
}


def sink(clients: Clients, name: str) -> tuple[str, str]:
    """Make a topic with a queue that gets its messages; return the topic's ARN and the queue's URL."""
    topic = clients("sns").create_topic(Name=name)["TopicArn"]
    queue = clients("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    clients("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, queue


def received(clients: Clients, queue: str) -> list[Any]:
    """Take every message off a queue, and read them as JSON."""
    told: list[Any] = []
    while got := clients("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in got:
            clients("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            told.append(json.loads(message["Body"]))
    return told


def put(clients: Clients, name: str, *values: float, minutes: float = 0) -> None:
    """Put values of a metric, so many minutes ahead of now."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    datum = {"MetricName": name, "Values": list(values), "Timestamp": at}
    clients("cloudwatch").put_metric_data(Namespace="App", MetricData=[datum])


def state(clients: Clients, name: str) -> Any:
    seen = clients("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return (seen["MetricAlarms"] + seen["CompositeAlarms"])[0]["StateValue"]


def an_alarm_fires_and_recovers(clients: Clients) -> object:
    topic, queue = sink(clients, "fires")
    clients("cloudwatch").put_metric_alarm(
        AlarmName="fires",
        AlarmDescription="runbook",
        AlarmActions=[topic],
        OKActions=[topic],
        **ERRORS | {"MetricName": "Fires"},
    )
    states = [state(clients, "fires")]
    for minutes, values in ((0, (6.0, 5.0)), (5, (1.0,))):
        put(clients, "Fires", *values, minutes=minutes)
        states.append(state(clients, "fires"))
    told = [json.loads(message["Message"]) for message in received(clients, queue)]
    history = clients("cloudwatch").describe_alarm_history(AlarmName="fires", HistoryItemType="StateUpdate")
    summaries = [item["HistorySummary"] for item in history["AlarmHistoryItems"]]
    return states, [(one["OldStateValue"], one["NewStateValue"]) for one in told], summaries


def a_burn_rate_of_two_metrics(clients: Clients) -> object:
    metrics = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "App", "MetricName": metric},
                "Period": 3600,
                "Stat": "Sum",
            },
        }
        for name, metric in (("bad", "BurnBad"), ("conn", "BurnConn"), ("total", "BurnTotal"))
    ]
    burn = {"Id": "burn", "Expression": "IF(total > 10, (FILL(bad, 0) + FILL(conn, 0)) / total / 0.001, 0)"}
    clients("cloudwatch").put_metric_alarm(
        AlarmName="burn",
        Metrics=[*metrics, burn],
        EvaluationPeriods=1,
        Threshold=14.4,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    states = [state(clients, "burn")]
    put(clients, "BurnTotal", 1000)
    put(clients, "BurnBad", 20)
    states.append(state(clients, "burn"))
    put(clients, "BurnTotal", 1000, minutes=90)
    return [*states, state(clients, "burn")]


def a_composite_follows_its_children(clients: Clients) -> object:
    topic, queue = sink(clients, "composite")
    watch = clients("cloudwatch")
    for name in ("long", "short", "maintenance"):
        watch.put_metric_alarm(AlarmName=name, **ERRORS | {"MetricName": name})
    watch.put_composite_alarm(
        AlarmName="pages",
        AlarmRule='ALARM("long") AND NOT OK(short)',
        AlarmActions=[topic],
        OKActions=[topic],
        ActionsSuppressor="maintenance",
        ActionsSuppressorWaitPeriod=0,
        ActionsSuppressorExtensionPeriod=0,
    )
    state(clients, "pages")
    told = []
    for name, value in (
        *(("short", "OK"), ("long", "ALARM"), ("short", "ALARM"), ("short", "OK")),
        *(("maintenance", "ALARM"), ("short", "ALARM"), ("maintenance", "OK")),
    ):
        watch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="test")
        told.append([json.loads(one["Message"])["NewStateValue"] for one in received(clients, queue)])
    return told


def an_event_reaches_a_topic_and_a_dead_letter_queue(clients: Clients) -> object:
    topic, queue = sink(clients, "events")
    letters = clients("sqs").create_queue(QueueName="letters")["QueueUrl"]
    events = clients("events")
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["app"]}))
    transformer = {"InputPathsMap": {"what": "$.detail.what"}, "InputTemplate": '"told: <what>"'}
    dead = {"Arn": "arn:aws:sqs:eu-west-1:123456789012:letters"}
    events.put_targets(
        Rule="told",
        Targets=[
            {"Id": "gone", "Arn": f"{ACCOUNT}gone", "DeadLetterConfig": dead},
            {"Id": "topic", "Arn": topic, "InputTransformer": transformer},
            {"Id": "whole", "Arn": topic},
        ],
    )
    events.put_events(Entries=[{"Source": "app", "DetailType": "d", "Detail": json.dumps({"what": "x"})}])
    told = sorted((message["Message"] for message in received(clients, queue)), key=len)
    dead_letters = received(clients, letters)
    return told[0], json.loads(told[1])["detail"], [letter["detail"] for letter in dead_letters]


PROBES: Probes = {
    an_alarm_fires_and_recovers: (
        (
            ["INSUFFICIENT_DATA", "ALARM", "OK"],
            [("INSUFFICIENT_DATA", "ALARM"), ("ALARM", "OK")],
            ["Alarm updated from ALARM to OK", "Alarm updated from INSUFFICIENT_DATA to ALARM"],
        ),
        "cloudwatch_evaluation",
    ),
    a_burn_rate_of_two_metrics: (["OK", "ALARM", "OK"], "cloudwatch_evaluation"),
    a_composite_follows_its_children: (
        [["OK"], [], ["ALARM"], ["OK"], [], [], ["ALARM"]],
        "cloudwatch_evaluation",
    ),
    an_event_reaches_a_topic_and_a_dead_letter_queue: (
        ('"told: x"', {"what": "x"}, [{"what": "x"}]),
        "events_targets",
    ),
}


class TestGaps(Gaps):
    probes = PROBES


@pytest.mark.parametrize(
    ("expression", "named"),
    [("NOPE(m)", "NOPE"), ("m +", "ends too early"), ("m + other", "other"), ("m ) 1", "unexpected")],
)
def test_an_expression_cloudwatch_does_not_know_is_refused(
    expression: str, named: str, local_clients: Clients
) -> None:
    stat = {"Metric": {"Namespace": "App", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}

    with pytest.raises(ClientError) as refused:
        local_clients("cloudwatch").put_metric_alarm(
            AlarmName="refused",
            Metrics=[
                {"Id": "m", "ReturnData": False, "MetricStat": stat},
                {"Id": "e", "Expression": expression},
            ],
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )

    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert named in refused.value.response["Error"]["Message"]


def test_the_message_is_as_cloudwatch_writes_it(local_clients: Clients) -> None:
    topic, queue = sink(local_clients, "message")
    local_clients("cloudwatch").put_metric_alarm(
        AlarmName="message", AlarmActions=[topic], **ERRORS | {"MetricName": "Message"}
    )
    put(local_clients, "Message", 50)

    (envelope,) = received(local_clients, queue)
    message = json.loads(envelope["Message"])

    assert envelope["Subject"] == 'ALARM: "message" in EU (Ireland)'
    assert message["NewStateReason"] == (
        "Threshold Crossed: 1 out of the last 1 datapoint [50.0] was greater than the threshold (10.0) "
        "(minimum 1 datapoint for INSUFFICIENT_DATA -> ALARM transition)."
    )
    assert message["Trigger"]["MetricName"] == "Message"
    assert message["Trigger"]["Statistic"] == "SUM"


def test_what_is_not_evaluated_here_says_so_and_is_set_by_hand(local_clients: Clients) -> None:
    watch = local_clients("cloudwatch")
    stat = {"Metric": {"Namespace": "App", "MetricName": "Band"}, "Period": 60, "Stat": "p95"}
    watch.put_metric_alarm(
        AlarmName="band",
        Metrics=[{"Id": "m", "MetricStat": stat}, {"Id": "b", "Expression": "ANOMALY_DETECTION_BAND(m, 2)"}],
        ThresholdMetricId="b",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanUpperThreshold",
    )
    put(local_clients, "Band", 50)
    seen = watch.describe_alarms(AlarmNames=["band"])["MetricAlarms"][0]

    watch.set_alarm_state(AlarmName="band", StateValue="ALARM", StateReason="test")

    assert seen["StateValue"] == "INSUFFICIENT_DATA"
    assert "ANOMALY_DETECTION_BAND" in seen["StateReason"]
    assert state(local_clients, "band") == "ALARM"
