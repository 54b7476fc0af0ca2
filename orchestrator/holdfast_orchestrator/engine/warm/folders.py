"""The temporary folders of gateways: `$TMPDIR/hf-XXXXXXXX`, one a run, gone with its gateway.

Where that path is too long for a socket's it lies in a shorter place (`system.socket_places`).

The run and its gateway each hold it (`system.temporary_folders`), so one that nobody holds can be removed.
"""

import re
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from holdfast_orchestrator.errors import MachineError
from holdfast_orchestrator.system import temporary_folders
from holdfast_orchestrator.system.socket_places import PREFIX, socket_place
from holdfast_orchestrator.system.temporary_folders import hold, make

__all__ = ["CONTROL", "LOG", "WORK", "hold", "make_folder", "sweep"]

CONTROL = "control"
WORK = "work"
LOG = "log"

_CONTENT = re.compile(r"control|work|log|d\d+|p\d+\.(?:pipe|log)|plugin\d+")
# Between being made and being locked a folder is new; one of an earlier Holdfast has no lock.
_NEW_SECONDS = 600.0


def make_folder() -> Path:
    """Return a new folder of ours alone, with an empty one in it to start providers in.

    Raises MachineError where no place for sockets is to be had.
    """
    folder = make(PREFIX, socket_place())
    (folder / WORK).mkdir()
    return folder


def sweep(now: Callable[[], datetime]) -> tuple[Path, ...]:
    """Remove the folders of dead gateways from the temporary folder, and return them. Never raises."""

    def unheld(folder: Path) -> bool:
        is_old = now().timestamp() - folder.lstat().st_mtime > _NEW_SECONDS
        return is_old and not _answers(folder / CONTROL)

    try:
        return temporary_folders.sweep(PREFIX, _CONTENT, unheld=unheld, place=socket_place())
    except MachineError:
        return ()


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
