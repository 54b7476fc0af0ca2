"""Composite alarms whose actions another alarm suppresses, with wait and extension periods.

Source: Amazon CloudWatch User Guide, "Composite alarm action suppression". When the composite goes into ALARM
and its suppressor is not (yet) in ALARM, actions wait for the wait period; when the suppressor
leaves ALARM, actions stay suppressed for the extension period.
Then the actions of the state run that nobody was told.
"""

from datetime import datetime, timedelta
from typing import Any

from holdfast_orchestrator.local.alarms.rule import alarm_name
from holdfast_orchestrator.local.moto_patches import _alarm_actions as actions
from holdfast_orchestrator.local.moto_patches._moto import memory


def state_changed(alarm: Any, before: str, now: datetime) -> None:
    """Remember a composite's new state: `settle` runs its actions when they are suppressed no more."""
    kept = memory(alarm, "suppression")
    kept.setdefault("told", before)
    kept["waiting since"] = now if alarm.state_value == "ALARM" else None


def settle(backend: Any, now: datetime) -> None:
    """Run the actions of composite alarms that nothing suppresses any more."""
    for alarm in backend.alarms.values():
        if not alarm.rule or not getattr(alarm, "actions_suppressor", None):
            continue
        kept = memory(alarm, "suppression")
        by = _suppressed_by(backend, alarm, kept, now)
        alarm.actions_suppressed_by = by
        alarm.actions_suppressed_reason = f"Actions suppressed by {by}" if by else None
        told = kept.get("told", alarm.state_value)
        if by is None and told != alarm.state_value:
            kept["told"] = alarm.state_value
            actions.run_actions(alarm, told)


def _suppressed_by(backend: Any, alarm: Any, kept: dict[Any, Any], now: datetime) -> str | None:
    suppressor = backend.alarms.get(alarm_name(alarm.actions_suppressor))
    if suppressor is not None and suppressor.state_value == "ALARM":
        kept["suppressed"], kept["waiting since"] = True, None
        return "Alarm"
    if kept.pop("suppressed", False):
        # Its suppressor left ALARM at its own last change.
        kept["extended since"] = suppressor.state_updated_timestamp if suppressor is not None else now
    if _within(kept.get("extended since"), alarm.actions_suppressor_extension_period, now):
        return "ExtensionPeriod"
    waiting = _within(kept.get("waiting since"), alarm.actions_suppressor_wait_period, now)
    return "WaitPeriod" if waiting else None


def _within(since: datetime | None, seconds: Any, now: datetime) -> bool:
    if since is None:
        return False
    since = since if since.tzinfo else since.replace(tzinfo=now.tzinfo)
    return now < since + timedelta(seconds=int(seconds or 0))
