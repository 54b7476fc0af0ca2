"""How many shards at once a machine bears."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.system.capacity import cores_here, default_parallel, memory_here, parallel_for

GIB = 2**30


@pytest.mark.parametrize(
    ("cores", "gib", "cold", "warm"),
    [(1, 1, 1, 1), (2, 4, 4, 8), (2, 24, 4, 8), (8, 4, 4, 12), (64, 256, 10, 16), (4, 2, 2, 4)],
)
def test_cores_and_memory_bound_it(cores: int, gib: int, cold: int, warm: int) -> None:
    assert parallel_for(cores, gib * GIB) == cold
    assert parallel_for(cores, gib * GIB, warm=True) == warm


@given(st.integers(1, 256), st.integers(0, 2**42), st.booleans())
def test_there_is_always_one_and_never_too_many(cores: int, memory: int, warm: bool) -> None:  # noqa: FBT001
    assert 1 <= parallel_for(cores, memory, warm=warm) <= 16


def test_this_machine_bears_something() -> None:
    assert default_parallel() >= 1


GROUPS = "sys/fs/cgroup"
OWN = "proc/self/cgroup"


def machine(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    "files",
    [
        # A container with groups of its own, a service below one that is limited, and the same in version 1.
        {OWN: "0::/", f"{GROUPS}/memory.max": "1048576", f"{GROUPS}/cpu.max": "50000 100000"},
        {
            OWN: "0::/system.slice/deploy.service",
            f"{GROUPS}/system.slice/deploy.service/memory.max": "max",
            f"{GROUPS}/system.slice/deploy.service/cpu.max": "max 100000",
            f"{GROUPS}/system.slice/memory.max": "1048576",
            f"{GROUPS}/system.slice/cpu.max": "100000 100000",
        },
        {
            OWN: "9:memory:/ci/job\n5:cpu,cpuacct:/ci/job\n0::/",
            f"{GROUPS}/memory/ci/job/memory.limit_in_bytes": "1048576",
            f"{GROUPS}/cpu/ci/job/cpu.cfs_quota_us": "100000",
            f"{GROUPS}/cpu/ci/job/cpu.cfs_period_us": "100000",
        },
        {
            OWN: "9:memory:/docker/3f\n5:cpu:/docker/3f",
            f"{GROUPS}/memory/memory.limit_in_bytes": "1048576",
            f"{GROUPS}/cpu/cpu.cfs_quota_us": "99999",
            f"{GROUPS}/cpu/cpu.cfs_period_us": "100000",
        },
    ],
)
def test_what_a_control_group_allows_bounds_what_the_machine_has(
    tmp_path: Path, files: Mapping[str, str]
) -> None:
    root = machine(tmp_path, files)

    assert memory_here(root) == 1048576
    assert cores_here(root) == 1


@pytest.mark.parametrize(
    "files",
    [
        {},
        {OWN: "0::/", f"{GROUPS}/memory.max": "max", f"{GROUPS}/cpu.max": "max 100000"},
        {
            OWN: "9:memory:/\n5:cpu:/",
            f"{GROUPS}/memory/memory.limit_in_bytes": "9223372036854771712",
            f"{GROUPS}/cpu/cpu.cfs_quota_us": "-1",
            f"{GROUPS}/cpu/cpu.cfs_period_us": "100000",
        },
    ],
)
def test_without_a_limit_the_machine_is_what_it_is(tmp_path: Path, files: Mapping[str, str]) -> None:
    root = machine(tmp_path, files)

    assert memory_here(root) == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 1 <= cores_here(root) <= (os.cpu_count() or 1)
