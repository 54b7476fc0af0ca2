"""EventBridge: SNS topics as targets of rules, constant and selected input, dead letters.

moto 5.2.1 raises for every target but queues, log groups, buses and archives, so that PutEvents fails as a
whole; a target's Input, InputPath and DeadLetterConfig are ignored.
AWS delivers to each target by itself; what a target does not take goes to its dead-letter queue.
So do we. What moto has no delivery for (functions, tasks) gets nothing, as the local cloud runs no code.
"""

import copy
import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from holdfast_orchestrator.local.moto_patches._moto import moto, wrap

_DELIVERED_BY_MOTO = ("logs", "events", "sqs")


def close() -> None:
    """Deliver to each target of a rule by itself."""

    @wrap(moto("events.models").Rule, "send_to_targets")
    def send(original: Any, self: Any, original_event: Any, *options: Any, **named: Any) -> None:
        if self.state == "DISABLED" or not self.event_pattern.matches_event(original_event):
            return
        targets = self.targets
        try:
            for target in targets:
                self.targets = [target]
                event = copy.deepcopy(original_event)
                _send(functools.partial(original, self, event, *options, **named), self, target, event)
        finally:
            self.targets = targets


def _send(by_moto: Callable[[], object], rule: Any, target: dict[str, Any], event: Any) -> None:
    service = target["Arn"].split(":")[2]
    try:
        if service == "sns":
            _publish(target, event)
        elif service == "sqs" and ("Input" in target or "InputPath" in target):
            _queue(target["Arn"], _text(target, event), {})
        elif service in _DELIVERED_BY_MOTO:
            by_moto()
    except Exception as failure:  # noqa: BLE001 - one target's failure is not another's, nor PutEvents'
        _bury(rule, target, event, failure)


def _publish(target: dict[str, Any], event: Any) -> None:
    region, account = target["Arn"].split(":")[3:5]
    moto("sns.models").sns_backends[account][region].publish(_text(target, event), arn=target["Arn"])


def _text(target: dict[str, Any], event: Any) -> str:
    """Return what a target gets: its constant, the selected part, the template filled in, or the event."""
    whole = _as_sent(event)
    if "Input" in target:
        return str(target["Input"])
    if path := target.get("InputPath"):
        # It comes with moto.
        matches = import_module("jsonpath_ng.ext").parse(path).find(whole)
        return json.dumps(matches[0].value if matches else {})
    if transformer := target.get("InputTransformer"):
        parser = moto("events.utils").EventTemplateParser
        whole["ingestion-time"] = event["ingestion-time"]
        return json.dumps(
            parser.parse(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), whole)
        )
    return json.dumps(whole)


def _as_sent(event: Any) -> dict[str, Any]:
    sent = {name: value for name, value in event.items() if name != "ingestion-time"}
    if isinstance(sent.get("time"), int | float):
        sent["time"] = datetime.fromtimestamp(sent["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return sent


def _bury(rule: Any, target: dict[str, Any], event: Any, failure: Exception) -> None:
    """Send an event that was not delivered to the target's dead-letter queue, if it has one.

    Source of the attributes: Amazon EventBridge User Guide, "Using dead-letter queues".
    """
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if not queue:
        return
    told = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": "NO_RESOURCE" if "NotFound" in type(failure).__name__ else "SDK_CLIENT_ERROR",
        "ERROR_MESSAGE": str(failure),
    }
    try:
        _queue(queue, json.dumps(_as_sent(event)), told)
    except moto("sqs.exceptions").QueueDoesNotExist:
        return


def _queue(arn: str, body: str, attributes: dict[str, str]) -> None:
    _, _, _, region, account, name = arn.split(":", 5)
    given = {
        key: {"data_type": "String", "string_value": value} for key, value in attributes.items() if value
    }
    moto("sqs.models").sqs_backends[account][region].send_message(
        queue_name=name, message_body=body, message_attributes=given
    )
