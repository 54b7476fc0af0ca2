"""End what a program has left running: the processes of its session, once it has ended itself.

The program was the first of its session, so its id names the session, and is not given to another process
as long as one is left in it. A process that made its own session, as a daemon does, is none of them.
"""

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# Helpers that end with the program, such as jsii's Node, need a moment for it.
PATIENCE_SECONDS = 1.0
GRACE_SECONDS = 2.0

_LOOK_SECONDS = 0.01
_SESSION, _START = 3, 19


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs; `born` tells it from a later one with the same id."""

    pid: int
    session: int
    born: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"


def end_session(leader: int) -> tuple[str, ...]:
    """End what is left in the session of a process that is dead; name what did not end by itself.

    It is asked with SIGTERM and killed after two seconds.
    """
    if sys.platform != "linux":
        return _end_group(leader)
    left = _awaited(leader, PATIENCE_SECONDS)
    for member in left:
        _signal(member, signal.SIGTERM)
    if left:
        for member in _awaited(leader, GRACE_SECONDS):
            _signal(member, signal.SIGKILL)
    return tuple(map(str, left))


def _awaited(leader: int, seconds: float) -> tuple[Process, ...]:
    """Wait at most so many seconds for the session to be empty; return the processes that are left in it."""
    deadline = time.monotonic() + seconds
    while left := _members(leader):
        if time.monotonic() >= deadline:
            break
        time.sleep(_LOOK_SECONDS)
    return left


def _members(leader: int) -> tuple[Process, ...]:
    pids = (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal())
    members = tuple(member for pid in pids if (member := _member(pid, leader)) is not None)
    # A process with the leader's id is another one: then nobody of this session was left.
    return () if any(member.pid == leader for member in members) else members


def _member(pid: int, session: int) -> Process | None:
    with contextlib.suppress(OSError, IndexError):
        process = running_process(pid)
        return process if process is not None and process.session == session else None
    return None


def running_process(pid: int) -> Process | None:
    """Return a process as Linux's `/proc` shows it, None where it has ended. Raises OSError."""
    try:
        # The program's name is in brackets and may hold anything, brackets too.
        head, _, rest = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = rest.split()
    if fields[0] in {"Z", "X"}:
        return None
    return Process(pid, int(fields[_SESSION]), fields[_START], head.partition("(")[2])


def _signal(member: Process, number: signal.Signals) -> None:
    """Send a signal to the very process that was seen."""
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(member.pid)
        try:
            process = running_process(member.pid)
            if process is not None and process.born == member.born:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def _end_group(leader: int) -> tuple[str, ...]:
    """As `end_session`, where the system does not list sessions: it ends the program's process group."""
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os.killpg(leader, signal.SIGKILL)
        return (f"process group {leader}",)
    return ()
