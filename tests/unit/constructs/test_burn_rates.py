"""When the burn-rate alarms of an objective fire and recover, against the SRE workbook's own formulas.

For a constant share of bad requests a window fires when bad x elapsed / window > factor x budget. It ends
when bad x (window - since the end) / window <= factor x budget. Both are worked out here, from nothing of the
code under test but the objective.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.alarm_simulation import Simulated, Traffic, changes
from tests.support.observed import BALANCER, GROUP

from holdfast_constructs import Slo
from holdfast_constructs.observability.metrics import metrics_of
from holdfast_constructs.observability.slo import BURN_RATES, BurnAlarm, burn_alarms, minimum_requests

DAYS = 24 * 60
MONTH = 30 * DAYS
BUDGET = Fraction(1, 1000)
# The workbook's table 5-8: factor, long and short window in minutes.
WORKBOOK = (
    (Fraction("14.4"), 60, 5),
    (Fraction(6), 360, 30),
    (Fraction(3), 1440, 120),
    (Fraction(1), 4320, 360),
)


START = 4 * DAYS
PER_MINUTE = 10_000


@dataclass(frozen=True)
class Incident:
    """Bad requests of each 10,000 from the fifth day on, for some minutes.

    `expected` are the minutes after its beginning at which each pair of the workbook fires and recovers.
    """

    name: str
    bad: int
    minutes: int
    expected: tuple[tuple[int, int] | None, ...]


# By hand: a pair fires floor(factor x budget x long / bad) minutes after the beginning, the minute of the
# beginning being 0, and recovers ceil(short - 1 - factor x budget x short / bad) minutes after the end.
INCIDENTS = (
    # Everything fails: the long windows need 0.864, 2.16, 4.32 and 4.32 minutes.
    Incident("outage", 10_000, 20, ((0, 24), (2, 49), (4, 139), (4, 379))),
    # 2.5 %: 34.56, 86.4, 172.8 and 172.8 minutes.
    Incident("bad release", 250, 180, ((34, 182), (86, 202), (172, 285), (172, 525))),
    # 0.7 % is less than 14.4 times 0.1 %; then 308.6, 617.1 and 617.1 minutes.
    Incident("slow burn", 70, 2 * DAYS, (None, (308, 2884), (617, 2948), (617, 3188))),
    # 0.17 %: only the slowest pair, after 2541.2 minutes.
    Incident("creeping", 17, 5 * DAYS, (None, None, None, (2541, 7348))),
    # One minute of 5 %: no long window has seen enough.
    Incident("blip", 500, 1, (None, None, None, None)),
)


def _alarms(slo: Slo, **given: bool) -> list[BurnAlarm]:
    options: dict[str, Any] = {"load_balancer": BALANCER, "target_group": GROUP, "own_load_balancer": False}
    return list(burn_alarms(slo, **{**options, "minimum_errors": 5} | given))


def _pairs(slo: Slo) -> Iterator[tuple[Simulated, Simulated]]:
    alarms = _alarms(slo)
    for long, short in zip(alarms[::2], alarms[1::2], strict=True):
        assert (long.rate, long.window, short.window) == (short.rate, "long", "short")
        yield Simulated(long.when), Simulated(short.when)


def _fired(slo: Slo, traffic: Traffic, first: int = 0) -> list[list[tuple[int, bool]]]:
    """The changes of each pair, in minutes after `first`."""
    found = []
    for long, short in _pairs(slo):
        both = [
            (long.evaluate(traffic, minute) == "ALARM") & (short.evaluate(traffic, minute) == "ALARM")
            for minute in range(first, traffic.minutes)
        ]
        found.append(changes(both))
    return found


def _bad_requests(bad: int, minutes: int, length: int) -> list[int]:
    return [bad if START <= minute < START + minutes else 0 for minute in range(length)]


def test_the_windows_are_those_of_the_workbook() -> None:
    rates = [
        (Fraction(str(each.factor)), each.long_seconds // 60, each.short_seconds // 60) for each in BURN_RATES
    ]

    assert tuple(rates) == WORKBOOK
    assert [round(each.budget_percent, 6) for each in BURN_RATES] == [2, 5, 10, 10]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda each: each.name)
def test_each_pair_fires_and_recovers_in_the_minute_that_the_workbook_says(incident: Incident) -> None:
    # The longest one is looked at for all of the 30 days, the others until each window has forgotten them.
    length = MONTH if incident.minutes > 3 * DAYS else START + incident.minutes + 3 * DAYS
    errors = _bad_requests(incident.bad, incident.minutes, length)
    traffic = Traffic([PER_MINUTE] * length, errors)

    fired = _fired(Slo(availability=99.9), traffic)

    assert fired == [
        [] if pair is None else [(START + pair[0], True), (START + pair[1], False)]
        for pair in incident.expected
    ]


def _by_formula(bad: Fraction, minutes: int, pair: tuple[Fraction, int, int]) -> list[tuple[int, bool]]:
    factor, long, short = pair
    fires = floor(factor * BUDGET * long / bad)
    if bad <= factor * BUDGET or fires >= minutes:
        return []
    return [(fires, True), (minutes + ceil(short - 1 - factor * BUDGET * short / bad), False)]


# Shares that end in a 3 make no product with a budget a whole number, where rounding would decide.
@settings(max_examples=10)
@given(bad=st.integers(0, 899).map(lambda share: 10 * share + 3), minutes=st.integers(1, 600))
def test_any_constant_share_of_errors_fires_by_the_formula(bad: int, minutes: int) -> None:
    length = START + minutes + 400
    traffic = Traffic([PER_MINUTE] * length, _bad_requests(bad, minutes, length))

    fired = _fired(Slo(availability=99.9), traffic, START)

    share = Fraction(bad, PER_MINUTE)
    assert fired == [_by_formula(share, minutes, pair) for pair in WORKBOOK]


def test_slow_answers_spend_the_budget_of_latency_and_no_other() -> None:
    length = START + 600
    slow = _bad_requests(9000, 60, length)
    traffic = Traffic([PER_MINUTE] * length, [0] * length, slow)

    fired = _fired(Slo(availability=99.9, latency_ms=400, percentile=95), traffic, START)

    # 14.4 x 0.05 x 60 / 0.9 = 48 minutes are just not enough, and 14.4 x 0.05 x 5 / 0.9 = 4 of the short one.
    assert fired[:4] == [[], [], [], []]
    assert fired[4] == [(48, True), (60, False)]
    assert fired[5:] == [[], [], []]


@settings(max_examples=5)
@given(share=st.integers(1, 100), every=st.integers(2, 30))
def test_low_traffic_never_pages_however_much_of_it_fails(share: int, every: int) -> None:
    requests = [1 if minute % every == 0 else 0 for minute in range(2 * DAYS)]
    errors = [each if 37 * minute % 100 < share else 0 for minute, each in enumerate(requests)]

    fired = _fired(Slo(availability=99.9), Traffic(requests, errors), DAYS)

    # At most 30 requests in an hour and 180 in six: 348 and 834 would have to be there.
    assert fired[:2] == [[], []]


@pytest.mark.parametrize(
    ("factor", "long", "short"), [(14.4, 348, 29), (6, 834, 70), (3, 1667, 139), (1, 5000, 417)]
)
def test_a_window_asks_for_as_many_requests_as_make_five_errors(factor: float, long: int, short: int) -> None:
    [rate] = [each for each in BURN_RATES if each.factor == factor]

    assert minimum_requests(0.001, rate, "long", 5) == long
    assert minimum_requests(0.001, rate, "short", 5) == short


def test_a_load_balancer_of_its_own_counts_what_it_answers_itself() -> None:
    shared, own = _alarms(Slo())[0], _alarms(Slo(), own_load_balancer=True)[0]

    names = [{metric.name for metric in metrics_of(each.when.signal)} for each in (shared, own)]

    assert names[1] - names[0] == {"HTTPCode_ELB_5XX_Count"}
    refused = [each for each in metrics_of(own.when.signal) if each.name == "HTTPCode_ELB_5XX_Count"]
    # CloudWatch has no such metric of a target group.
    assert [set(each.dimensions) for each in refused] == [{"LoadBalancer"}]
