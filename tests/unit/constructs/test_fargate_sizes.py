import pytest

from holdfast_constructs.compute._fargate_sizes import FARGATE_SIZES, check_fargate_size
from holdfast_constructs.compute.scale import Size
from holdfast_constructs.errors import ConstructError


def test_the_table_has_the_pairs_of_the_fargate_page() -> None:
    counts = {cpu: (sizes[0], sizes[-1], len(sizes)) for cpu, sizes in FARGATE_SIZES.items()}

    assert counts == {
        256: (512, 2048, 3),
        512: (1024, 4096, 4),
        1024: (2048, 8192, 7),
        2048: (4096, 16384, 13),
        4096: (8192, 30720, 23),
        8192: (16384, 61440, 12),
        16384: (32768, 122880, 12),
    }


@pytest.mark.parametrize(
    ("cpu", "memory"), [(cpu, size) for cpu, sizes in FARGATE_SIZES.items() for size in sizes]
)
def test_every_pair_of_the_table_is_a_size(cpu: int, memory: int) -> None:
    size = Size(cpu, memory)

    assert (size.cpu, size.memory) == (cpu, memory)


def test_an_unknown_cpu_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(ConstructError, match=r"cpu must be one of 256, 512, 1024, .* got 300"):
        check_fargate_size(300, 1024)


def test_memory_that_goes_with_another_cpu_is_refused_with_that_cpu() -> None:
    with pytest.raises(ConstructError) as refused:
        check_fargate_size(256, 8192)

    assert str(refused.value) == (
        "memory must be 512, 1024 or 2048 MiB with cpu 256, got 8192; "
        "8192 MiB goes with cpu 1024 or 2048 or 4096"
    )


def test_memory_that_goes_with_no_cpu_is_refused_with_the_steps() -> None:
    with pytest.raises(ConstructError) as refused:
        check_fargate_size(512, 1000)

    assert str(refused.value) == "memory must be 1024-4096 in steps of 1024 MiB with cpu 512, got 1000"
