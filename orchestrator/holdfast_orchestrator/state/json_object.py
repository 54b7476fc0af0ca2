"""The JSON documents Holdfast keeps in a bucket: written one way, read one way, never half believed."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.object_store import StoredObject

T = TypeVar("T")

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


def dump(schema: str, fields: Mapping[str, Any]) -> bytes:
    """Return a document's bytes: `schema` first, then its fields; the same fields give the same bytes.

    One line a field: Python's encoder that indents takes many times as long, and there are several a shard.
    """
    named = {"schema": schema, **fields}
    lines = (f" {_ENCODE(name)}: {_ENCODE(value)}" for name, value in named.items())
    return "{{\n{}\n}}\n".format(",\n".join(lines)).encode()


def load(stored: StoredObject, schema: str, build: Callable[[Mapping[str, Any]], T], *, next_step: str) -> T:
    """Read a document and make a value of it with `build`.

    Raises NeedsPersonError, with `next_step`, where the object is not JSON, is of another schema, or lacks
    what `build` asks for.
    """
    try:
        document = json.loads(stored.body)
        found = document["schema"]
        if found == schema:
            return build(document)
        why = f"its schema is {found!r}, not {schema!r}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"
    raise NeedsPersonError(
        f"the object at {stored.head.key} ({stored.head.size} bytes) cannot be read: {why}",
        next_step=next_step,
    )


def time_text(moment: datetime) -> str:
    """Return a time as all documents write it: UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Read what `time_text` wrote. Raises ValueError for anything else."""
    return datetime.fromisoformat(text)
