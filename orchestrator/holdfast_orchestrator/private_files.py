"""Files and folders that hold secrets: ours alone, and reached through no symbolic link."""

import contextlib
import os
import stat
from pathlib import Path

from holdfast_orchestrator.errors import HoldfastError

PRIVATE = 0o700


def write_private(path: Path, content: bytes) -> None:
    """Write a file anew, mode 0600, through no link."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def own_folder(path: Path) -> Path:
    """Return a folder that is ours alone and no link, made where there is none. Raises HoldfastError."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=PRIVATE)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise HoldfastError(
            f"{path} must be a folder of yours and no link", next_step=f"look at it, then: rm {path}"
        )
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        path.chmod(PRIVATE)
    return path
