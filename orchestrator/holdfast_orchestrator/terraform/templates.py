"""Where the expressions of a template are: `${...}` and `%{...}` in a string of a JSON configuration.

A quoted string inside an expression may hold templates, and braces, of its own.
"""

import re
from collections.abc import Iterator

_OPEN = ("${", "%{")
# What opens an expression, and the same escaped.
_SIGN = re.compile(r"\$\$\{|%%\{|\$\{|%\{")


def expressions(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each expression begins and ends: behind its opening brace, and before its closing one."""
    at = 0
    while sign := _SIGN.search(text, at):
        at = sign.end()
        if sign[0] in _OPEN:
            end = block_end(text, at)
            yield at, end
            at = end + 1


def block_end(text: str, start: int) -> int:
    """Return where the brace is that closes what `start` is in; the end of the text where there is none."""
    at, depth = start, 0
    while at < len(text):
        sign = text[at]
        if sign == '"':
            at = string_end(text, at)
            continue
        if sign == "}" and depth == 0:
            return at
        depth += (sign == "{") - (sign == "}")
        at += 1
    return len(text)


def string_end(text: str, start: int) -> int:
    """Return where a quoted string ends that begins at `start`: behind its closing quote."""
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(_OPEN, at):
            at = block_end(text, at + 2) + 1
        elif text[at] == '"':
            return at + 1
        else:
            at += 1
    return at
