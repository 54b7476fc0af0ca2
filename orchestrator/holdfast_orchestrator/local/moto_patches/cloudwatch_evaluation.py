"""Alarms that change state: from metric data, from SetAlarmState, composites from their children.

moto 5.2.1 keeps alarms and data apart: no state ever changes by itself, a composite alarm ignores its
children, no action runs, a new alarm is OK, and there is no history.
AWS starts an alarm in INSUFFICIENT_DATA, evaluates it every minute, moves composites with their children and
runs the actions of the new state.
We do the same when data is put and when alarms are described, up to the newest datum where one was put ahead
of time. A state from SetAlarmState stays until data is put for one of the alarm's metrics; AWS would put it
right within a minute. What is not evaluated here (anomaly bands, SEARCH) keeps its state and says so.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from holdfast_orchestrator.local.alarms import evaluation
from holdfast_orchestrator.local.alarms.functions import NotEvaluatedError
from holdfast_orchestrator.local.alarms.rule import RuleError, parse_rule
from holdfast_orchestrator.local.alarms.statistics import UnknownStatisticError
from holdfast_orchestrator.local.moto_patches import _alarm_actions as actions
from holdfast_orchestrator.local.moto_patches import _alarm_data as data
from holdfast_orchestrator.local.moto_patches._alarm_suppression import settle, state_changed
from holdfast_orchestrator.local.moto_patches._moto import attach, memory, moto, now, operation, wrap


def close() -> None:
    """Evaluate alarms, run their actions, and keep their history."""
    backend = moto("cloudwatch.models").CloudWatchBackend
    responses = moto("cloudwatch.responses").CloudWatchResponse
    _definitions(backend, responses)
    _states(backend)
    for name in ("describe_alarms", "describe_alarms_for_metric"):
        _evaluated_first(responses, name)
    _history(responses)
    for name, enabled in (("enable_alarm_actions", True), ("disable_alarm_actions", False)):
        attach(responses, name, _switch(enabled=enabled))


def _definitions(backend: Any, responses: Any) -> None:
    @wrap(moto("cloudwatch.models").Alarm, "__init__")
    def start(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.state_value = evaluation.INSUFFICIENT_DATA

    @wrap(backend, "put_metric_alarm")
    def put(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        before = self.alarms.get(kwargs["name"])
        # moto takes pNN only.
        extended, kwargs["extended_statistic"] = kwargs["extended_statistic"], None
        alarm = original(self, *args, **kwargs)
        alarm.extended_statistic = extended
        try:
            data.check_definition(alarm)
        except NotEvaluatedError as unknown:
            alarm.state_reason = f"The local cloud does not evaluate {unknown}: use SetAlarmState"
        except (UnknownStatisticError, ValueError) as refused:
            _put_back(self, kwargs["name"], before)
            raise moto("cloudwatch.exceptions").ValidationError(str(refused)) from refused
        _inherit(alarm, before)
        return alarm

    @wrap(responses, "put_composite_alarm")
    def put_composite(original: Any, self: Any) -> Any:
        params = self._get_params()
        try:
            parse_rule(params["AlarmRule"])
        except RuleError as refused:
            raise moto("cloudwatch.exceptions").ValidationError(str(refused)) from refused
        alarms = self.cloudwatch_backend.alarms
        before = alarms.get(params["AlarmName"])
        answer = original(self)
        _inherit(alarms[params["AlarmName"]], before)
        return answer


def _put_back(backend: Any, name: str, before: Any) -> None:
    if before is None:
        backend.alarms.pop(name, None)
    else:
        backend.alarms[name] = before


def _inherit(alarm: Any, before: Any) -> None:
    """Keep state and history of an alarm that is updated; PutMetricAlarm: "its state is left unchanged"."""
    if before is not None:
        for name in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp"):
            setattr(alarm, name, getattr(before, name))
        actions.history(alarm).extend(actions.history(before))
    made = "created" if before is None else "updated"
    actions.remember(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {made}', {"type": made.title()})


def _states(backend: Any) -> None:
    @wrap(backend, "set_alarm_state")
    def set_state(original: Any, self: Any, alarm_name: str, *given: Any) -> None:
        before = self.alarms[alarm_name].state_value if alarm_name in self.alarms else ""
        original(self, alarm_name, *given)
        alarm = self.alarms[alarm_name]
        memory(alarm, "held")["by hand"] = True
        if before != alarm.state_value:
            _after(alarm, before)
            _composites(self)

    @wrap(backend, "put_metric_data")
    def put(original: Any, self: Any, namespace: str, metric_data: Any) -> None:
        count = len(self.metric_data)
        original(self, namespace, metric_data)
        touched = {data.metric_of(datum) for datum in self.metric_data[count:]}
        for alarm in self.alarms.values():
            if not alarm.rule and touched & data.metrics_of(alarm):
                memory(alarm, "held").clear()
        evaluate(self)


def _evaluated_first(responses: Any, name: str) -> None:
    @wrap(responses, name)
    def describe(original: Any, self: Any) -> Any:
        evaluate(self.cloudwatch_backend)
        return original(self)


def evaluate(backend: Any) -> None:
    """Bring all alarms of a region up to date, and run the actions of those that changed."""
    for alarm in list(backend.alarms.values()):
        if not alarm.rule and not memory(alarm, "held"):
            _evaluate(backend, alarm)
    _composites(backend)


def _evaluate(backend: Any, alarm: Any) -> None:
    try:
        condition = data.condition_of(alarm)
        data.check_definition(alarm)
    except NotEvaluatedError:
        return
    end = data.end_of(alarm, backend.metric_data, now())
    try:
        points, few = data.points_of(alarm, backend.metric_data, end, condition.reach)
    except ValueError as unknown:
        alarm.state_reason = f"The expression cannot be computed: {unknown}"
        return
    new = None if few else evaluation.state(condition, points)
    if new is None or new == alarm.state_value:
        return
    reason = evaluation.reason(condition, points, new, alarm.state_value)
    told = {
        "version": "1.0",
        "queryDate": end.isoformat(),
        "statistic": alarm.statistic or alarm.extended_statistic,
        "period": data.period_of(alarm),
        "recentDatapoints": [point for point in points if point is not None],
        "threshold": condition.threshold,
    }
    _change(alarm, new, reason, told)


def _composites(backend: Any) -> None:
    """Move composite alarms until none changes any more; alarms in a circle stop after one round each."""
    rules = {name: parse_rule(alarm.rule) for name, alarm in backend.alarms.items() if alarm.rule}

    def state_of(name: str) -> str | None:
        return backend.alarms[name].state_value if name in backend.alarms else None

    for _round in rules:
        changed = False
        for name, rule in rules.items():
            new = evaluation.ALARM if rule.holds(state_of) else evaluation.OK
            alarm = backend.alarms[name]
            states = sorted(f"{child} is {state_of(child)}" for child in rule.children)
            if new != alarm.state_value and not _held(alarm, states):
                changed = True
                _change(alarm, new, f"{alarm.alarm_arn} transitioned to {new}: {', '.join(states)}", {})
        if not changed:
            break
    settle(backend, now())


def _held(alarm: Any, states: list[str]) -> bool:
    """Return whether a composite keeps its state from SetAlarmState: until one of its children changes."""
    held = memory(alarm, "held")
    if held and held.setdefault("children", states) != states:
        held.clear()
    return bool(held)


def _change(alarm: Any, new: str, reason: str, told: Mapping[str, Any]) -> None:
    before = alarm.state_value
    alarm.update_state(reason, json.dumps(told), new)
    _after(alarm, before)


def _after(alarm: Any, before: str) -> None:
    new = {"stateValue": alarm.state_value, "stateReason": alarm.state_reason}
    summary = f"Alarm updated from {before} to {alarm.state_value}"
    actions.remember(alarm, "StateUpdate", summary, {"oldState": {"stateValue": before}, "newState": new})
    if alarm.rule and getattr(alarm, "actions_suppressor", None):
        state_changed(alarm, before, now())
    else:
        actions.run_actions(alarm, before)


def _history(responses: Any) -> None:
    @operation(responses, "DescribeAlarmHistory")
    def describe(self: Any, params: Mapping[str, Any]) -> object:
        evaluate(self.cloudwatch_backend)
        wanted, kind = params.get("AlarmName"), params.get("HistoryItemType")
        alarms = self.cloudwatch_backend.alarms.values()
        items = [item for alarm in alarms if wanted in (None, alarm.name) for item in actions.history(alarm)]
        items = [item for item in items if kind in (None, item["HistoryItemType"])]
        newest_first = params.get("ScanBy") != "TimestampAscending"
        items.sort(key=lambda item: item["Timestamp"], reverse=newest_first)
        return {"AlarmHistoryItems": items[: params.get("MaxRecords") or len(items)]}


def _switch(*, enabled: bool) -> Callable[[Any], Any]:
    def switch(self: Any) -> Any:
        for name in self._get_param("AlarmNames", []):
            if name in self.cloudwatch_backend.alarms:
                self.cloudwatch_backend.alarms[name].actions_enabled = enabled
        return moto("core.responses").EmptyResult()

    return switch
