"""Text for people is wrapped without cutting a word or a command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.report.wording import columns, wrapped

WORDS = st.lists(st.text(st.sampled_from("abc-/_."), min_size=1, max_size=12), min_size=1, max_size=40)


def test_later_lines_stand_below_the_text_of_the_first() -> None:
    line = "  why     the rollout failed (0 of 1 tasks of storefront); last good deploy re-applied"

    assert wrapped(line, 48).split("\n") == [
        "  why     the rollout failed (0 of 1 tasks of",
        "          storefront); last good deploy",
        "          re-applied",
    ]


@pytest.mark.parametrize(
    "line", ["short", "  next    then: holdfast deploy --stack 'a b' --env local --var-file settings.tfvars"]
)
def test_what_fits_and_what_a_shell_would_read_otherwise_stay_as_they_are(line: str) -> None:
    assert wrapped(line, 40) == line


def test_a_command_goes_on_in_the_next_line_as_a_shell_reads_it() -> None:
    line = (
        "  next    correct the cause, then: holdfast deploy --env local --stack web-local-eu-west-1; or wait"
    )

    assert wrapped(line, 48).split("\n") == [
        "  next    correct the cause, then: holdfast \\",
        "          deploy --env local --stack \\",
        "          web-local-eu-west-1; or wait",
    ]


def test_a_run_keeps_its_name_beside_it() -> None:
    line = "1 shard: 1 rolled back · 2 objects put back · run 01M8PV0MK09EWFM15GV18T7912"

    assert wrapped(line, 60).split("\n")[-1].strip() == "run 01M8PV0MK09EWFM15GV18T7912"


@given(WORDS, st.integers(20, 120))
def test_no_word_is_cut_or_lost(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width).split("\n")

    assert " ".join(lines).split() == words
    assert all(len(line) <= width for line in lines if len(line.split()) > 1)


TABLE = [
    ("RUN", "BY", "COMMAND"),
    ("01M8PV0MK09EWFM15GV18T7912", "jane-of-the-platform-team@laptop", "holdfast deploy --env local --yes"),
    ("01M8PTZTZSV4WQRE2TZQGVWBW5", "joe@laptop", ""),
]


def test_a_table_that_fits_stays_on_one_line_a_row() -> None:
    assert list(columns(TABLE)) == list(columns(TABLE, width=100, cut=("BY",)))
    assert len(list(columns(TABLE))) == len(TABLE)


def test_cells_that_may_be_cut_give_way_first() -> None:
    lines = list(columns(TABLE, width=80, cut=("BY",)))

    assert len(lines) == len(TABLE)
    assert max(map(len, lines)) == 80
    assert "…" in lines[1]
    assert all(run in lines[1] for run in (TABLE[1][0], TABLE[1][2]))


def test_the_last_columns_go_below_where_cutting_is_not_enough() -> None:
    assert list(columns(TABLE, width=64, cut=("BY",))) == [
        "RUN                         BY",
        "    COMMAND",
        "01M8PV0MK09EWFM15GV18T7912  jane-of-the-platform-team@laptop",
        "    holdfast deploy --env local --yes",
        "01M8PTZTZSV4WQRE2TZQGVWBW5  joe@laptop",
    ]


def test_a_cell_that_may_be_cut_is_wrapped_where_it_has_a_line_to_itself() -> None:
    lines = list(
        columns([("SHARD", "DEPENDS ON"), ("a" * 20, "one, two, three, four")], width=20, cut={"DEPENDS ON"})
    )

    assert lines == ["SHARD", "    DEPENDS ON", "a" * 20, "    one, two, three,", "    four"]


CELLS = st.text(st.sampled_from("abc-/_. "), max_size=30).map(str.strip)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5), st.integers(34, 120))
def test_every_cell_is_in_the_table_whole_or_cut(rows: list[tuple[str, str, str]], width: int) -> None:
    lines = list(columns([("ONE", "TWO", "THREE"), *rows], width=width, cut=("TWO",)))

    assert all(len(line) <= width for line in lines)
    text = "\n".join(lines)
    assert all(cell in text for row in rows for cell in (row[0], row[2]))
