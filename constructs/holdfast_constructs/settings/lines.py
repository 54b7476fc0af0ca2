"""Finds the line a key stands on, which Python's TOML reader does not tell."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

Path = tuple[str | int, ...]


def line_of(path: Path, text: str) -> int | None:
    """Return the line, from 1, on which the value at `path` begins, or the nearest table around it.

    None where the file says nothing of it. `text` is valid TOML.
    """
    lines = _lines(text)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


@lru_cache(maxsize=4)
def _lines(text: str) -> dict[Path, int]:
    """Read ever longer beginnings of the file: what a longer one has more stands on its last lines."""
    rows = text.splitlines(keepends=True)
    found: dict[Path, int] = {}
    begin = 1
    for end in range(1, len(rows) + 1):
        try:
            document = tomllib.loads("".join(rows[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(document, ()):
            found.setdefault(path, begin)
        begin = end + 1
    return found


def _paths(value: Any, above: Path) -> Iterator[Path]:
    pairs = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in pairs:
        yield (*above, key)
        yield from _paths(item, (*above, key))
