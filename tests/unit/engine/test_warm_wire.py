"""Pruning keeps exactly what is asked for, byte for byte, in messages of any making."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.engine.warm.protobuf_wire import (
    WireError,
    fields,
    has_error,
    keys,
    pruned,
    without,
)
from holdfast_orchestrator.engine.warm.protocol import Call, kept_maps

RESOURCES, DATA, DIAGNOSTICS, FUNCTIONS = 2, 3, 4, 7


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def sized(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def entry(number: int, key: str, value: bytes, *, key_last: bool = False) -> bytes:
    parts = [sized(1, key.encode()), sized(2, value)]
    return sized(number, b"".join(reversed(parts) if key_last else parts))


NAMES = st.sampled_from(["aws_a", "aws_b", "aws_c", "parse", ""])
ENTRIES = st.builds(
    lambda number, key, value, key_last: (number, key, entry(number, key, value, key_last=key_last)),
    st.sampled_from([RESOURCES, DATA, FUNCTIONS, 8]),
    NAMES,
    st.binary(max_size=300),
    st.booleans(),
)
OTHERS = st.one_of(
    st.builds(
        lambda number, body: (None, None, sized(number, body)), st.sampled_from([1, 4, 5, 6, 99]), st.binary()
    ),
    st.builds(
        lambda number, value: (None, None, varint(number << 3) + varint(value)),
        st.integers(1, 2000),
        st.integers(0, 2**63),
    ),
    st.builds(lambda body: (None, None, varint(12 << 3 | 1) + body), st.binary(min_size=8, max_size=8)),
    st.builds(lambda body: (None, None, varint(13 << 3 | 5) + body), st.binary(min_size=4, max_size=4)),
)


@given(st.lists(st.one_of(ENTRIES, OTHERS), max_size=12), st.frozensets(NAMES))
def test_what_is_kept_is_kept_byte_for_byte_and_in_order(
    parts: list[tuple[int | None, str | None, bytes]], kept: frozenset[str]
) -> None:
    message = b"".join(raw for _, _, raw in parts)

    result = pruned(message, kept_maps(Call("/tfplugin5.Provider/GetSchema"), kept))

    assert result == b"".join(raw for _, key, raw in parts if key is None or key in kept)


@given(st.lists(st.one_of(ENTRIES, OTHERS), max_size=12))
def test_nothing_is_lost_when_every_name_is_kept(parts: list[tuple[int | None, str | None, bytes]]) -> None:
    message = b"".join(raw for _, _, raw in parts)
    every = frozenset().union(*(keys(message, number) for number in (RESOURCES, DATA, FUNCTIONS, 8)))

    assert pruned(message, kept_maps(Call("/tfplugin6.Provider/GetProviderSchema"), every)) == message


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused_and_never_read_past_their_end(message: bytes) -> None:
    try:
        found = list(fields(message))
    except WireError:
        return
    assert b"".join(message[one.start : one.end] for one in found) == message


@pytest.mark.parametrize(
    "message", [b"\x12", b"\x12\x05abc", b"\x80" * 11, b"\x0b", b"\x0d\x01", b"\x02\x00"]
)
def test_a_message_that_is_cut_short_is_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        list(fields(message))


def test_an_error_among_diagnostics_is_told_from_a_warning() -> None:
    warning = sized(1, b"\x08\x02" + sized(2, b"beware"))
    error = sized(1, b"\x08\x01" + sized(2, b"no"))

    assert not has_error(warning, 1)
    assert has_error(warning + error, 1)
    assert not has_error(b"", 1)


def test_a_field_can_be_taken_out() -> None:
    message = sized(1, b"1.11") + sized(2, b"config") + sized(3, b"\x08\x01")

    assert without(message, 3) == sized(1, b"1.11") + sized(2, b"config")
