"""Columns, counts and times in text for people."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

# What a line begins with before its text: an indent, and a label with two spaces behind it.
_LABELLED = re.compile(r"\s*(?:\S+\s{2,})?")


def columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows in columns as wide as their cells; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def counted(number: int, thing: str) -> str:
    """Return a number with its noun, such as "1 shard" or "2 shards"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def wrapped(text: str, width: int) -> str:
    """Return a line in lines of at most `width` characters, the later ones below the first one's text.

    A word is never cut, so that an address stays one; a next step stays one line, so that it can be copied.
    """
    if len(text) <= width or text.lstrip().startswith("next "):
        return text
    label = _LABELLED.match(text)
    indent = min(label.end() if label else 0, width // 2)
    lines = textwrap.wrap(
        text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def moment(time: datetime) -> str:
    """Return a time in UTC to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S}Z"
