"""Statistics, metric math, evaluation and rules of alarms, by the tables of CloudWatch's documentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.local.alarms.evaluation import Condition, state
from holdfast_orchestrator.local.alarms.expression import Metrics, parse
from holdfast_orchestrator.local.alarms.functions import ExpressionError, NotEvaluatedError
from holdfast_orchestrator.local.alarms.rule import RuleError, parse_rule
from holdfast_orchestrator.local.alarms.statistics import (
    Samples,
    UnknownStatisticError,
    few_samples,
    statistic,
)

# "0" is within the threshold, "X" breaches it, "-" is missing; the oldest point stands first.
POINTS = {"0": 0.0, "X": 2.0, "-": None}
INSUFFICIENT = "INSUFFICIENT_DATA"


# User Guide, "How alarm state is evaluated when data is missing": 3 of 3, then 2 of 3.
@pytest.mark.parametrize(
    ("points", "needed", "states"),
    [
        ("0-X-X", 3, ("OK", "OK", "OK", "OK")),
        ("0----", 3, ("OK", "OK", "OK", "OK")),
        ("-----", 3, (INSUFFICIENT, None, "ALARM", "OK")),
        ("0XX-X", 3, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("--X--", 3, ("ALARM", None, "ALARM", "OK")),
        ("0-X-X", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("00X0X", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0-X--", 2, ("OK", "OK", "ALARM", "OK")),
        ("----0", 2, ("OK", "OK", "ALARM", "OK")),
        ("---X-", 2, ("ALARM", None, "ALARM", "OK")),
    ],
)
def test_missing_data_as_in_the_tables_of_the_documentation(
    points: str, needed: int, states: tuple[str | None, ...]
) -> None:
    wanted = dict(zip(("missing", "ignore", "breaching", "notBreaching"), states, strict=True))

    got = {
        how: state(Condition("GreaterThanThreshold", 1, 3, needed, how), [POINTS[point] for point in points])
        for how in wanted
    }

    assert got == wanted


@given(st.lists(st.floats(-10, 10), min_size=5, max_size=5), st.integers(1, 5))
def test_without_missing_data_m_of_n_decide_whatever_is_done_with_missing_data(
    points: list[float], needed: int
) -> None:
    breaching = sum(point > 1 for point in points)

    for how in ("missing", "ignore", "breaching", "notBreaching"):
        got = state(Condition("GreaterThanThreshold", 1, 5, needed, how), points)
        assert got == ("ALARM" if breaching >= needed else "OK")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Average", 50.5),
        ("Sum", 5050),
        ("Minimum", 1),
        ("Maximum", 100),
        ("SampleCount", 100),
        ("p95", 95),
        ("p99.9", 100),
        ("PR(:40)", 40),
        ("PR(40:60)", 20),
        ("PR(90:)", 10),
        ("tm90", 45.5),
        ("TM(10%:90%)", 50.5),
        ("TM(:10)", 5.5),
        ("IQM", 50.5),
        ("TC(:10)", 10),
        ("TS(:3)", 6),
        ("WM(:50%)", 37.75),
    ],
)
def test_a_statistic_of_the_numbers_from_one_to_a_hundred(name: str, value: float) -> None:
    assert statistic(name, [Samples.of(float(one)) for one in range(1, 101)]) == pytest.approx(value)


@pytest.mark.parametrize("name", ["", "average", "p101", "PR(1%:2%)", "TM(:)", "XX(1:2)"])
def test_a_statistic_cloudwatch_does_not_have_is_an_error(name: str) -> None:
    with pytest.raises(UnknownStatisticError, match="no statistic"):
        statistic(name, [])


def test_a_summary_of_different_values_has_a_sum_and_no_percentile() -> None:
    summary = [Samples(4, 10, 1, 4)]

    assert [statistic(name, summary) for name in ("Sum", "Average", "p95")] == [10, 2.5, None]


@pytest.mark.parametrize(("name", "enough"), [("p95", 200), ("p99", 1000), ("p50", 20), ("p10", 100)])
def test_a_percentile_of_few_samples_is_weak(name: str, enough: int) -> None:
    assert few_samples(name, enough - 1)
    assert not few_samples(name, enough)
    assert not few_samples("Average", 1)


METRICS = Metrics({"a": (1.0, 2.0, None, 4.0), "b": (10.0, None, None, 0.0)}, 60, 4)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("a + b", (11, None, None, 4)),
        ("a / b", (0.1, None, None, None)),
        ("FILL(b, 0) + 1", (11, 1, 1, 1)),
        ("FILL(a, REPEAT)", (1, 2, 2, 4)),
        ("FILL(a, LINEAR)", (1, 2, 3, 4)),
        ("-a ^ 2 * 3", (-3, -12, None, -48)),
        ("2 + 3 * 4 - 6 / 2", (11, 11, 11, 11)),
        ("IF(a > 1, 100, b)", (10, 100, None, 100)),
        ("IF(a > 1, a)", (None, 2, None, 4)),
        ("IF(a >= 2 AND b != 0 || a == 1, 1, 0)", (1, None, None, 0)),
        ("MAX([a, b])", (10, 2, None, 4)),
        ("MIN(METRICS())", (1, 2, None, 0)),
        ("SUM([FILL(a, 0), 1])", (2, 3, 1, 5)),
        ("MAX(a)", (4, 4, 4, 4)),
        ("AVG(a) * DATAPOINT_COUNT(a)", (7, 7, 7, 7)),
        ("RATE(a)", (None, 1 / 60, None, None)),
        ("a * PERIOD(a)", (60, 120, None, 240)),
        ("CEIL(a / 3)", (1, 1, None, 2)),
    ],
)
def test_metric_math(text: str, points: tuple[float | None, ...]) -> None:
    assert parse(text).series(METRICS) == tuple(None if p is None else pytest.approx(p) for p in points)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("NOPE(a)", "NOPE"),
        ("a +", "too early"),
        ("(a", "too early"),
        ("a b", "'b'"),
        ("Upper", "lowercase"),
        ("FILL(a)", "2 to 2"),
        ("__import__('os')", "__imp"),
        ("a.b", ".b"),
    ],
)
def test_an_expression_cloudwatch_refuses_is_an_error_that_names_it(text: str, named: str) -> None:
    with pytest.raises(ExpressionError, match=named):
        parse(text)


@pytest.mark.parametrize("text", ["ANOMALY_DETECTION_BAND(a, 2)", "SELECT AVG(x) FROM y", "SEARCH('x', 'y')"])
def test_an_expression_that_is_only_missing_here_is_an_error_of_its_own(text: str) -> None:
    with pytest.raises(NotEvaluatedError):
        parse(text)


STATES = {"a": "ALARM", "o": "OK", "i": "INSUFFICIENT_DATA", "two words": "ALARM"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ALARM(a)", True),
        ('ALARM("two words") AND OK(o)', True),
        ("ALARM(a) OR ALARM(o) AND FALSE", True),
        ("(ALARM(a) OR ALARM(o)) AND FALSE", False),
        ("NOT ALARM(a) OR INSUFFICIENT_DATA(i)", True),
        ("NOT (TRUE AND OK(o))", False),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:a)", True),
        ("ALARM(gone)", False),
    ],
)
def test_the_rule_of_a_composite_alarm(text: str, *, holds: bool) -> None:
    assert parse_rule(text).holds(STATES.get) is holds


@pytest.mark.parametrize(
    "text", ["", "ALARM(a) AND", "ALARM(a) XOR OK(o)", "(ALARM(a)", "ALARM(a) OK(o)", ")"]
)
def test_a_rule_cloudwatch_refuses_is_an_error(text: str) -> None:
    with pytest.raises(RuleError):
        parse_rule(text)
