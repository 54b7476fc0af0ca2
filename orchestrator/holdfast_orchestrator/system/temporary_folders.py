"""Private folders in the temporary folder: held by processes while they live, swept when those are dead.

Each user of such a folder holds a lock on the file `alive` in it, which the kernel lets go however the
process ends. So a folder whose lock is free belongs to nobody who lives. One counts as ours only where
everything about it is: the name, the owner, the mode, and each name in it.
"""

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_ALIVE = "alive"


def make(prefix: str, place: Path | None = None) -> Path:
    """Return a new folder of ours alone, `<place>/<prefix>XXXXXXXX`. Raises OSError.

    Without a `place` it is where TMPDIR says.
    """
    return Path(tempfile.mkdtemp(prefix=prefix, dir=place))


def hold(folder: Path) -> int:
    """Say that the folder is in use for as long as the descriptor returned is open. Raises OSError."""
    descriptor = os.open(folder / _ALIVE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def sweep(
    prefix: str,
    content: re.Pattern[str],
    *,
    unheld: Callable[[Path], bool],
    place: Path | None = None,
    remove: Callable[[Path], object] = shutil.rmtree,
) -> tuple[Path, ...]:
    """Remove folders whose users are dead, and return them; one that cannot be removed stays.

    `content` fits each name that may be in one beside `alive`. `unheld` decides about a folder that no
    process has held yet: it is new, or of a version that held none.
    """
    swept = []
    for folder in _candidates(prefix, content, place or Path(tempfile.gettempdir())):
        # As long as it is claimed nobody can begin to use it.
        with contextlib.suppress(OSError), _claimed(folder, unheld) as is_dead:
            if is_dead:
                remove(folder)
                swept.append(folder)
    return tuple(swept)


def _candidates(prefix: str, content: re.Pattern[str], place: Path) -> Iterator[Path]:
    name = re.compile(re.escape(prefix) + "[a-z0-9_]{8}")
    with contextlib.suppress(OSError):
        for folder in sorted(place.glob(f"{prefix}*")):
            if name.fullmatch(folder.name) and _is_ours(folder, content):
                yield folder


def _is_ours(folder: Path, content: re.Pattern[str]) -> bool:
    try:
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
        if not private or status.st_uid != os.getuid():
            return False
        names = (entry.name for entry in folder.iterdir())
        return all(name == _ALIVE or content.fullmatch(name) for name in names)
    except OSError:
        return False


@contextlib.contextmanager
def _claimed(folder: Path, unheld: Callable[[Path], bool]) -> Iterator[bool]:
    try:
        descriptor = os.open(folder / _ALIVE, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield unheld(folder)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)
