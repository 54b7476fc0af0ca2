"""Terraform's values as bytes: what is unknown stays unknown, what is no value is said."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm.values import UNKNOWN, decoded, diagnostic, encoded, errors, is_nil

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=5))
def test_what_is_encoded_is_decoded(value: dict[str, Any]) -> None:
    assert decoded(encoded(value)) == value


def test_an_unknown_value_is_told_from_every_other() -> None:
    packed = msgpack.packb({"known": None, "name": msgpack.ExtType(0, b"\\0")})

    found = decoded(wire.sized(1, packed))

    assert found["name"] is UNKNOWN
    assert found["known"] is None


def test_nothing_is_no_object() -> None:
    assert is_nil(wire.sized(1, b"\xc0"))
    assert is_nil(b"")
    assert not is_nil(encoded({}))
    assert decoded(wire.sized(1, b"\xc0")) == {}


def test_what_is_no_value_is_said() -> None:
    with pytest.raises(wire.WireError):
        decoded(wire.sized(1, b"\xdf\xff"))


@given(st.text(min_size=1, max_size=30), st.text(max_size=200), st.integers(1, 40))
def test_an_error_is_read_back_and_a_warning_is_none(summary: str, detail: str, number: int) -> None:
    warning = wire.sized(number, wire.counted(1, 2) + wire.sized(2, b"careful"))
    message = wire.sized(number, diagnostic(summary, detail)) + warning

    assert errors(message, number) == (f"{summary}: {detail}" if detail else summary,)
