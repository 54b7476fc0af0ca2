"""Where sockets lie: in the temporary folder, or in a short one where its path leaves them no room.

The path of a unix socket may have 107 bytes (103 elsewhere than on Linux). Terraform's providers name theirs
`plugin1234567890`, and look at PLUGIN_UNIX_SOCKET_DIR before they look at TMPDIR.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from holdfast_orchestrator.errors import MachineError
from holdfast_orchestrator.system.temporary_folders import hold, make

PREFIX = "hf-"
VARIABLE = "PLUGIN_UNIX_SOCKET_DIR"

_LONGEST = 103
_SOCKET = "/plugin1234567890"
_FOLDER = f"/{PREFIX}12345678"
_SHORT = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - only for private folders with names of chance


def socket_place() -> Path:
    """Return the folder in which to make private folders with sockets in them. Raises MachineError."""
    place = tempfile.gettempdir()
    return Path(place) if _fits(place + _FOLDER) else _short_place(place)


def socket_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs in its environment so that its plugins' sockets have short enough paths.

    Empty where the caller's own folder will do. Raises MachineError where there is no such folder.
    """
    place = environ.get(VARIABLE) or environ.get("TMPDIR") or "/tmp"  # noqa: S108 - what Go takes
    return {} if _fits(place) else {VARIABLE: str(_own_folder(os.getpid()))}


def _fits(folder: str) -> bool:
    return len(os.fsencode(folder + _SOCKET)) <= _LONGEST


def _short_place(instead_of: str) -> Path:
    for place in _SHORT:
        if os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    raise MachineError(
        f"the temporary folder's path is too long for a socket ({len(instead_of)} characters): {instead_of}",
        next_step="name a shorter one: export TMPDIR=/tmp",
    )


@cache
def _own_folder(pid: int) -> Path:
    """A folder of this process, gone with it; one of a killed process is swept as gateways' are."""
    folder = make(PREFIX, socket_place())
    hold(folder)
    atexit.register(_remove, folder, pid)
    return folder


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
