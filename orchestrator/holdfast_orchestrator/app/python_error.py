"""Reads the tracebacks that Python prints: of each, the exception and the user's own frames.

What Python says when it ends (in an exit handler, of an exception it ignores) is not why an app failed. An
exception that a function of the user raises below JavaScript comes back as another one with the same text;
the first of the two has the line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.app import fast_bindings

_FRAME = re.compile(r' *File "(?P<file>[^"]+)", line (?P<line>\d+)')
_NOT_THE_USERS = (
    "site-packages",
    "dist-packages",
    "<frozen ",
    "/lib/python3",
    f"{fast_bindings.FOLDER}/",
    # In a checkout the building blocks are in no site-packages.
    "/constructs/holdfast_constructs/",
)
_LONGEST_CODE = 80
_MARKS = re.compile(r"[\s^~]+")
_HEADER = re.compile(r"^ *(Exception Group )?Traceback \(most recent call last\):$", re.MULTILINE)
_RULE = re.compile(r"[-+ ]+(?:\d+ [-+ ]+)?")
_AT_THE_END = ("Exception ignored in", "Error in atexit", "Error in sys.excepthook")
_IN_GROUP = "Exception Group Traceback"
_GROUP = re.compile(r"^ *(?:\| ?|\+ (?=Exception Group)|\+(?=-))", re.MULTILINE)
# A file that cannot be read as Python has no traceback where it is the program itself.
_SYNTAX = re.compile(
    r'^( *File "[^"]+", line \d+\n(?:    .*\n)*(?:Syntax|Indentation|Tab)Error: .*)', re.MULTILINE
)
_JAVASCRIPT_FRAME = re.compile(r"\s+at .*(?:\(|:\d+:\d+)")
_RETOLD = re.compile(r"^RuntimeError: (?:Error: )*")


@dataclass(frozen=True, slots=True)
class Frame:
    """A line of the user's code: `place` is its file and number, `code` the line itself where it is known."""

    place: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception: its type and text, and the user's frames, the innermost first.

    `made_at` has the line that made the value which could not be resolved, where that was printed.
    """

    text: str
    frames: tuple[Frame, ...]
    made_at: tuple[Frame, ...] = ()


def python_error(text: str, folder: Path) -> Failure | None:
    """Return the exception that a program in `folder` ended with; None where there is none of the user's."""
    plain = _GROUP.sub("", text) if _IN_GROUP in text else text
    failures = [_read(lines, folder) for lines in _tracebacks(plain)]
    if _IN_GROUP in text:
        _, *members = failures or [Failure("", ())]
        frames = [frame for failure in (*members[:1], failures[0]) for frame in failure.frames]
        failures = [Failure("\n".join(each.text for each in failures), tuple(frames))]
    last = failures[-1] if failures else Failure("", ())
    retold = _RETOLD.match(last.text)
    for earlier in reversed(failures[:-1]):
        _, _, words = earlier.text.partition(": ")
        if retold and earlier.frames and words and words.splitlines()[0] in last.text:
            return Failure(earlier.text, (*earlier.frames, *last.frames))
    return last if last.frames else None


def without_installed(text: str) -> str:
    """Return a program's error output without the frames of installed packages and of JavaScript."""
    kept: list[str] = []
    foreign_frame = False
    for line in text.splitlines():
        frame = _FRAME.match(line)
        if frame is not None:
            foreign_frame = not _is_users(frame["file"])
        elif not line.startswith("    "):
            foreign_frame = False
        if not foreign_frame and not _JAVASCRIPT_FRAME.match(line):
            kept.append(line)
    return "\n".join(kept)


def relative(file: str, folder: Path) -> str:
    """Return a file's path as seen from `folder`, where it is below it."""
    path = Path(file)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else file


def _tracebacks(text: str) -> Iterator[Sequence[str]]:
    headers = list(_HEADER.finditer(text))
    if not headers:
        yield from (match[1].splitlines() for match in _SYNTAX.finditer(text))
    ends = [*(each.start() for each in headers[1:]), len(text)]
    for header, end in zip(headers, ends, strict=False):
        before = text[: header.start()].rstrip("\n").rpartition("\n")[2]
        if not before.startswith(_AT_THE_END):
            yield text[header.end() : end].splitlines()[1:]


def _read(lines: Sequence[str], folder: Path) -> Failure:
    frames: list[Frame] = []
    ours = False
    for number, line in enumerate(lines):
        frame = _FRAME.match(line)
        if frame is not None:
            if ours := _is_users(frame["file"]):
                frames.append(Frame(f"{relative(frame['file'], folder)}:{frame['line']}"))
        elif line.startswith("    "):
            if ours and frames and not frames[-1].code and not _MARKS.fullmatch(line):
                frames[-1] = Frame(frames[-1].place, _cut(line.strip()))
        elif line and not line.startswith(" "):
            return Failure(_paragraph(lines[number:]), tuple(reversed(frames)))
    return Failure("", ())


def _paragraph(lines: Iterable[str]) -> str:
    """Return the lines up to the first empty one; JavaScript's frames are left out."""
    kept: list[str] = []
    for line in lines:
        if not line.strip() or line.startswith("Object creation stack:"):
            break
        if not _JAVASCRIPT_FRAME.match(line) and not _RULE.fullmatch(line):
            kept.append(line.strip())
    return "\n".join(kept)


def _cut(code: str) -> str:
    return code if len(code) <= _LONGEST_CODE else f"{code[:_LONGEST_CODE]}…"


def _is_users(file: str) -> bool:
    return not any(part in file for part in _NOT_THE_USERS)
