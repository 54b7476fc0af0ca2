"""The journals of runs in this machine's cache: deletes those that are no longer needed.

    <cache>/runs/<run>/

A run's folder may go where each journal in it has ended, the bucket has all of each, and no process has one
open; the newest of them stay. One that did not end stays until it is resumed, however old it is.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.journal.local_file import ended_mark
from holdfast_orchestrator.run_id import encoded
from holdfast_orchestrator.system.private_files import locked

RUNS_KEPT = 200
DAYS_KEPT = 30

_JOURNALS = "*.jsonl"
_DAY_SECONDS = 86_400
# Names are made before the folder is, and clocks differ.
_LONGEST_NAME = 26


def prune_runs(cache: Path, now: datetime) -> tuple[Path, ...]:
    """Delete ended runs older than 30 days, and all but the newest 200; return them. Never raises."""
    try:
        folders = sorted(
            entry.name for entry in os.scandir(cache / "runs") if entry.is_dir(follow_symlinks=False)
        )
    except OSError:
        return ()
    runs = [name for name in folders if len(name) == _LONGEST_NAME]
    oldest = encoded(max(0, int((now.timestamp() - DAYS_KEPT * _DAY_SECONDS) * 1000)), 0)
    old = [name for place, name in enumerate(runs) if name < oldest or place < len(runs) - RUNS_KEPT]
    return tuple(folder for folder in (cache / "runs" / name for name in old) if _deleted(folder))


def open_shards(cache: Path) -> frozenset[str]:
    """Return the file names of the shards with a journal here that has not ended."""
    journals = (cache / "runs").glob(f"*/{_JOURNALS}")
    return frozenset(path.stem for path in journals if not ended_mark(path).exists())


def _deleted(folder: Path) -> bool:
    with contextlib.suppress(OSError, HoldfastError), _claimed(folder) as ended:
        if ended:
            shutil.rmtree(folder)
        return ended
    return False


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Yield whether every journal has ended; none can be opened by another process inside. Raises OSError."""
    with contextlib.ExitStack() as held:
        journals = sorted(folder.glob(_JOURNALS))
        if all(ended_mark(path).exists() for path in journals):
            for path in journals:
                held.enter_context(locked(path, wait=False))
        # A resume that was quicker has taken the marks away.
        yield bool(journals) and all(ended_mark(path).exists() for path in journals)
