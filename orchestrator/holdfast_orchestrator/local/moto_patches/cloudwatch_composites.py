"""Composite alarms.

moto 5.2.1 can describe, tag and delete composite alarms, but not make one: PutCompositeAlarm is missing.
AWS makes or replaces one by name; where it exists, its tags stay as they are.
So do we. A composite alarm's state comes from SetAlarmState, as with moto's metric alarms.
"""

from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, operation

# What moto's Alarm keeps of the settings a composite alarm shares with a metric alarm.
_SHARED = {
    "AlarmDescription": "description",
    "AlarmActions": "alarm_actions",
    "OKActions": "ok_actions",
    "InsufficientDataActions": "insufficient_data_actions",
    "ActionsEnabled": "actions_enabled",
}
_SUPPRESSOR = {
    "ActionsSuppressor": "actions_suppressor",
    "ActionsSuppressorWaitPeriod": "actions_suppressor_wait_period",
    "ActionsSuppressorExtensionPeriod": "actions_suppressor_extension_period",
}


def close() -> None:
    """Add PutCompositeAlarm."""

    @operation(moto("cloudwatch.responses").CloudWatchResponse, "PutCompositeAlarm")
    def put(self: Any, params: Mapping[str, Any]) -> None:
        backend, name = self.cloudwatch_backend, params["AlarmName"]
        alarm = _alarm(backend, name, params)
        for given, kept in _SUPPRESSOR.items():
            setattr(alarm, kept, params.get(given))
        before = backend.alarms.get(name)
        backend.alarms[name] = alarm
        if before is None and params.get("Tags"):
            backend.tagger.tag_resource(alarm.alarm_arn, params["Tags"])


def _alarm(backend: Any, name: str, params: Mapping[str, Any]) -> Any:
    settings: dict[str, Any] = dict.fromkeys(_METRIC_ONLY)
    settings |= {kept: params.get(given) for given, kept in _SHARED.items()}
    settings["alarm_actions"] = settings["alarm_actions"] or []
    return moto("cloudwatch.models").Alarm(
        account_id=backend.account_id,
        region_name=backend.region_name,
        name=name,
        dimensions=[],
        rule=params["AlarmRule"],
        **settings,
    )


_METRIC_ONLY = (
    "namespace",
    "metric_name",
    "metric_data_queries",
    "comparison_operator",
    "evaluation_periods",
    "datapoints_to_alarm",
    "period",
    "threshold",
    "statistic",
    "extended_statistic",
    "unit",
    "treat_missing_data",
    "evaluate_low_sample_count_percentile",
    "threshold_metric_id",
)
