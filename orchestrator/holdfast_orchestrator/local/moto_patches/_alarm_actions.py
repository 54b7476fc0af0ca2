"""What an alarm does when its state changes: history, and messages to SNS as CloudWatch writes them.

Source of the message: Amazon CloudWatch User Guide, "Notifying users on alarm changes". Actions that are not
SNS topics are written into the history and do nothing.
"""

import json
from datetime import datetime
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import memory, moto, now

# Amazon SNS: a subject has fewer than 100 characters.
_SUBJECT = 99


def history(alarm: Any) -> list[dict[str, Any]]:
    """Return an alarm's history by AWS's names, the oldest item first."""
    return memory(alarm, "history").setdefault("items", [])  # type: ignore[no-any-return]


def remember(alarm: Any, kind: str, summary: str, data: object) -> None:
    """Write an item into an alarm's history; `kind` is StateUpdate, Action or ConfigurationUpdate."""
    history(alarm).append(
        {
            "AlarmName": alarm.name,
            "AlarmType": "CompositeAlarm" if alarm.rule else "MetricAlarm",
            "Timestamp": now(),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(data),
        }
    )


def run_actions(alarm: Any, before: str) -> None:
    """Run the actions of an alarm's state."""
    if str(alarm.actions_enabled).lower() == "false":
        return
    by_state = {"OK": alarm.ok_actions, "ALARM": alarm.alarm_actions}
    for arn in by_state.get(alarm.state_value, alarm.insufficient_data_actions) or []:
        failure = _publish(alarm, arn, before) if arn.split(":")[2] == "sns" else None
        told = "Failed to execute" if failure else "Successfully executed"
        data = {"actionState": "Failed" if failure else "Succeeded", "notificationResource": arn}
        remember(alarm, "Action", f"{told} action {arn}", data | ({"error": failure} if failure else {}))


def _publish(alarm: Any, arn: str, before: str) -> str | None:
    """Publish an alarm's message; return why the topic did not take it."""
    region, account = arn.split(":")[3:5]
    where = alarm.alarm_arn.split(":")[3]
    subject = f'{alarm.state_value}: "{alarm.name}" in {_region_name(where)}'
    try:
        topics = moto("sns.models").sns_backends[account][region]
        topics.publish(json.dumps(message(alarm, before)), arn=arn, subject=subject[:_SUBJECT])
    except Exception as failure:  # noqa: BLE001 - CloudWatch goes on, whatever a topic answers
        return str(failure)
    return None


def message(alarm: Any, before: str) -> dict[str, Any]:
    """Return the message of a state change."""
    _, _, _, region, account, *_ = alarm.alarm_arn.split(":")
    told = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _time(alarm.configuration_updated_timestamp),
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": _time(alarm.state_updated_timestamp),
        "Region": _region_name(region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions or [],
        "AlarmActions": alarm.alarm_actions or [],
        "InsufficientDataActions": alarm.insufficient_data_actions or [],
    }
    return told | ({"AlarmRule": alarm.rule} if alarm.rule else {"Trigger": _trigger(alarm)})


def _trigger(alarm: Any) -> dict[str, Any]:
    condition = {
        "Period": alarm.period and int(alarm.period),
        "EvaluationPeriods": int(alarm.evaluation_periods),
        "DatapointsToAlarm": int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold and float(alarm.threshold),
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile or "",
    }
    if not alarm.metric_name:
        return {**condition, "Metrics": [_query(query) for query in alarm.metric_data_queries]}
    kind = "Statistic" if alarm.statistic else "ExtendedStatistic"
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": kind,
        kind: (alarm.statistic or "").upper() or alarm.extended_statistic,
        "Unit": alarm.unit,
        "Dimensions": _dimensions(alarm.dimensions),
        **condition,
    }


def _query(query: Any) -> dict[str, Any]:
    made = {"Id": query.id, "Label": query.label, "ReturnData": str(query.return_data).lower() != "false"}
    if query.expression:
        return {**made, "Expression": query.expression}
    stat = query.metric_stat
    metric = {
        "MetricName": stat.metric.metric_name,
        "Namespace": stat.metric.namespace,
        "Dimensions": _dimensions(stat.metric.dimensions),
    }
    return {**made, "MetricStat": {"Metric": metric, "Period": int(stat.period), "Stat": stat.stat}}


def _dimensions(dimensions: Any) -> list[dict[str, str]]:
    return [{"name": one.name, "value": one.value} for one in dimensions]


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"


def _region_name(region: str) -> str:
    """Return a region as CloudWatch writes it in messages: "EU (Ireland)" for eu-west-1."""
    from botocore.session import get_session  # noqa: PLC0415 - the server alone needs it

    for partition in get_session().get_component("endpoint_resolver")._endpoint_data["partitions"]:  # noqa: SLF001
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"]).replace("Europe", "EU")
    return region
