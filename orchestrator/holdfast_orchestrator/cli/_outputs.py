"""Files that a person names on the command line for Holdfast to write: `--events`, `--markdown`, `--out`."""

import os
from contextlib import suppress
from pathlib import Path

from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.system.private_files import UnsafePlaceError, open_output, write_new


def opened(option: str, path: Path, *, emptied: bool = True) -> int:
    """Open the file that an option names, and return its descriptor. Raises UsageError."""
    try:
        return open_output(path, emptied=emptied)
    except UnsafePlaceError as error:
        raise UsageError(f"{option}: {error.what}", next_step=error.next_step) from None
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}", next_step="name another file") from None


def refuse_unwritable(option: str, path: Path) -> None:
    """Raise UsageError if the file that an option names could not be written later."""
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}", next_step="name another file")
    if os.path.lexists(path):
        os.close(opened(option, path, emptied=False))


def write_all(descriptor: int, text: str) -> None:
    """Write a whole text to a descriptor. Raises OSError."""
    content = text.encode(errors="backslashreplace")
    while content:
        content = content[os.write(descriptor, content) :]


def write_report(option: str, path: Path, text: str) -> str | None:
    """Write a report to the file that an option names; return why that failed, or None.

    Raises UsageError if the place is no longer safe to write to.
    """
    descriptor = opened(option, path)
    try:
        write_all(descriptor, text)
    except OSError as error:
        return f"{option} {path} could not be written: {error.strerror}"
    finally:
        with suppress(OSError):
            os.close(descriptor)
    return None


def write_private(option: str, path: Path, content: bytes) -> None:
    """Write a new file that only this user may read. Raises UsageError if that fails."""
    try:
        write_new(path, content)
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}", next_step="name another file") from None
