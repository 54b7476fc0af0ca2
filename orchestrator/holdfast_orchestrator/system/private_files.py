"""Files and folders of ours, and what a person named for us to write: opened through no trap.

Anybody who can write to a folder can put something else in the place of a file: a symbolic link to another
file, a named pipe that hangs its reader, a device, a folder of their own. Each door here opens first,
without following or waiting, and looks at what was opened then:

    write_new                       a file that is not there yet
    write_private, replace_file     a file of ours, made anew; beside it first, where others may read it
    locked, open_lock, open_append  a lock that is held; a file to lock; one that is added to
    read_file                       a file of ours, up to a limit
    read_source, sha256_of          a file of the user's app; there a link is followed, it is theirs
    own_folder, cache_folder_of     folders that are ours alone
    project_folder                  a folder of ours in the user's project
    open_output                     what `--events` and `--markdown` name

What is refused is a HoldfastError that says what lies there, and what to do.
"""

import contextlib
import fcntl
import hashlib
import itertools
import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from holdfast_orchestrator.errors import HoldfastError

PRIVATE = 0o700
# The largest state that was tried has ten megabytes; nothing of ours comes near this.
LARGEST = 256 * 2**20

_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OTHERS_MAY_WRITE = 0o022
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
_STREAM = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class UnsafePlaceError(HoldfastError):
    """Something else lies where a file or a folder of ours has to be."""


def write_private(path: Path, content: bytes) -> None:
    """Write a file anew, mode 0600, through no link."""
    path.unlink(missing_ok=True)
    write_new(path, content)


