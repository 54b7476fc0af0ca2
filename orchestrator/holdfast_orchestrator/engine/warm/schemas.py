"""Whole schemas, kept on disk per provider build, so that no process need compute one twice.

    <cache>/schemas/<hash of the build's checksum>.<protocol version>

The file is a SHA-256 of what follows, then the provider's answer as it came. A damaged file is none.
"""

import contextlib
import hashlib
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from holdfast_orchestrator.engine.warm import protobuf_wire as wire
from holdfast_orchestrator.engine.warm.protocol import SCHEMA_DIAGNOSTICS, SCHEMA_MAPS
from holdfast_orchestrator.system.private_files import (
    UnsafePlaceError,
    cache_folder_of,
    read_file,
    replace_file,
)

_VERSIONS = (5, 6)
_DIGEST = 32
# Fields of the messages Schema, Schema.Block, Schema.Attribute and Schema.NestedBlock.
_DATA_SOURCES, _BLOCK, _ATTRIBUTES, _BLOCKS, _NAME, _NESTING = 3, 2, 2, 3, 1, 3
_REPEATED = (2, 3)


class KeptSchema:
    """One build's schema: `version` and `answer` are None as long as they are not known."""

    def __init__(self, cache: Path, checksum: str) -> None:
        self._cache = cache
        self._stem = cache / "schemas" / hashlib.sha256(checksum.encode()).hexdigest()
        self.version: int | None = None
        self.answer: bytes | None = None
        for version in _VERSIONS:
            if (answer := _read(self._path(version))) is not None:
                self.version, self.answer = version, answer

    def keep(self, answer: bytes) -> None:
        """Keep an answer, unless the provider complains in it."""
        complains = any(field.number == SCHEMA_DIAGNOSTICS for field in wire.fields(answer))
        if self.answer is None and self.version is not None and not complains:
            self.answer = answer
            # A full disk costs time, not the schema.
            with contextlib.suppress(OSError, UnsafePlaceError):
                cache_folder_of(self._cache, "schemas")
                replace_file(self._path(self.version), hashlib.sha256(answer).digest() + answer)

    def pruned(self, answer: bytes, kept: Mapping[int, Collection[str]]) -> bytes:
        """Return an answer as `wire.pruned` does; the one that is kept is looked through only once."""
        return self._indexed.pruned(kept) if answer is self.answer else wire.pruned(answer, kept)

    def empty_data_source(self, name: str) -> dict[str, Any]:
        """Return the configuration of a data source with nothing in it; empty where there is no such type.

        Its attributes are all there, as the protocol demands: null, and blocks that may repeat are empty.
        """
        block = wire.part(self._indexed.entry(_DATA_SOURCES, name), _BLOCK) if self.answer else b""
        names = (wire.part(attribute, _NAME).decode() for attribute in wire.parts(block, _ATTRIBUTES))
        nested: dict[str, list[Any] | None] = {
            wire.part(inner, _NAME).decode(): [] if wire.count(inner, _NESTING) in _REPEATED else None
            for inner in wire.parts(block, _BLOCKS)
        }
        return {**dict.fromkeys(names), **nested}

    @cached_property
    def _indexed(self) -> wire.Indexed:
        return wire.Indexed(self.answer or b"", SCHEMA_MAPS)

    def _path(self, version: int) -> Path:
        return self._stem.with_suffix(f".{version}")


def _read(path: Path) -> bytes | None:
    try:
        content = read_file(path)
    except (OSError, UnsafePlaceError):
        return None
    digest, answer = content[:_DIGEST], content[_DIGEST:]
    return answer if hashlib.sha256(answer).digest() == digest else None
