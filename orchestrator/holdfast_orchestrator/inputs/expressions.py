"""The functions of Terraform that read files, found in a text, and the paths they are given.

A path is known where it is written out, may begin with `path.module`, `path.root` or `path.cwd`, and is
wrapped in nothing but `abspath`. Any other is computed: of it only what is before the first unknown part
is known.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from holdfast_orchestrator.terraform.templates import expressions, string_end

_READS = re.compile(
    r"(?<![\w.:])(?P<name>templatefile|fileset|fileexists|filebase64(?:sha256|sha512)?"
    r"|file(?:md5|sha1|sha256|sha512)?|provider::local::\w+)\s*\("
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\Z', re.DOTALL)
_PLACE = re.compile(r"\$\{\s*path\.(module|root|cwd)\s*\}")
_BARE = re.compile(r"path\.(module|root|cwd)\Z")
_WRAPPED = re.compile(r"(?:abspath|pathexpand|trimspace)\s*\((.*)\)\Z", re.DOTALL)
_CLOSES = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCall:
    """One call. `path` is None where nothing of it is known; `start` and `end` are its place in the text.

    With `whole` false, `path` is only its beginning, up to a `/`. With `from_module` it is
    relative to the module it is in, not to the stack's folder.
    """

    function: str
    text: str
    path: str | None
    whole: bool = True
    from_module: bool = False
    start: int = 0
    end: int = 0


def file_calls(text: str, *, template: bool = True) -> Iterator[FileCall]:
    """Yield the calls in `text`: in the expressions of a template, or anywhere where it is none."""
    if "file" not in text and "provider::" not in text:
        return
    inside = [*expressions(text)] if template else [(0, len(text))]
    for match in _READS.finditer(text):
        if any(start <= match.start() < end for start, end in inside):
            start, end = match.end(), _argument_end(text, match.end())
            yield _call(match["name"], text, start, end)


def _call(function: str, text: str, start: int, end: int) -> FileCall:
    raw = text[start:end]
    start += len(raw) - len(raw.lstrip())
    argument = raw.strip()
    shown = f"{function}({argument})" if len(argument) <= 80 else f"{function}({argument[:77]}...)"  # noqa: PLR2004
    unknown = FileCall(function=function, text=shown, path=None, whole=False)
    if function.startswith("provider::"):
        return unknown
    while wrapped := _WRAPPED.match(argument):
        start += wrapped.start(1)
        argument = wrapped[1]
    if bare := _BARE.match(argument):
        return FileCall(function=function, text=shown, path=".", from_module=bare[1] == "module")
    quoted = _QUOTED.match(argument)
    if quoted is None:
        return unknown
    return _quoted(function, shown, quoted[1], start + 1)


def _quoted(function: str, shown: str, body: str, start: int) -> FileCall:
    place = _PLACE.match(body)
    rest = body[place.end() :] if place else body
    path = f".{rest}" if place else rest
    from_module = place is not None and place[1] == "module"
    call = FileCall(function=function, text=shown, path=path, from_module=from_module)
    computed = re.search(r"\$\{|%\{|\\", rest)
    if computed is None:
        return replace(call, start=start, end=start + len(body))
    if ".." in rest[computed.start() :]:
        # It may lead back up, to anywhere.
        return FileCall(function=function, text=shown, path=None, whole=False)
    folder = path[: len(path) - len(rest) + computed.start()].rpartition("/")[0]
    return replace(call, path=folder or None, whole=False)


def _argument_end(text: str, start: int) -> int:
    """Where the first argument of a call ends."""
    at, depth = start, 0
    while at < len(text):
        sign = text[at]
        if sign == '"':
            at = string_end(text, at)
            continue
        if sign in _CLOSES:
            depth += 1
        elif sign in ")]}":
            if depth == 0:
                return at
            depth -= 1
        elif sign == "," and depth == 0:
            return at
        at += 1
    return at
