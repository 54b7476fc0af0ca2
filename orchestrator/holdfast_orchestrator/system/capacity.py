"""How many shards to work on at once on this machine, or in the part of it that a container may use.

A Terraform that starts its own AWS provider takes about 0.7 GiB and, while it plans, one core; the rest of
its time it waits for AWS. Hence: two shards a core, one shard a GiB of memory, ten at most. Warm providers
share most of their memory, a GiB for all; what a shard takes besides is 60 to 180 MB for a provider with its
service's own default tags, and 30 to 100 MB for Terraform, which needs a tenth of a core's time: four shards
a core, four a GiB beyond the first, sixteen at most (AWS counts requests per account).
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_OBJECTS_AT_ONCE = 50
"""How many objects of one shard Terraform may be told to read or change at once."""

_GIB = 2**30
_ROOT = Path("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What one shard takes; `base` is what all of them together take besides, in bytes."""

    per_core: int
    bytes: int
    base: int
    most: int


_COLD = _Cost(per_core=2, bytes=_GIB, base=0, most=10)
_WARM = _Cost(per_core=4, bytes=_GIB // 4, base=_GIB, most=16)


def default_parallel(*, warm: bool = False) -> int:
    """Return the number for this machine; 1 or more."""
    return parallel_for(cores_here(), memory_here(), warm=warm)


def parallel_for(cores: int, memory: int, *, warm: bool = False) -> int:
    """Return the number for a machine with so many cores and bytes of memory."""
    cost = _WARM if warm else _COLD
    return max(1, min(cost.per_core * cores, (memory - cost.base) // cost.bytes, cost.most))


def memory_here(root: Path = _ROOT) -> int:
    """Return the bytes this process may use: the machine's, or fewer where its control groups say so."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    files = ("memory.max", "memory.limit_in_bytes")
    limits = [_read(group / file) for group in _groups(root, "memory") for file in files]
    return min([physical, *(int(limit) for limit in limits if limit.isdigit())])


def cores_here(root: Path = _ROOT) -> int:
    """Return the cores this process may use; a part of one counts as one."""
    present = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min([present, *(quota for group in _groups(root, "cpu") for quota in _quota(group))])


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the control groups this process is in, of either version, up to the outermost.

    In a container the path in /proc may be the host's; the outermost is then the container's.
    """
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            top = mount / controller if controllers else mount
            inside = PurePosixPath(path.lstrip("/"))
            yield from (top / part for part in (inside, *inside.parents))


def _quota(group: Path) -> Iterator[int]:
    """The cores a group may use, rounded up; nothing where it has no quota."""
    old = (group / "cpu.cfs_quota_us", group / "cpu.cfs_period_us")
    words = _read(group / "cpu.max").split() or [_read(file) for file in old]
    if all(word.isdigit() for word in words):
        quota, period = map(int, words)
        yield max(1, -(-quota // period))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""
