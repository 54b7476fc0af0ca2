"""Files that an engine reads and that must not outlive us: in memory, with a link to them in its folder.

A configuration and files of variables hold secrets in plain text. On Linux they are written to memory
(`memfd_create`), and in the shard's folder lies a link to them, `/proc/<our process>/fd/<n>`, that leads
somewhere only as long as this process lives, and only for this user. So a process that is killed leaves no
secret of theirs on a disk. Where that is not possible the file is written as any private file.

An engine that outlives us has read them when it started; a plan that is applied holds its configuration.
"""

import contextlib
import os
import threading
from pathlib import Path

from holdfast_orchestrator.system.private_files import write_private

_lock = threading.Lock()
_open: dict[Path, int] = {}


def write_in_memory(path: Path, content: bytes) -> None:
    """Make `content` readable at `path`, for this process and those it starts."""
    forget(path)
    try:
        descriptor = _held(path.name, content)
    except (OSError, AttributeError):
        write_private(path, content)
        return
    target = f"/proc/{os.getpid()}/fd/{descriptor}"
    if not _linked(path, target, content):
        os.close(descriptor)
        write_private(path, content)
        return
    with _lock:
        _open[path] = descriptor


def into_memory(path: Path, target: Path | None = None) -> None:
    """Take a file from the disk into memory; it is at `target` from then on. Raises FileNotFoundError."""
    content = path.read_bytes()
    forget(path)
    path.unlink(missing_ok=True)
    write_in_memory(target or path, content)


def forget(path: Path) -> None:
    """Let go of what is in memory for `path`; the link to it goes, too, and nothing else."""
    with _lock:
        descriptor = _open.pop(path, None)
    if descriptor is not None:
        with contextlib.suppress(OSError):
            if path.is_symlink():
                path.unlink()
        os.close(descriptor)
    elif path.is_symlink() and str(path.readlink()).startswith("/proc/"):
        path.unlink()


def forget_below(folder: Path) -> None:
    """Let go of everything that is in memory for files below a folder."""
    with _lock:
        paths = [path for path in _open if path.is_relative_to(folder)]
    for path in paths:
        forget(path)


def keep_on_disk(path: Path) -> None:
    """Write what is in memory for `path` to the disk: somebody will need it when we are gone."""
    with _lock:
        is_ours = path in _open
    if is_ours:
        content = path.read_bytes()
        forget(path)
        write_private(path, content)


def _linked(path: Path, target: str, content: bytes) -> bool:
    """Link to it, if it can be read there by others: /proc may be missing or closed."""
    try:
        if Path(target).read_bytes() != content:
            return False
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    except OSError:
        return False
    return True


def _held(name: str, content: bytes) -> int:
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
