"""The copy of a journal on this machine: a private file that is only ever added to, and forced to disk.

<cache>/runs/<run>/<shard>.jsonl
<cache>/runs/<run>/<shard>.jsonl.ended    the run has ended here, and the bucket has the whole journal
"""

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from holdfast_orchestrator.errors import HoldfastError, LeasedError
from holdfast_orchestrator.record.journal.entry import read_entry
from holdfast_orchestrator.system.private_files import cache_folder_of, open_append, read_file

ENDED = ".ended"


@dataclass(slots=True)
class JournalFile:
    """The copy on this machine: private, append-only, `size` bytes long."""

    path: Path
    descriptor: int
    size: int = 0

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the file, and drop an entry that was being written when the machine went down.

        Raises LeasedError where another process has it open, HoldfastError where it cannot be made.
        """
        file = cls(path, _open_private(path))
        try:
            fcntl.flock(file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise LeasedError(
                f"another process on this machine writes {path}", next_step="wait for it"
            ) from None
        ended_mark(path).unlink(missing_ok=True)
        file.size = os.fstat(file.descriptor).st_size
        if file.size:
            file._drop_torn_tail()
        _sync_folder(path.parent)
        return file

    def lines(self) -> list[bytes]:
        """Return the entries, as they were written."""
        return read_file(self.path).splitlines()

    def append(self, line: bytes, *, force: bool = True) -> None:
        """Add a line; with `force` it is on disk, and all before it, when this returns.

        Raises HoldfastError, and leaves no half line, where the disk refuses.
        """
        content = line + b"\n"
        try:
            _write_whole(self.descriptor, content)
            if force:
                os.fsync(self.descriptor)
        except OSError as error:
            # What cannot even be shortened is dropped as a torn entry when the journal is opened again.
            with suppress(OSError):
                os.ftruncate(self.descriptor, self.size)
            raise HoldfastError(
                f"the journal {self.path} cannot be written: {error.strerror}",
                next_step="make room on that disk; nothing is begun without a journal",
            ) from None
        self.size += len(content)

    def set_aside_after(self, number: int) -> None:
        """Keep the first `number` entries; move the others to `<file>.superseded`, for a person to find."""
        lines = self.lines()
        aside = _open_private(self.path.with_name(f"{self.path.name}.superseded"))
        try:
            _write_whole(aside, b"".join(line + b"\n" for line in lines[number:]))
            os.fsync(aside)
        finally:
            os.close(aside)
        self.size = sum(len(line) + 1 for line in lines[:number])
        os.ftruncate(self.descriptor, self.size)

    def mark_ended(self) -> None:
        """Say that nothing will be added and the bucket has it all: this copy may be deleted one day."""
        # Without the mark it is kept for longer, and nothing else.
        with suppress(OSError, HoldfastError):
            os.close(open_append(ended_mark(self.path)))

    def close(self) -> None:
        """Close it; other processes may open it then."""
        os.close(self.descriptor)

    def _drop_torn_tail(self) -> None:
        content = read_file(self.path)
        whole = content[: content.rfind(b"\n") + 1]
        last = whole[:-1].rpartition(b"\n")[2]
        if last and not _is_entry(last):
            whole = whole[: -len(last) - 1]
        if whole != content:
            os.ftruncate(self.descriptor, len(whole))
            self.size = len(whole)


def ended_mark(path: Path) -> Path:
    """Return the file that says of a journal that it has ended."""
    return path.with_name(path.name + ENDED)


def _is_entry(line: bytes) -> bool:
    try:
        read_entry(line)
    except ValueError:
        return False
    return True


def _open_private(path: Path) -> int:
    try:
        cache_folder_of(path.parents[2], path.parents[1].name, path.parent.name)
        return open_append(path)
    except OSError as error:
        raise HoldfastError(
            f"the journal {path} cannot be opened: {error.strerror}",
            next_step="look at that path; HOLDFAST_CACHE_DIR names another folder",
        ) from None


def _write_whole(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
