"""Text for people is wrapped without cutting a word or a command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.report.wording import wrapped

WORDS = st.lists(st.text(st.sampled_from("abc-/_."), min_size=1, max_size=12), min_size=1, max_size=40)


def test_later_lines_stand_below_the_text_of_the_first() -> None:
    line = "  why     the rollout failed (0 of 1 tasks of storefront); last good deploy re-applied"

    assert wrapped(line, 48).split("\n") == [
        "  why     the rollout failed (0 of 1 tasks of",
        "          storefront); last good deploy",
        "          re-applied",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "short",
        "  next    correct the cause, then: holdfast deploy --env local --stack storefront-local-eu-west-1",
    ],
)
def test_what_fits_and_a_command_stay_as_they_are(line: str) -> None:
    assert wrapped(line, 40) == line


@given(WORDS, st.integers(20, 120))
def test_no_word_is_cut_or_lost(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width).split("\n")

    assert " ".join(lines).split() == words
    assert all(len(line) <= width for line in lines if len(line.split()) > 1)
