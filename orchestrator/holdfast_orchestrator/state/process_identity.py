"""Identifies a process so exactly that another process can prove later that it is dead.

A process id alone proves nothing: ids are given out again, a reboot starts over, and two containers of
one host have a process 7 each. So the id goes with the time the process started, the host's boot and
the namespace in which the id counts.
"""

import os
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from holdfast_orchestrator.system.process import Processes

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")


class Life(StrEnum):
    """What is known of a process."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """One process of one boot of one machine.

    `born` is what `Processes.birth` says of it. `boot` and `namespace` are empty where the system does
    not tell; nothing can be proved of such a process from outside.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    born: str


def this_process(processes: Processes) -> ProcessIdentity:
    """Return the identity of the process that asks."""
    pid = os.getpid()
    return ProcessIdentity(
        host=socket.gethostname(),
        boot=_read(_BOOT_ID),
        namespace=_link(_PID_NAMESPACE),
        pid=pid,
        born=processes.birth(pid) or "",
    )


def life_of(other: ProcessIdentity, *, me: ProcessIdentity, processes: Processes) -> Life:
    """Say whether another process still runs, as far as `me` can know for certain."""
    same_place = (other.boot, other.namespace) == (me.boot, me.namespace)
    if not (me.boot and me.namespace and other.born and same_place):
        return Life.UNKNOWN
    return Life.ALIVE if processes.birth(other.pid) == other.born else Life.DEAD


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _link(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:
        return ""
