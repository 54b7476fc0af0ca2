"""Terraform's values on the wire: MessagePack in a DynamicValue, and diagnostics.

Values are decoded to look at them and never encoded again: what a provider said is handed back as it came.
"""

from collections.abc import Mapping
from typing import Any

import msgpack

from holdfast_orchestrator.engine.warm import protobuf_wire as wire

# A DynamicValue whose MessagePack is nil: no object.
NIL = b"\xc0"
ERROR = 1

_MSGPACK, _SEVERITY, _SUMMARY, _DETAIL = 1, 1, 2, 3


class Unknown:
    """A value that is not known before the apply."""


UNKNOWN = Unknown()


def is_nil(dynamic: bytes) -> bool:
    """Say whether a DynamicValue is null: there is no such object."""
    return wire.part(dynamic, _MSGPACK) in (NIL, b"")


def decoded(dynamic: bytes) -> Mapping[str, Any]:
    """Return an object's attributes, empty where there is none. What is unknown is UNKNOWN.

    Raises wire.WireError for what is none.
    """
    packed = wire.part(dynamic, _MSGPACK)
    if not packed:
        return {}
    try:
        value = msgpack.unpackb(packed, strict_map_key=False, ext_hook=lambda _code, _data: UNKNOWN)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise wire.WireError(f"a value is not MessagePack: {error}") from error
    return value if isinstance(value, Mapping) else {}


def encoded(value: Mapping[str, Any]) -> bytes:
    """Return a DynamicValue of plain values."""
    return wire.sized(_MSGPACK, msgpack.packb(value))


def errors(message: bytes, number: int) -> tuple[str, ...]:
    """Return the texts of the errors among the diagnostics in field `number`; warnings are left out."""
    return tuple(
        ": ".join(filter(None, (wire.part(each, field).decode() for field in (_SUMMARY, _DETAIL))))
        for each in wire.parts(message, number)
        if wire.count(each, _SEVERITY) == ERROR
    )


def diagnostic(summary: str, detail: str) -> bytes:
    """Return a diagnostic that is an error."""
    return (
        wire.counted(_SEVERITY, ERROR)
        + wire.sized(_SUMMARY, summary.encode())
        + wire.sized(_DETAIL, detail.encode())
    )
