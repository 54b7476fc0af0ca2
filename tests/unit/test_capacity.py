"""How many shards at once a machine bears."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.capacity import default_parallel, parallel_for

GIB = 2**30


@pytest.mark.parametrize(
    ("cores", "gib", "cold", "warm"),
    [(1, 1, 1, 1), (2, 4, 4, 8), (2, 24, 4, 8), (8, 4, 4, 16), (64, 256, 10, 16), (4, 2, 2, 8)],
)
def test_cores_and_memory_bound_it(cores: int, gib: int, cold: int, warm: int) -> None:
    assert parallel_for(cores, gib * GIB) == cold
    assert parallel_for(cores, gib * GIB, warm=True) == warm


@given(st.integers(1, 256), st.integers(0, 2**42), st.booleans())
def test_there_is_always_one_and_never_too_many(cores: int, memory: int, warm: bool) -> None:  # noqa: FBT001
    assert 1 <= parallel_for(cores, memory, warm=warm) <= 16


def test_this_machine_bears_something() -> None:
    assert default_parallel() >= 1
