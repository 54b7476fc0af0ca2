"""Where the expressions of a template are: `${...}` and `%{...}` in a string of a JSON configuration.

A quoted string inside an expression may hold templates, and braces, of its own.
"""

from collections.abc import Iterator

_OPEN = ("${", "%{")
_ESCAPED = ("$${", "%%{")


def expressions(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each expression begins and ends: behind its opening brace, and before its closing one."""
    if "{" not in text:
        return
    at = 0
    while at < len(text):
        if text.startswith(_ESCAPED, at):
            at += 3
        elif text.startswith(_OPEN, at):
            end = block_end(text, at + 2)
            yield at + 2, end
            at = end + 1
        else:
            at += 1


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
