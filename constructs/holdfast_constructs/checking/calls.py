"""What a block was called with, remembered on the block itself: `holdfast explain` shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CALL = "_holdfast_call"
_NOT_PROPERTIES = frozenset({"scope", "id_"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCall:
    """The name of a block's class, what it was given by name, and the defaults of its other parameters."""

    block: str
    given: Mapping[str, Any]
    defaults: Mapping[str, Any]


def remember_call(thing: object, block: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Note how a block was made; where one block derives from another, the outer call counts."""
    call = BlockCall(
        block=block,
        given={name: value for name, value in given.items() if name not in _NOT_PROPERTIES},
        defaults={name: value for name, value in defaults.items() if name not in given},
    )
    setattr(thing, _CALL, call)


def call_of(thing: object) -> BlockCall | None:
    """Return what a block was called with; None for what is no block."""
    call: BlockCall | None = getattr(thing, _CALL, None)
    return call
