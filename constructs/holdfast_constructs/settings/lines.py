"""Finds the line of a key, which Python's TOML reader does not report."""

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
    """Read ever longer beginnings of the file: the keys that a longer one adds are on its last lines."""
    rows = text.splitlines(keepends=True)
    lines_of: dict[Path, int] = {}
    begin = 1
    for end in range(1, len(rows) + 1):
        try:
            document = tomllib.loads("".join(rows[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(document, ()):
            lines_of.setdefault(path, begin)
        begin = end + 1
    return lines_of


def _paths(value: Any, above: Path) -> Iterator[Path]:
    pairs = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in pairs:
        yield (*above, key)
        yield from _paths(item, (*above, key))
