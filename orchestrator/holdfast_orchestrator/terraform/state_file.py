"""Reading a stored state object without trusting it.

Terraform takes a zero-byte object and `{"version":4}` for "no state", silently, and plans to create
everything; a state with an empty lineage switches off every later check. So the object is held against
our own record before any command.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from holdfast_orchestrator.terraform.json_values import Document, managed

STATE_FORMAT = 4


class Condition(StrEnum):
    """What a stored object is, taken by itself."""

    ABSENT = "absent"
    EMPTY = "zero bytes"
    HOLLOW = "without lineage or content"
    BROKEN = "not a readable state"
    WHOLE = "whole"


class Standing(StrEnum):
    """A stored object held against the record of what was last written."""

    SAME = "exactly what was recorded"
    NONE_YET = "absent, and nothing was ever recorded"
    UNRECORDED = "there, though nothing was ever recorded"
    ABSENT = "absent, though one was recorded"
    DAMAGED = "damaged"
    FOREIGN = "of another lineage"
    OLDER = "older than recorded"
    NEWER = "newer than recorded"
    EDITED = "changed under the recorded serial"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What Holdfast recorded of the state it last saw: lineage, serial and SHA-256 (hex) of the bytes."""

    lineage: str
    serial: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateObject:
    """A state object as it was read. `document` is None unless the condition is WHOLE."""

    source: str
    condition: Condition
    sha256: str = ""
    lineage: str = ""
    serial: int = -1
    document: Document | None = None

    @property
    def ids(self) -> frozenset[tuple[str, str]]:
        """(type, id) of each managed object, deposed ones included; objects without an id by address."""
        return frozenset(
            (resource["type"], str((instance.get("attributes") or {}).get("id") or address))
            for address, resource, instance in managed(self.document or {})
        )


def read_state(source: str, content: bytes | None) -> StateObject:
    """Read the bytes of a state object (None: there is none) named `source` in messages."""
    if content is None:
        return StateObject(source=source, condition=Condition.ABSENT)
    sha256 = hashlib.sha256(content).hexdigest()
    if not content.strip():
        return StateObject(source=source, condition=Condition.EMPTY, sha256=sha256)
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError):
        return StateObject(source=source, condition=Condition.BROKEN, sha256=sha256)
    return _judge(source, document, sha256)


def compare(stored: StateObject, recorded: Recorded | None) -> Standing:
    """Compare the stored object with the record. Only SAME and NONE_YET let a deploy begin."""
    if recorded is None:
        return Standing.NONE_YET if stored.condition is Condition.ABSENT else Standing.UNRECORDED
    if stored.condition is Condition.ABSENT:
        return Standing.ABSENT
    if stored.condition is not Condition.WHOLE:
        return Standing.DAMAGED
    if stored.lineage != recorded.lineage:
        return Standing.FOREIGN
    if stored.serial != recorded.serial:
        return Standing.OLDER if stored.serial < recorded.serial else Standing.NEWER
    return Standing.SAME if stored.sha256 == recorded.sha256 else Standing.EDITED


def _judge(source: str, document: Any, sha256: str) -> StateObject:
    if not isinstance(document, dict) or document.get("version") != STATE_FORMAT:
        return StateObject(source=source, condition=Condition.BROKEN, sha256=sha256)
    lineage, serial = document.get("lineage"), document.get("serial")
    if not lineage or serial is None:
        return StateObject(source=source, condition=Condition.HOLLOW, sha256=sha256)
    if not _well_formed(document):
        return StateObject(source=source, condition=Condition.BROKEN, sha256=sha256)
    return StateObject(
        source=source,
        condition=Condition.WHOLE,
        sha256=sha256,
        lineage=lineage,
        serial=serial,
        document=document,
    )


def _well_formed(document: dict[str, Any]) -> bool:
    """Enough of the format for everything here that walks a state."""
    if not isinstance(document["lineage"], str) or type(document["serial"]) is not int:
        return False
    resources = document.get("resources")
    return isinstance(resources, list) and all(_is_resource(resource) for resource in resources)


def _is_resource(resource: object) -> bool:
    return (
        isinstance(resource, dict)
        and all(isinstance(resource.get(name), str) for name in ("mode", "type", "name"))
        and isinstance(resource.get("instances"), list)
        and all(isinstance(instance, dict) for instance in resource["instances"])
    )


def next_serial(*seen: StateObject, recorded: Recorded | None = None) -> int:
    """A serial above every one seen."""
    return max([state.serial for state in seen] + [recorded.serial if recorded else -1]) + 1
