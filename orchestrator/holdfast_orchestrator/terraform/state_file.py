"""Reading a stored state object without trusting it.

Terraform takes a zero-byte object and `{"version":4}` for "no state", silently, and plans to create
everything; a state with an empty lineage switches off every later check. So the object is held against
our own record before any command.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

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
class StateStamp:
    """Which state: the lineage (a UUID made at the first write) and the serial (one more per write)."""

    lineage: str
    serial: int

    def __str__(self) -> str:
        return f"serial {self.serial}, lineage {self.lineage}"


NO_STATE = StateStamp("", 0)
"""What Terraform writes into a plan that was made from no state."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What Holdfast recorded of the state it last saw: lineage, serial and SHA-256 (hex) of the bytes."""

    lineage: str
    serial: int
    sha256: str

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(document["lineage"], int(document["serial"]), document["sha256"])

    @property
    def stamp(self) -> StateStamp:
        """Which state it is, whatever its bytes."""
        return StateStamp(self.lineage, self.serial)

    def to_json(self) -> dict[str, Any]:
        """Return it as records and the journal keep it."""
        return asdict(self)


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
    def recorded(self) -> Recorded:
        """What is recorded of it."""
        return Recorded(self.lineage, self.serial, self.sha256)

    @property
    def ids(self) -> frozenset[tuple[str, str]]:
        """(type, id) of each managed object, deposed ones included; objects without an id by address."""
        return frozenset(
            (resource["type"], str((instance.get("attributes") or {}).get("id") or address))
            for address, resource, instance in managed(self.document or {})
        )


class NotAStateError(ValueError):
    """Bytes that are no state which Terraform would honour: what they are instead, and why, as a clause."""

    def __init__(self, condition: Condition, why: str) -> None:
        super().__init__(why)
        self.condition = condition


def state_document(content: bytes) -> Document:
    """Return the JSON object that a state is. Raises NotAStateError for any other bytes."""
    if not content.strip():
        raise NotAStateError(Condition.EMPTY, "it is empty")
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise NotAStateError(Condition.BROKEN, "it is not JSON") from None
    if not isinstance(document, dict):
        raise NotAStateError(Condition.BROKEN, f"its version is not {STATE_FORMAT}")
    return document


def parse_state(content: bytes) -> Document:
    """Return a state that has a lineage and a serial. Raises NotAStateError for any other bytes."""
    document = state_document(content)
    if document.get("version") != STATE_FORMAT:
        raise NotAStateError(Condition.BROKEN, f"its version is not {STATE_FORMAT}")
    for name, kind in (("lineage", str), ("serial", int)):
        value = document.get(name)
        if value is None or value == "":
            raise NotAStateError(Condition.HOLLOW, f"its {name} is {value!r}")
        if type(value) is not kind:
            raise NotAStateError(Condition.BROKEN, f"its {name} is {value!r}")
    return document


def read_state(source: str, content: bytes | None) -> StateObject:
    """Read the bytes of a state object (None: there is none) named `source` in messages."""
    if content is None:
        return StateObject(source=source, condition=Condition.ABSENT)
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        document = parse_state(content)
    except NotAStateError as error:
        return StateObject(source=source, condition=error.condition, sha256=sha256)
    if not _has_resources(document):
        return StateObject(source=source, condition=Condition.BROKEN, sha256=sha256)
    return StateObject(
        source=source,
        condition=Condition.WHOLE,
        sha256=sha256,
        lineage=document["lineage"],
        serial=document["serial"],
        document=document,
    )


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


def _has_resources(document: Document) -> bool:
    """Enough of the format for everything here that walks a state."""
    resources = document.get("resources")
    return isinstance(resources, list) and all(_is_resource(resource) for resource in resources)


def _is_resource(resource: object) -> bool:
    return (
        isinstance(resource, dict)
        and all(isinstance(resource.get(name), str) for name in ("mode", "type", "name"))
        and isinstance(resource.get("instances"), list)
        and all(isinstance(instance, dict) for instance in resource["instances"])
    )


def next_serial(*states: StateObject, recorded: Recorded | None = None) -> int:
    """Return a serial above that of each state and of the record."""
    return max([state.serial for state in states] + [recorded.serial if recorded else -1]) + 1
