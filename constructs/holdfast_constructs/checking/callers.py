"""Tells the user's lines of code from those of installed packages, the standard library and Holdfast."""

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import FrameType, TracebackType

import holdfast_bindings

_NOT_THE_USERS = (
    Path(__file__).resolve().parent.parent,
    Path(holdfast_bindings.__file__).resolve().parent,
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")),
)


def calling_line() -> tuple[str | None, int | None]:
    """Return file and number of the innermost line of the user's on the stack; None where there is none."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect's way to the same reads source files
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None, None


def asking_line() -> str:
    """Return the innermost line of the user's on the stack as `file:line`; a word where there is none."""
    file, line = calling_line()
    return "no line of the app" if file is None else f"{_relative(file)}:{line}"


def failing_line(traceback: TracebackType | None) -> str | None:
    """Return the innermost line of the user's in a traceback as `file:line`, the file as seen from here."""
    place = None
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if is_users(file):
            place = f"{_relative(file)}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


@cache
def is_users(filename: str) -> bool:
    """Whether a file of code is the user's."""
    if filename.startswith("<"):
        return False
    path = Path(filename).resolve()
    if "site-packages" in path.parts or "dist-packages" in path.parts:
        return False
    return not any(path.is_relative_to(folder) for folder in _NOT_THE_USERS)


def _relative(file: str) -> str:
    return os.path.relpath(file) if Path(file).is_relative_to(Path.cwd()) else file
