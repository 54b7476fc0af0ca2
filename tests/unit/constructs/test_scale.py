from typing import Any

import pytest

from holdfast_constructs.compute.scale import Scale
from holdfast_constructs.errors import ConstructError


def test_a_fixed_number_of_tasks_is_a_scale() -> None:
    scale = Scale(2, 2)

    assert (scale.min_tasks, scale.max_tasks, scale.cpu_percent, scale.requests_per_task) == (2, 2, 60, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_tasks": 0, "max_tasks": 2}, "min_tasks must be 1-5000, got 0"),
        ({"min_tasks": 3, "max_tasks": 2}, r"max_tasks must be 3 \(min_tasks\) to 5000, got 2"),
        ({"min_tasks": 1, "max_tasks": 5001}, "max_tasks must be .* got 5001"),
        ({"min_tasks": 1, "max_tasks": 2, "cpu_percent": 9}, "cpu_percent must be 10-90, got 9"),
        ({"min_tasks": 1, "max_tasks": 2, "cpu_percent": 91}, "cpu_percent must be 10-90, got 91"),
        ({"min_tasks": 1, "max_tasks": 2, "requests_per_task": 0}, "requests_per_task must be at least 1"),
    ],
)
def test_a_scale_that_cannot_be_kept_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        Scale(**arguments)
