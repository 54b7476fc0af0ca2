"""How many shards to work on at once on this machine.

A Terraform that starts its own AWS provider takes about 0.7 GiB and, while it plans, one core; the rest of
its time it waits for AWS. Hence: two shards a core, one shard a GiB of memory, ten at most. With warm
providers one process of that size serves all, and a Terraform takes 75 MB and a tenth of a core's time:
four shards a core, eight a GiB beyond the first, sixteen at most (AWS counts requests per account).
"""

import os
from dataclasses import dataclass

_GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What one shard takes; `base` is what all of them together take besides, in bytes."""

    per_core: int
    bytes: int
    base: int
    most: int


_COLD = _Cost(per_core=2, bytes=_GIB, base=0, most=10)
_WARM = _Cost(per_core=4, bytes=_GIB // 8, base=_GIB, most=16)


def default_parallel(*, warm: bool = False) -> int:
    """Return the number for this machine; 1 or more."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return parallel_for(os.cpu_count() or 1, memory, warm=warm)


def parallel_for(cores: int, memory: int, *, warm: bool = False) -> int:
    """Return the number for a machine with so many cores and bytes of memory."""
    cost = _WARM if warm else _COLD
    return max(1, min(cost.per_core * cores, (memory - cost.base) // cost.bytes, cost.most))
