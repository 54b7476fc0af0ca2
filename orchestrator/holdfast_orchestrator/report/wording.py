"""Columns, counts and times in text for people."""

from collections.abc import Iterator, Sequence
from datetime import datetime


def columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield rows in columns as wide as their cells; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def counted(number: int, thing: str) -> str:
    """Return a number with its noun, such as "1 shard" or "2 shards"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def moment(time: datetime) -> str:
    """Return a time in UTC to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S}Z"
