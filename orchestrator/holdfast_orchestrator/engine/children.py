"""Which engines run in a shard's folder: beside each record of events, the process that writes it.

    output/20261121T070243-01-apply.jsonl
    output/20261121T070243-01-apply.child.json     its process id, birth, and when it was started
    output/20261121T070243-01-apply.interrupted    there once it was sent its SIGINT, by whomever

An orchestrator that is killed leaves its Terraform running; the next process on this machine reads here
whether that one still works, which events it wrote, and whether it may be interrupted: a second SIGINT can
cost it its state.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from holdfast_orchestrator.engine.workdir import OUTPUT
from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_file, write_new, write_private
from holdfast_orchestrator.system.process import Processes

_SUFFIX = ".child.json"
_INTERRUPTED = ".interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """An engine that was started; `verb` is apply or plan, `birth` what `Processes.birth` returned for it."""

    verb: str
    record: Path
    pid: int
    birth: str
    began: datetime

    def lives(self, processes: Processes) -> bool:
        """Whether it still runs."""
        return bool(self.birth) and processes.birth(self.pid) == self.birth

    def interrupt(self, processes: Processes) -> bool:
        """Send it SIGINT, once in its life, from any process; True where it was sent."""
        if not self.lives(processes) or not note_interrupt(self.record):
            return False
        return processes.interrupt(self.pid, born=self.birth)


def keep_child(record: Path, pid: int, *, began: datetime, processes: Processes) -> None:
    """Note which process writes `record`. A full disk must not disturb an engine that has been started."""
    note = {"pid": pid, "birth": processes.birth(pid) or "", "began": began.isoformat()}
    with contextlib.suppress(OSError):
        write_private(record.with_suffix(_SUFFIX), json.dumps(note).encode())


def note_interrupt(record: Path) -> bool:
    """Note that the writer of `record` is sent SIGINT; False where that was noted before, or cannot be."""
    try:
        write_new(record.with_suffix(_INTERRUPTED), b"")
    except OSError:
        return False
    return True


def children(folder: Path, *, since: datetime) -> Iterator[Child]:
    """Yield the engines started in a shard's folder since a moment (this machine's clock), oldest first."""
    for note in sorted((folder / OUTPUT).glob(f"*{_SUFFIX}")):
        try:
            document = json.loads(read_file(note))
            child = Child(
                verb=note.name.removesuffix(_SUFFIX).rpartition("-")[2],
                record=note.with_name(f"{note.name.removesuffix(_SUFFIX)}.jsonl"),
                pid=int(document["pid"]),
                birth=str(document["birth"]),
                began=datetime.fromisoformat(document["began"]),
            )
        except (OSError, UnsafePlaceError, ValueError, KeyError):
            continue
        if child.began >= since:
            yield child
