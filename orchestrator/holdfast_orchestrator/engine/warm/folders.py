"""The temporary folders of gateways: `$TMPDIR/hf-XXXXXXXX`, one a run, gone with its gateway.

The run and its gateway each hold a lock on the file `alive` in it, which the kernel lets go however they
end. So a folder whose lock is free belongs to nobody who lives. One is removed only where everything about
it is ours: the name, the owner, the mode, and each name in it.
"""

import contextlib
import fcntl
import os
import re
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

CONTROL = "control"
WORK = "work"
LOG = "log"

_ALIVE = "alive"
_PREFIX = "hf-"
_NAME = re.compile(r"hf-[a-z0-9_]{8}")
_CONTENT = re.compile(r"control|work|log|alive|d\d+|p\d+\.(?:pipe|log)|plugin\d+")
# Between being made and being locked a folder is new; one of an earlier Holdfast has no lock.
_NEW_SECONDS = 600.0


def make_folder() -> Path:
    """Return a new folder of ours alone, with an empty one in it to start providers in."""
    # Short, because a unix socket's path may not be longer than a hundred characters or so.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    (folder / WORK).mkdir()
    return folder


def hold(folder: Path) -> int:
    """Say that the folder is in use for as long as the descriptor returned is open. Raises OSError."""
    descriptor = os.open(folder / _ALIVE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def sweep(now: Callable[[], datetime]) -> tuple[Path, ...]:
    """Remove the folders of dead gateways from the temporary folder, and return them. Never raises.

    `now` says what time it is.
    """
    swept = []
    for folder in _candidates():
        with contextlib.suppress(OSError), _claimed(folder, now) as dead:
            if dead:
                shutil.rmtree(folder)
                swept.append(folder)
    return tuple(swept)


def _candidates() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
            if _NAME.fullmatch(folder.name) and _is_ours(folder):
                yield folder


def _is_ours(folder: Path) -> bool:
    try:
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
        if not private or status.st_uid != os.getuid():
            return False
        return all(_CONTENT.fullmatch(entry.name) for entry in folder.iterdir())
    except OSError:
        return False


@contextlib.contextmanager
def _claimed(folder: Path, now: Callable[[], datetime]) -> Iterator[bool]:
    """Yield whether nobody uses the folder; nobody can begin to inside."""
    try:
        descriptor = os.open(folder / _ALIVE, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield _is_old(folder, now) and not _answers(folder / CONTROL)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _is_old(folder: Path, now: Callable[[], datetime]) -> bool:
    return now().timestamp() - folder.lstat().st_mtime > _NEW_SECONDS


def _answers(control: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(1.0)
        try:
            asked.connect(str(control))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
        return True
