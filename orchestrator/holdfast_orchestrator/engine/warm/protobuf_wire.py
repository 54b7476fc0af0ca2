"""Enough of protobuf's wire format to drop entries of maps from a message, and touch nothing else.

A message is a row of fields: a tag (number and wire type), then a value. A map is a repeated field whose
values are messages themselves: key in field 1, value in field 2. What is kept is copied byte for byte, so
that whatever a provider's next version adds passes through as it came.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_MOST_BITS = 63
_MORE = 0x80


class WireError(ValueError):
    """Bytes that are no message."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: it lies at `start:end` of the message, its value at `body:end`."""

    number: int
    wire: int
    start: int
    body: int
    end: int


def fields(message: bytes) -> Iterator[Field]:
    """Yield a message's fields in order. Raises WireError where it is no message."""
    at = 0
    while at < len(message):
        start = at
        tag, at = varint(message, at)
        number, wire = tag >> 3, tag & 7
        body, at = _value(message, wire, at)
        if at > len(message) or not number:
            raise WireError(f"field {number} at byte {start} goes beyond the end or has no number")
        yield Field(number, wire, start, body, at)


def varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number written at a place, and where it ends."""
    value = 0
    for shift in range(0, _MOST_BITS + 1, 7):
        if at >= len(message):
            raise WireError("a number goes beyond the end")
        byte = message[at]
        at += 1
        value |= (byte & ~_MORE) << shift
        if not byte & _MORE:
            return value, at
    raise WireError("a number has no end")


class Indexed:
    """A message whose maps were looked through once, to be pruned many times."""

    def __init__(self, message: bytes, maps: Collection[int]) -> None:
        """`maps` are the numbers of the fields that are maps. Raises WireError where it is no message."""
        self._message = message
        self._entries = [
            (field.number, _entry_key(message, field, maps), field.start, field.end)
            for field in fields(message)
        ]

    def entry(self, number: int, key: str) -> bytes:
        """Return the value of one entry of a map, empty where it has none of that key."""
        for of_map, name, start, end in self._entries:
            if (of_map, name) == (number, key):
                return part(part(self._message[start:end], number), 2)
        return b""

    def pruned(self, kept: Mapping[int, Collection[str]]) -> bytes:
        """Return the message without those entries of the maps in `kept` whose key is not named there."""
        return b"".join(
            self._message[start:end]
            for number, key, start, end in self._entries
            if key is None or number not in kept or key in kept[number]
        )


def pruned(message: bytes, kept: Mapping[int, Collection[str]]) -> bytes:
    """Return what `Indexed.pruned` returns of a message that is pruned once."""
    return Indexed(message, kept).pruned(kept)


def without(message: bytes, number: int) -> bytes:
    """Return the message without the field of that number."""
    return b"".join(message[field.start : field.end] for field in fields(message) if field.number != number)


def keys(message: bytes, number: int) -> frozenset[str]:
    """Return the keys of the map in field `number`."""
    return frozenset(map(_key, parts(message, number)))


def part(message: bytes, number: int) -> bytes:
    """Return the value of a field of bytes: the last one written; empty where there is none."""
    return next(reversed(parts(message, number)), b"")


def parts(message: bytes, number: int) -> list[bytes]:
    """Return every value of a repeated field of bytes."""
    return [
        message[field.body : field.end]
        for field in fields(message)
        if field.number == number and field.wire == _BYTES
    ]


def count(message: bytes, number: int) -> int:
    """Return the value of a field that is a number, 0 where there is none."""
    numbers = [field for field in fields(message) if field.number == number and field.wire == _VARINT]
    return varint(message, numbers[-1].body)[0] if numbers else 0


def sized(number: int, body: bytes) -> bytes:
    """Return a field of bytes as a message has it."""
    return _written(number << 3 | _BYTES) + _written(len(body)) + body


def counted(number: int, value: int) -> bytes:
    """Return a field that is a number as a message has it."""
    return _written(number << 3 | _VARINT) + _written(value)


def has_error(message: bytes, number: int) -> bool:
    """Say whether one of the diagnostics in field `number` is an error: severity 1, in its field 1."""
    return any(
        inner.number == 1 and inner.wire == _VARINT and varint(diagnostic, inner.body)[0] == 1
        for diagnostic in parts(message, number)
        for inner in fields(diagnostic)
    )


def _written(value: int) -> bytes:
    out = bytearray()
    while value >= _MORE:
        out.append(value & ~_MORE & 0xFF | _MORE)
        value >>= 7
    return bytes([*out, value])


def _entry_key(message: bytes, field: Field, maps: Collection[int]) -> str | None:
    is_entry = field.number in maps and field.wire == _BYTES
    return _key(message[field.body : field.end]) if is_entry else None


def _key(entry: bytes) -> str:
    # The last one written counts; one that is left out is empty.
    return part(entry, 1).decode(errors="replace")


def _value(message: bytes, wire: int, at: int) -> tuple[int, int]:
    """Return where a value begins and ends."""
    if wire == _BYTES:
        length, at = varint(message, at)
        return at, at + length
    if wire == _VARINT:
        return at, varint(message, at)[1]
    if wire in _FIXED:
        return at, at + _FIXED[wire]
    raise WireError(f"wire type {wire} is not in use")
