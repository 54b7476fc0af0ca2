"""Working folders of shards that nothing has worked in for long, and other files of the cache that grow old.

They are of projects that were moved or deleted, and of stacks that no app has any more. Which app has which
is not known here, but a folder that is deleted too early costs one `init`, and a file here one look. So
age decides; what cannot be made again is never deleted.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

from holdfast_orchestrator.engine.workdir import ERRORED_STATE, workdir_of
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.system.private_files import cache_folder_of, locked, open_lock

DAYS_KEPT = 30
FILE_DAYS_KEPT = 90

_DAY_SECONDS = 86_400
_LOOKED = "tidied"
# What is made again where it is missing, and reports of defects.
_FILES = ("schemas", "hashes", "owners", "reports")


def is_due(cache: Path, now: datetime) -> bool:
    """Return whether nobody has looked for a day, and note that somebody does now. Never raises."""
    with contextlib.suppress(OSError, HoldfastError):
        looked = open_lock(cache_folder_of(cache) / _LOOKED)
        try:
            status = os.fstat(looked)
            if status.st_size and now.timestamp() - status.st_mtime < _DAY_SECONDS:
                return False
            os.ftruncate(looked, 0)
            os.write(looked, b"\n")
            os.utime(looked, (now.timestamp(), now.timestamp()))
        finally:
            os.close(looked)
        return True
    return False


def prune_folders(cache: Path, now: datetime, *, needed: Collection[str]) -> tuple[Path, ...]:
    """Delete shards' folders without use for 30 days; return them. Never raises.

    One stays with a state in it that could not be saved, while a process works in it, or where its shard is
    among `needed`: a resume reads there what exists.
    """
    before = now.timestamp() - DAYS_KEPT * _DAY_SECONDS
    gone = []
    for project in _folders(cache / "work"):
        for shard in _folders(project):
            with contextlib.suppress(OSError, HoldfastError):
                if shard.name not in needed and _deleted(project, shard.name, before):
                    gone.append(shard)
    return tuple(gone)


def prune_files(cache: Path, now: datetime) -> None:
    """Delete what was kept 90 days ago to save time, and reports as old. Never raises."""
    before = now.timestamp() - FILE_DAYS_KEPT * _DAY_SECONDS
    for name in _FILES:
        with contextlib.suppress(OSError):
            for entry in os.scandir(cache / name):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_mtime < before:
                    Path(entry.path).unlink(missing_ok=True)


def _deleted(project: Path, shard: str, before: float) -> bool:
    folder, tree = workdir_of(project, shard), project / shard
    if _last_used(tree, folder) >= before:
        return False
    with locked(project / f"{shard}.lock", wait=False):
        unsaved = any(tree.rglob(ERRORED_STATE))
        if unsaved or _last_used(tree, folder) >= before:
            return False
        shutil.rmtree(tree)
        return True


def _last_used(tree: Path, folder: Path) -> float:
    """When something was last made or deleted in a shard's folder: each use does both."""
    return max(place.lstat().st_mtime for place in (tree, folder) if place.is_dir())


def _folders(parent: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(
            Path(entry.path) for entry in os.scandir(parent) if entry.is_dir(follow_symlinks=False)
        )
