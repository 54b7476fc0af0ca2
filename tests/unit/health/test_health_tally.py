"""What a row of looks comes to: flapping, inconclusive, holding, giving up."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.health.checks import Alarm, AlbTargetsHealthy, BaseCheck
from holdfast_orchestrator.health.observation import Observation, Standing
from holdfast_orchestrator.health.tally import Ended, Result, Tally, judge

SIGNS = {
    "h": Standing.HEALTHY,
    "w": Standing.WAITING,
    "u": Standing.UNHEALTHY,
    "f": Standing.FAILED,
    "?": Standing.UNKNOWN,
    "d": Standing.DENIED,
}


def becoming(**settings: Any) -> BaseCheck:
    return AlbTargetsHealthy(kind="alb_targets_healthy", name="c", target_group_arn="arn", **settings)


def holding(**settings: Any) -> BaseCheck:
    return Alarm(kind="alarm", name="c", alarm="a", **settings)


def ended(check: BaseCheck, looks: str) -> Ended | None:
    """Judge after each sign; the last look is at the window's end where the row ends in `.`."""
    tally, row = Tally(), looks.removesuffix(".")
    for place, sign in enumerate(row):
        tally = tally.after(Observation(SIGNS[sign], f"look {place}"))
        over = looks.endswith(".") and place == len(row) - 1
        if (verdict := judge(check, tally, over=over)) is not None:
            return verdict
    return None


def result(check: BaseCheck, looks: str) -> Result | None:
    verdict = ended(check, looks)
    return None if verdict is None else verdict.result


@pytest.mark.parametrize(
    ("settings", "looks", "expected"),
    [
        ({}, "h", Result.PASSED),
        ({}, "ww", None),
        ({}, "wwh", Result.PASSED),
        ({}, "ww.", Result.FAILED),
        ({"successes": 3}, "hhwhh", None),
        ({"successes": 3}, "hhwhhh", Result.PASSED),
        ({"successes": 3}, "huhuhu.", Result.FAILED),
        ({"successes": 2}, "h?h", Result.PASSED),
        ({"failures": 1}, "u", None),
        ({"failures": 1}, "uu", Result.FAILED),
        ({"failures": 1, "successes": 2}, "uhu", Result.FAILED),
        ({"failures": None}, "uuuuuh", Result.PASSED),
        ({}, "f", Result.FAILED),
        ({}, "??.", Result.FAILED),
        ({"on_inconclusive": "pass"}, "??.", Result.PASSED),
        ({"on_inconclusive": "pass"}, "dd.", Result.PASSED),
        ({"on_inconclusive": "pass"}, "u?.", Result.FAILED),
        ({"on_inconclusive": "pass"}, "w?.", Result.FAILED),
        ({"on_inconclusive": "pass"}, "w.", Result.FAILED),
    ],
)
def test_a_check_that_must_become_healthy(
    settings: dict[str, Any], looks: str, expected: Result | None
) -> None:
    assert result(becoming(**settings), looks) is expected


@pytest.mark.parametrize(
    ("settings", "looks", "expected"),
    [
        ({}, "hhhh", None),
        ({}, "hhhh.", Result.PASSED),
        ({}, "hhu", Result.FAILED),
        ({}, "hh?.", Result.FAILED),
        ({}, "h??h.", Result.PASSED),
        ({"on_inconclusive": "pass"}, "hh?.", Result.PASSED),
        ({"on_inconclusive": "pass"}, "??.", Result.PASSED),
        ({"failures": 1}, "huh.", Result.PASSED),
        ({"failures": 1}, "huhu", Result.FAILED),
        ({"failures": 1, "on_inconclusive": "pass"}, "hu?.", Result.FAILED),
        ({"successes": 2}, "huh.", Result.FAILED),
    ],
)
def test_a_check_that_must_stay_healthy(
    settings: dict[str, Any], looks: str, expected: Result | None
) -> None:
    assert result(holding(**settings), looks) is expected


def test_what_was_seen_last_is_the_reason() -> None:
    verdict = ended(becoming(window=60), "hw".replace("h", "u") + ".")

    assert verdict == Ended(Result.FAILED, "not healthy within 60 s: look 1")


def test_a_check_that_was_never_looked_at_has_not_passed() -> None:
    verdict = judge(becoming(on_inconclusive="pass"), Tally(), over=True)

    assert verdict is not None
    assert verdict.result is Result.FAILED


ROWS = st.text(alphabet=list(SIGNS), min_size=1, max_size=12)


@given(looks=ROWS, successes=st.integers(1, 4), failures=st.none() | st.integers(0, 3), hold=st.booleans())
def test_at_the_end_of_the_window_every_check_is_decided(
    looks: str, successes: int, failures: int | None, *, hold: bool
) -> None:
    make = holding if hold else becoming

    assert result(make(successes=successes, failures=failures), f"{looks}.") is not None


@given(looks=ROWS, successes=st.integers(1, 4), failures=st.none() | st.integers(0, 3), hold=st.booleans())
def test_nothing_passes_that_was_not_seen_healthy_often_enough_in_a_row(
    looks: str, successes: int, failures: int | None, *, hold: bool
) -> None:
    make = holding if hold else becoming

    outcome = result(make(successes=successes, failures=failures), f"{looks}.")

    if outcome is Result.PASSED:
        assert _longest_streak(looks) >= successes
        assert "f" not in _decided_part(looks, make(successes=successes, failures=failures))


@given(looks=ROWS, failures=st.integers(0, 3))
def test_more_failures_than_allowed_never_pass_where_health_must_last(looks: str, failures: int) -> None:
    outcome = result(holding(failures=failures, on_inconclusive="pass"), f"{looks}.")

    assert not (outcome is Result.PASSED and looks.count("u") > failures)


def _longest_streak(looks: str) -> int:
    seen = looks.replace("?", "").replace("d", "")
    return max(len(part) for part in _split(seen))


def _split(seen: str) -> Sequence[str]:
    return "".join(sign if sign == "h" else " " for sign in seen).split(" ")


def _decided_part(looks: str, check: BaseCheck) -> str:
    for length in range(1, len(looks)):
        if result(check, looks[:length]) is not None:
            return looks[:length]
    return looks
