"""The bytes of the JSON documents that Holdfast keeps, and the times in them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


def dump(schema: str, fields: Mapping[str, Any]) -> bytes:
    """Return a document's bytes: `schema` first, then its fields; the same fields give the same bytes.

    One line a field: Python's encoder that indents takes many times as long, and there are several a shard.
    """
    named = {"schema": schema, **fields}
    lines = (f" {_ENCODE(name)}: {_ENCODE(value)}" for name, value in named.items())
    return "{{\n{}\n}}\n".format(",\n".join(lines)).encode()


def time_text(moment: datetime) -> str:
    """Return a time as all documents write it: UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Read what `time_text` wrote. Raises ValueError for anything else."""
    return datetime.fromisoformat(text)
