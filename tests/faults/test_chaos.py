"""Ten cases of the campaign that `make chaos` plays at length, always the same ones."""

from pathlib import Path

import pytest
from tests.faults.lab.campaign import case, play
from tests.faults.lab.world import Lab

SEED = 20261121


@pytest.mark.long
@pytest.mark.parametrize("number", range(10))
def test_whatever_is_killed_a_resume_makes_it_good(lab: Lab, tmp_path: Path, number: int) -> None:
    one = case(SEED, number)

    verdict = play(lab, tmp_path / "world", one)

    assert not verdict.problems, "\n".join([str(one), *verdict.problems, *verdict.story])


def test_a_case_is_worked_out_from_seed_and_number_alone() -> None:
    assert case(SEED, 7) == case(SEED, 7)
    assert len({str(case(SEED, number)) for number in range(50)}) > 40
