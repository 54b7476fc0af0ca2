"""Columns, counts and times in text for people."""

import re
import textwrap
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

# What a line begins with before its text: an indent, and a label with two spaces behind it.
_LABELLED = re.compile(r"\s*(?:\S+\s{2,})?")
_WORD = re.compile(r"\s*\S+")
_RUN = re.compile(r"\brun (?=[0-7][0-9A-Z]{25}\b)")
_COMMAND = re.compile(r"\bholdfast [a-z](?:(?!, )[^`;()<>\n])*")
_GOES_ON = " \\"
_QUOTED_SPACE = re.compile(r"'[^' ]* [^']*'")


_GAP, _INDENT = 2, 4
# The characters that a cut cell keeps.
_LEAST_OF_A_CELL = 10

Cells = Sequence[tuple[str, ...]]
"""The rows of a table; the first one is the heading."""


def columns(rows: Cells, *, width: int | None = None, cut: Collection[str] = ()) -> Iterator[str]:
    """Yield rows in columns as wide as their cells; the first row is the heading.

    With `width` no line is longer than a screen of so many columns: first the cells of the columns that `cut`
    names are shortened in their middle; where that is not enough, the last columns go to lines of their own
    below. A cell of another column is never shortened, because somebody may copy it.
    """
    for lines in _folded(rows, width, frozenset(cut)):
        yield from lines


def cut_middle(text: str, width: int) -> str:
    """Return text of at most `width` characters: the middle of a longer one is replaced by an ellipsis."""
    if len(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    tail = (width - 1) * 2 // 3
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def _folded(rows: Cells, width: int | None, cut: Collection[str]) -> Sequence[Sequence[str]]:
    """Return the lines of each row."""
    for number in range(len(rows[0]), 1, -1):
        leading = [row[:number] for row in rows]
        widths = _widths(leading, width, cut)
        if widths is not None:
            break
    else:
        number, leading, widths = 1, [row[:1] for row in rows], [None]
    if widths == [None] and rows[0][0] in cut and width is not None:
        lines = [textwrap.wrap(row[0], width, break_on_hyphens=False) for row in rows]
    else:
        lines = [[_line(row, widths)] for row in leading]
    if number == len(rows[0]):
        return lines
    below = _folded([row[number:] for row in rows], None if width is None else width - _INDENT, cut)
    return [
        [*first, *(f"{' ' * _INDENT}{line}" for line in then if line)]
        for first, then in zip(lines, below, strict=True)
    ]


def _widths(rows: Cells, width: int | None, cut: Collection[str]) -> list[int | None] | None:
    """Return how wide each column may be; None where they do not fit beside each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    over = 0 if width is None else sum(widths) + _GAP * (len(widths) - 1) - width
    least = [max(len(name), _LEAST_OF_A_CELL) for name in rows[0]]
    while over > 0:
        spare = [
            (widths[at] - least[at], at)
            for at, name in enumerate(rows[0])
            if name in cut and widths[at] > least[at]
        ]
        if not spare:
            return None
        widths[max(spare)[1]] -= 1
        over -= 1
    return [*widths]


def _line(row: tuple[str, ...], widths: Sequence[int | None]) -> str:
    cells = (
        cell if width is None else cut_middle(cell, width).ljust(width)
        for cell, width in zip(row, widths, strict=True)
    )
    return (" " * _GAP).join(cells).rstrip()


def counted(number: int, thing: str) -> str:
    """Return a number with its noun, such as "1 shard" or "2 shards"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def wrapped(text: str, width: int) -> str:
    """Return a line in lines of at most `width` characters, the later ones below the first one's text.

    A word is never cut, so that an address stays one. A command that goes on in the next line says so with a
    backslash, so that it can be copied; one with a space in its quotes stays one line.
    """
    if len(text) <= width:
        return text
    label = _LABELLED.match(text)
    indent = min(label.end() if label else 0, width // 2)
    whole = _RUN.sub("run\0", text)
    commands = [range(command.start(), command.end()) for command in _COMMAND.finditer(whole)]
    if commands and _QUOTED_SPACE.search(whole):
        return text
    lines = [""]
    for word in _WORD.finditer(whole):
        goes_on = any(word.start() in command for command in commands)
        is_last = not any(word.end() in command for command in commands)
        room = width if is_last else width - len(_GOES_ON)
        if len(lines[-1]) + len(word[0]) <= room or not lines[-1].strip():
            lines[-1] += word[0]
            continue
        lines[-1] += _GOES_ON if goes_on else ""
        lines.append(" " * indent + word[0].lstrip())
    return "\n".join(lines).replace("\0", " ")


def moment(time: datetime) -> str:
    """Return a time in UTC to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S}Z"
