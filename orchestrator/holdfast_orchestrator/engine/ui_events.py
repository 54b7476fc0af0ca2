"""What an engine reports while it works: each `-json` line becomes one frozen value.

Terraform's "machine-readable UI" (format 1.x) and OpenTofu's are the same here. The reader is
tolerant by design: a line it does not know, or one that is no JSON at all (a crash, a provider that
prints), becomes a value too and never an exception, because the event file is the only record of
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
class LogLine(UiEvent):
    """Words only; `level` is `raw` for a line that was no JSON."""

    level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(UiEvent):
    """A message of a kind this reader does not know."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticEvent(UiEvent):
    """A warning or an error."""

    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange(UiEvent):
    """A change the plan holds; `previous_address` where the resource moved."""

    address: str
    resource_type: str
    action: str
    reason: str | None = None
    previous_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDrift(UiEvent):
    """A resource that somebody changed outside."""

    address: str
    resource_type: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSummary(UiEvent):
    """How many; `operation` is plan, apply or destroy."""

    operation: str
    add: int = 0
    change: int = 0
    remove: int = 0
    imported: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs(UiEvent):
    """The names of the outputs, and whether each is sensitive."""

    sensitive: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceEvent(UiEvent):
    """Something about one resource being applied or refreshed."""

    address: str
    resource_type: str
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
class RefreshStart(ResourceEvent):
    """The engine reads the real object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshComplete(ResourceEvent):
    """The engine has read the real object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStateDump(UiEvent):
    """The state, printed because it could be saved nowhere. It holds secrets: never show it."""

    state: Mapping[str, Any] = field(repr=False)


_RESOURCE_EVENTS: Mapping[str, type[ResourceEvent]] = {
    "apply_start": ApplyStart,
    "apply_progress": ApplyProgress,
    "apply_complete": ApplyComplete,
    "apply_errored": ApplyErrored,
    "refresh_start": RefreshStart,
    "refresh_complete": RefreshComplete,
}
_WORDS = frozenset({"version", "log", "init_output"})


def parse(line: str) -> UiEvent | None:
    """Return the event of a line of output, or None for an empty line. Never raises."""
    text = line.strip()
    if not text:
        return None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return LogLine(level="raw", message=text)
    return _event(body) if isinstance(body, dict) else LogLine(level="raw", message=text)


def _event(body: Mapping[str, Any]) -> UiEvent:
    kind = text_of(body.get("type"))
    common = {"at": text_of(body.get("@timestamp")), "message": text_of(body.get("@message"))}
    match kind:
        case "diagnostic":
            diagnostic = Diagnostic.from_json(mapping_of(body.get("diagnostic")))
            return DiagnosticEvent(diagnostic=diagnostic, **common)
        case "outputs":
            outputs = mapping_of(body.get("outputs"))
            sensitive = {name: bool(mapping_of(output).get("sensitive")) for name, output in outputs.items()}
            return Outputs(sensitive=sensitive, **common)
        case "planned_change" | "resource_drift" | "change_summary":
            return _change(kind, body, common)
        case _ if kind in _RESOURCE_EVENTS:
            return _about_resource(kind, mapping_of(body.get("hook")), common)
        case _:
            return _words(kind, body, common)


def _words(kind: str, body: Mapping[str, Any], common: Mapping[str, str]) -> UiEvent:
    if isinstance(state := body.get("state"), Mapping):
        return EmergencyStateDump(state=state, **common)
    if kind in _WORDS or not kind:
        return LogLine(level=text_of(body.get("@level")) or "info", **common)
    return Unknown(kind=kind, body=body, **common)


def _change(kind: str, body: Mapping[str, Any], common: Mapping[str, str]) -> UiEvent:
    if kind == "change_summary":
        return _summary(mapping_of(body.get("changes")), common)
    change = mapping_of(body.get("change"))
    if kind == "resource_drift":
        return ResourceDrift(**_resource(change), **common)
    previous = mapping_of(change.get("previous_resource"))
    return PlannedChange(
        **_resource(change),
        reason=text_of(change.get("reason")) or None,
        previous_address=text_of(previous.get("addr")) or None,
        **common,
    )


def _summary(changes: Mapping[str, Any], common: Mapping[str, str]) -> ChangeSummary:
    return ChangeSummary(
        operation=text_of(changes.get("operation")),
        add=_count(changes.get("add")),
        change=_count(changes.get("change")),
        remove=_count(changes.get("remove")),
        imported=_count(changes.get("import")),
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
    resource = mapping_of(holder.get("resource"))
    return {
        "address": text_of(resource.get("addr")),
        "resource_type": text_of(resource.get("resource_type")),
        "action": text_of(holder.get("action")),
    }


def _count(value: object) -> int:
    # Written so that neither 1e400 (infinity) nor true, a float or a text can raise.
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else 0
