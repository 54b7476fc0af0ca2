"""The temporary folders of `--changed-since`: `$TMPDIR/holdfast-since-XXXXXXXX/tree`, a git worktree.

The app is synthesized there, so it holds configurations with all their secrets. The process that made one
holds it; what a killed one left is removed by the next that comes by, with git's note of it.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_file
from holdfast_orchestrator.system.temporary_folders import hold, make, sweep

_PREFIX = "holdfast-since-"
_TREE = "tree"
_CONTENT = re.compile(_TREE)
# Earlier versions held none; no synthesis takes a day.
_OLD_SECONDS = 86_400.0
_LARGEST_NOTE = 4096


@contextmanager
def checkout_folder() -> Iterator[Path]:
    """Yield the path for a worktree, in a private folder that is gone afterwards."""
    made = make(_PREFIX)
    held = hold(made)
    try:
        yield made.resolve() / _TREE
    finally:
        os.close(held)
        shutil.rmtree(made, ignore_errors=True)


def sweep_checkouts(now: Callable[[], datetime]) -> tuple[Path, ...]:
    """Remove what killed runs left in the temporary folder, and return the folders. Never raises."""

    def unheld(folder: Path) -> bool:
        return now().timestamp() - folder.lstat().st_mtime > _OLD_SECONDS

    return sweep(_PREFIX, _CONTENT, unheld=unheld, remove=_remove)


def _remove(folder: Path) -> None:
    note = _git_note(folder.resolve() / _TREE)
    shutil.rmtree(folder)
    if note is not None:
        shutil.rmtree(note)


def _git_note(tree: Path) -> Path | None:
    """Return the folder in which git's repository notes this worktree, where both name each other."""
    named = _text(tree / ".git").removeprefix("gitdir: ")
    note = Path(named)
    is_note = bool(named) and note.is_absolute() and note.parent.name == "worktrees" and not note.is_symlink()
    return note if is_note and _text(note / "gitdir") == str(tree / ".git") else None


def _text(file: Path) -> str:
    try:
        return read_file(file, largest=_LARGEST_NOTE).decode(errors="replace").strip()
    except (OSError, UnsafePlaceError):
        return ""
