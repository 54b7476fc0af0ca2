"""How many shards to work on at once on this machine.

A Terraform with the AWS provider takes about 0.7 GiB and, while it plans, one core; the rest of its
time it waits for AWS. Hence: two shards a core, one shard a GiB of memory, ten at most.
"""

import os

_SHARDS_PER_CORE = 2
_BYTES_PER_SHARD = 2**30
_MOST = 10


def default_parallel() -> int:
    """Return the number for this machine; 1 or more."""
    return parallel_for(os.cpu_count() or 1, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def parallel_for(cores: int, memory: int) -> int:
    """Return the number for a machine with so many cores and bytes of memory."""
    return max(1, min(_SHARDS_PER_CORE * cores, memory // _BYTES_PER_SHARD, _MOST))
