"""What an engine reports while it works: each `-json` line becomes one frozen value.

Terraform's "machine-readable UI" (format 1.x) and OpenTofu's are the same here. The reader is
tolerant by design: a line it has no class for, or one that is no JSON at all (a crash, a provider that
prints), becomes a value with its words and never an exception, because the event file is the only record of
what an interrupted apply had created.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast_orchestrator.engine.diagnostics import Diagnostic
from holdfast_orchestrator.terraform.json_values import mapping_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class UiEvent:
    """Any line of an engine; `at` is the engine's own time stamp, `message` its words for people."""

    at: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticEvent(UiEvent):
    """A warning or an error."""

    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange(UiEvent):
    """A change the plan holds; `previous_address` where the resource moved."""

    address: str
    action: str
    reason: str | None = None
    previous_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDrift(UiEvent):
    """A resource that somebody changed outside."""

    address: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceEvent(UiEvent):
    """A step of the apply of one resource."""

    address: str
    action: str
    id_key: str | None = None
    id_value: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyStart(ResourceEvent):
    """From here on the resource may exist or be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyProgress(ResourceEvent):
    """Still at it; `seconds` since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyComplete(ResourceEvent):
    """Done; `id_value` is the real object's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyErrored(ResourceEvent):
    """Failed; the object may exist all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStateDump(UiEvent):
    """The state, printed because it could be saved nowhere. It holds secrets: never show it."""

    state: Mapping[str, Any] = field(repr=False)


_RESOURCE_EVENTS: Mapping[str, type[ResourceEvent]] = {
    "apply_start": ApplyStart,
    "apply_progress": ApplyProgress,
    "apply_complete": ApplyComplete,
    "apply_errored": ApplyErrored,
}


def parse(line: str) -> UiEvent | None:
    """Return the event of a line of output, or None for an empty line. Never raises."""
    text = line.strip()
    if not text:
        return None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return UiEvent(message=text)
    return _event(body) if isinstance(body, dict) else UiEvent(message=text)


def _event(body: Mapping[str, Any]) -> UiEvent:
    kind = text_of(body.get("type"))
    common = {"at": text_of(body.get("@timestamp")), "message": text_of(body.get("@message"))}
    match kind:
        case "diagnostic":
            diagnostic = Diagnostic.from_json(mapping_of(body.get("diagnostic")))
            return DiagnosticEvent(diagnostic=diagnostic, **common)
        case "planned_change":
            return _planned(mapping_of(body.get("change")), common)
        case "resource_drift":
            return ResourceDrift(**_resource(mapping_of(body.get("change"))), **common)
        case _ if kind in _RESOURCE_EVENTS:
            return _about_resource(kind, mapping_of(body.get("hook")), common)
        case _ if isinstance(state := body.get("state"), Mapping):
            return EmergencyStateDump(state=state, **common)
        case _:
            return UiEvent(**common)


def _planned(change: Mapping[str, Any], common: Mapping[str, str]) -> PlannedChange:
    previous = mapping_of(change.get("previous_resource"))
    return PlannedChange(
        **_resource(change),
        reason=text_of(change.get("reason")) or None,
        previous_address=text_of(previous.get("addr")) or None,
        **common,
    )


def _about_resource(kind: str, hook: Mapping[str, Any], common: Mapping[str, str]) -> ResourceEvent:
    return _RESOURCE_EVENTS[kind](
        **_resource(hook),
        id_key=text_of(hook.get("id_key")) or None,
        id_value=text_of(hook.get("id_value")) or None,
        seconds=float(_count(hook.get("elapsed_seconds"))),
        **common,
    )


def _resource(holder: Mapping[str, Any]) -> dict[str, str]:
    address = text_of(mapping_of(holder.get("resource")).get("addr"))
    return {"address": address, "action": text_of(holder.get("action"))}


def _count(value: object) -> int:
    # Written so that neither 1e400 (infinity) nor true, a float or a text can raise.
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else 0