def write_new(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file that is not there yet; nothing is left of one that could not be written.

    Raises FileExistsError for anything that lies there, a link too.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write beside, then replace: a reader sees the old file or the new one, never half of one.

    A link is replaced too, and what it led to is left alone.
    """
    descriptor, aside = _new_beside(path, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def open_lock(path: Path) -> int:
    """Open or make a file to lock, and return its descriptor; nothing in it is changed."""
    return _opened_file(path, os.O_RDWR | os.O_CREAT)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock between threads and processes of this machine; it ends with the process.

    Raises BlockingIOError where another one has it and `wait` is false.
    """
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def open_append(path: Path) -> int:
    """Open or make a private file that is only ever added to, and return its descriptor."""
    return _opened_file(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)


def _in_our_memory(path: Path) -> Path | None:
    """Where a file that this process keeps in memory is read (`engine.in_memory`); None for any other."""
    with contextlib.suppress(OSError):
        target = path.readlink()
        ours = re.fullmatch(rf"/proc/{os.getpid()}/fd/\d+", str(target)) is not None
        if ours and str(target.readlink()).startswith("/memfd:"):
            return target
    return None


def read_file(path: Path, *, largest: int = LARGEST) -> bytes:
    """Read a file of ours, on disk or in this process's memory.

    Raises OSError where it cannot be read, UnsafePlaceError where it is none.
    """
    if (memory := _in_our_memory(path)) is not None:
        return memory.read_bytes()
    return _read(_opened_file(path, os.O_RDONLY), path, largest)


def read_source(path: Path, *, largest: int = LARGEST) -> bytes:
    """Read a file of the user's app, through links; a pipe or a device is none. Raises as `read_file`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        kind = kind_of(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        raise UnsafePlaceError(
            f"cannot read {path}: it must be a file, got {kind}", next_step="make it a readable file"
        )
    return _read(descriptor, path, largest)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes, whatever leads to it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def own_folder(path: Path) -> Path:
    """Return a folder that is ours alone and no link, made where there is none. Raises UnsafePlaceError."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=PRIVATE)
    status = _own(path)
    if stat.S_IMODE(status.st_mode) != PRIVATE:
        path.chmod(PRIVATE)
    return path


def cache_folder_of(root: Path, *names: str) -> Path:
    """Return the folder `names` of the cache, each made where there is none, all of them ours alone.

    What leads to the cache may be links, the cache itself may not; and nobody else may write to it.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        root.mkdir(mode=PRIVATE)
    _close_to_others(root, _own(root))
    folder = root
    for name in names:
        folder = own_folder(folder / name)
    return folder


def project_folder(project: Path, *names: str) -> Path:
    """Return a folder of ours in the user's project, made where there is none.

    It may belong to the owner of the project. Raises UnsafePlaceError for a link.
    """
    folder = project
    for name in names:
        folder = folder / name
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o755)
        status = refuse_link(folder, of=project)
        if status.st_uid == os.geteuid():
            _close_to_others(folder, status)
    return folder


def refuse_link(folder: Path, *, of: Path) -> os.stat_result:
    """Return what is known of a folder in `of`, whose owner, or ours, it must have; never of a link.

    Raises UnsafePlaceError, and FileNotFoundError where there is none.
    """
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise _not(folder, "a folder and no link", status)
    if status.st_uid not in {os.geteuid(), of.stat().st_uid}:
        raise _foreign(folder, status)
    return status


def open_output(path: Path, *, emptied: bool = True) -> int:
    """Open what a person named for writing, `emptied` or as it is, and return its descriptor.

    Standard streams, `/dev/fd/N` and `/dev/null` are fine; a link, a named pipe, a socket, a device
    elsewhere and a stranger's file are not. Raises OSError and UnsafePlaceError.
    """
    if (number := _stream(path)) is not None:
        return os.dup(number)
    descriptor = _opened(path, os.O_WRONLY | os.O_CREAT, 0o666)
    status = os.fstat(descriptor)
    try:
        is_device = stat.S_ISCHR(status.st_mode) and path.parent == Path("/dev")
        if not is_device:
            _check_file(status, path)
        if emptied and not is_device:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def kind_of(mode: int) -> str:
    """Return what something is called in a sentence, by its mode."""
    return next((name for fits, name in _KINDS if fits(mode)), "something else")


def _own(path: Path) -> os.stat_result:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise _not(path, "a folder of yours and no link", status)
    if status.st_uid != os.geteuid():
        raise _foreign(path, status)
    return status


def _close_to_others(folder: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    # Of a folder with the sticky bit, such as /tmp, nobody can take away what is another's.
    if mode & _OTHERS_MAY_WRITE and not mode & stat.S_ISVTX:
        folder.chmod(mode & ~_OTHERS_MAY_WRITE)


def _opened(path: Path, flags: int, mode: int = 0o600) -> int:
    try:
        descriptor = os.open(path, flags | _SAFELY, mode)
    except OSError as error:
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise _not(path, "a file", status) from None
        raise error from None
    os.set_blocking(descriptor, True)
    return descriptor


def _opened_file(path: Path, flags: int) -> int:
    descriptor = _opened(path, flags)
    try:
        _check_file(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_file(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _not(path, "a file", status)
    if status.st_uid not in {os.geteuid(), path.parent.stat().st_uid}:
        raise _foreign(path, status)


def _read(descriptor: int, path: Path, largest: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        content = b"" if size > largest else file.read(largest + 1)
    if max(size, len(content)) > largest:
        raise UnsafePlaceError(
            f"{path} has {size} bytes; no more than {largest} are read",
            next_step=f"look at it: ls -l {_q(path)}",
        )
    return content


def _new_beside(path: Path, mode: int) -> tuple[int, Path]:
    for number in itertools.count():
        aside = path.with_name(f"{path.name}.{os.getpid()}-{number}.new")
        with contextlib.suppress(FileExistsError):
            return os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, mode), aside
    raise AssertionError


def _stream(path: Path) -> int | None:
    named = _STREAM.fullmatch(str(path))
    return int(named[1]) if named else _STREAMS.get(str(path))


def _not(path: Path, wanted: str, status: os.stat_result) -> UnsafePlaceError:
    kind = kind_of(status.st_mode)
    advice = "name another place" if stat.S_ISDIR(status.st_mode) else f"look at it, then: rm {_q(path)}"
    return UnsafePlaceError(f"{path} must be {wanted}, got {kind}", next_step=advice)


def _foreign(path: Path, status: os.stat_result) -> UnsafePlaceError:
    return UnsafePlaceError(
        f"{path} must belong to you (user {os.geteuid()}), and belongs to user {status.st_uid}",
        next_step=f"look at it, then: sudo chown -R {os.geteuid()} {_q(path)}, or name another place",
    )


def _q(path: Path) -> str:
    return shlex.quote(str(path))
