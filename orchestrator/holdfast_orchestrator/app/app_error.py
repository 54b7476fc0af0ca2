"""Why an app failed, in few lines: from the traceback that its Python printed.

Of a traceback the exception and the user's own frames are told, the innermost first. An error that came
through jsii is printed twice, the first time in JavaScript's words: the last traceback counts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.app import fast_bindings

_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)')
_NOT_THE_USERS = (
    "site-packages",
    "dist-packages",
    "<frozen ",
    "/lib/python3",
    f"{fast_bindings.FOLDER}/",
    # In a checkout the building blocks lie in no site-packages.
    "/constructs/holdfast_constructs/",
)
_JAVASCRIPT_FRAME = re.compile(r"\s+at .*(?:\(|:\d+:\d+)")
_MARKS = re.compile(r"[\s^~]+")
_TRACEBACK = "Traceback (most recent call last):"
_CYCLE = re.compile(
    r"Cannot add dependency (?P<first>\S+) to (?P<second>\S+), because it would cause a circular"
)
_LONGEST = 40
_LONGEST_TEXT = 600


@dataclass(frozen=True, slots=True)
class Frame:
    """A line of the user's code: `place` is its file and number, `code` the line itself where it is known."""

    place: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class AppError:
    """An exception of the app: its type and text, and the user's frames, the innermost first."""

    text: str
    frames: tuple[Frame, ...]

    def lines(self) -> Sequence[str]:
        """Return it for people: the exception, then a line for each frame."""
        words = ("at  ", *("from" for _ in self.frames[1:]))
        return (
            self.text,
            *(
                f"  {word}  {frame.place}  {frame.code}".rstrip()
                for word, frame in zip(words, self.frames, strict=True)
            ),
        )


def error_in(text: str, folder: Path) -> AppError | None:
    """Return the exception that an app in `folder` ended with; None where `text` shows none of the user's."""
    _, found, traceback = text.rpartition(_TRACEBACK)
    if not found:
        return None
    frames: list[Frame] = []
    ours = False
    lines = traceback.splitlines()
    for number, line in enumerate(lines):
        frame = _FRAME.match(line)
        if frame is not None:
            ours = not any(part in frame["file"] for part in _NOT_THE_USERS)
            if ours:
                frames.append(Frame(f"{_relative(frame['file'], folder)}:{frame['line']}"))
        elif (
            line.startswith("    ") and ours and frames and not frames[-1].code and not _MARKS.fullmatch(line)
        ):
            frames[-1] = Frame(frames[-1].place, line.strip())
        elif line and not line.startswith(" "):
            exception = _paragraph(lines[number:])
            return AppError(_plain(exception), tuple(reversed(frames))) if frames else None
    return None


def trimmed(text: str) -> str:
    """Return an app's error output without what is not the app's own.

    Of a Python traceback the frames of installed packages go, of the messages that come through jsii
    the JavaScript frames; of what is left, the last 40 lines stay.
    """
    kept: list[str] = []
    foreign_frame = False
    for line in text.splitlines():
        frame = _FRAME.match(line)
        if frame is not None:
            foreign_frame = any(part in frame["file"] for part in _NOT_THE_USERS)
        elif not line.startswith("    "):
            foreign_frame = False
        if not foreign_frame and not _JAVASCRIPT_FRAME.match(line):
            kept.append(line)
    return "\n".join(kept[-_LONGEST:])


def _paragraph(lines: Sequence[str]) -> str:
    """Return the lines up to the first empty one; JavaScript's frames are left out."""
    kept: list[str] = []
    for line in lines:
        if not line.strip():
            break
        if not _JAVASCRIPT_FRAME.match(line):
            kept.append(line.strip())
    return "\n".join(kept)


def _plain(exception: str) -> str:
    cycle = _CYCLE.search(exception)
    if cycle is not None:
        first, second = cycle["first"], cycle["second"]
        return (
            f"stacks {first} and {second} use each other's attributes, directly or through other stacks: "
            f"one of the two must not refer to the other"
        )
    return exception.replace(": Error: ", ": ", 1)[:_LONGEST_TEXT]


def _relative(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else file
