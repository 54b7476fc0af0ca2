"""What is seen and heard while a run is on its way: on a terminal, and in the log of a CI job."""

import io
from dataclasses import replace
from datetime import timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.events import (
    Event,
    ResourceProgress,
    RunStarted,
    ShardFinished,
    ShardPlanned,
    ShardStep,
    SynthStarted,
)
from holdfast_orchestrator.report.lines import HEARTBEAT_SECONDS, Folds, Lines, LogStyle
from holdfast_orchestrator.report.rows import Rows, clock_text
from holdfast_orchestrator.report.table import LiveTable
from holdfast_orchestrator.report.wording import cut_middle
from holdfast_orchestrator.testing import FrozenClock, captured_terminal

STARTED = RunStarted(
    run="01JRUN",
    verb="deploy",
    shards=("network-dev", "data-dev", "orders-dev"),
    labels=("network", "data", "orders"),
    environments=("dev",),
    accounts=("123456789012",),
    regions=("eu-west-1",),
    waits_for=((), ("network-dev",), ("network-dev", "data-dev")),
)
LONG = "aws_s3_bucket_lifecycle_configuration.gateway_access-logs_lifecycle_CB5BAEB7"


def progress(address: str, state: str = "done", action: str = "create", seconds: float = 3) -> Event:
    return ResourceProgress(shard="network-dev", address=address, action=action, state=state, seconds=seconds)


def applying(clock: FrozenClock) -> tuple[Event, ...]:
    """A run whose first shard has made two of its five objects."""
    told = (
        STARTED,
        ShardStep(shard="network-dev", step="planning"),
        ShardPlanned(shard="network-dev", added=3, changed=1, destroyed=1),
        ShardStep(shard="network-dev", step="applying"),
        progress("data.aws_region.here", action="read"),
        progress("aws_vpc.main"),
        progress("aws_subnet.a"),
        progress(LONG, state="running", seconds=30),
    )
    return tuple(replace(event, at=clock.now()) for event in told)


def test_a_row_tells_what_it_waits_for_until_that_has_ended() -> None:
    rows = Rows()
    for event in applying(FrozenClock()):
        rows.take(event)
    assert list(rows.by_shard["orders-dev"].waits_for) == ["network", "data"]

    rows.take(ShardFinished(shard="network-dev", outcome="committed", summary=""))

    assert list(rows.by_shard["orders-dev"].waits_for) == ["data"]
    assert rows.ended == 1


def test_only_what_the_apply_has_changed_is_counted() -> None:
    rows, clock = Rows(), FrozenClock()
    for event in applying(clock):
        rows.take(event)
    clock.sleep(75)

    assert rows.by_shard["network-dev"].running(clock.now()) == "2/5  1:15"


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_never_wraps_and_never_jumps(width: int) -> None:
    clock = FrozenClock()
    terminal = captured_terminal(is_tty=True, width=width)
    table = LiveTable(terminal, clock)
    out: io.StringIO = terminal.out  # type: ignore[assignment]
    columns = set()
    for event in applying(clock):
        table(event)
        clock.sleep(7)
        out.seek(0)
        out.truncate()
        table._console.print(table._screen())
        lines = click.unstyle(out.getvalue()).splitlines()
        assert len(lines) == 2 + len(STARTED.shards)
        assert all(len(line) <= width for line in lines)
        columns.add((lines[3].index("waiting"), lines[3].index("for network")))
    assert len(columns) == 1


def test_the_screen_tells_progress_times_and_what_is_waited_for() -> None:
    clock = FrozenClock()
    terminal = captured_terminal(is_tty=True, width=100)
    table = LiveTable(terminal, clock)
    for event in applying(clock):
        table(event)
    clock.sleep(90)

    table._console.print(table._screen())

    shown = terminal.out.getvalue()  # type: ignore[attr-defined]
    assert "run 01JRUN · 1:30 · 0 of 3 ended" in shown
    assert "2/5  1:30" in shown
    assert "for network, data" in shown
    assert "CB5BAEB7 (30 s)" in shown
    assert "…" in shown


def test_an_app_that_failed_is_synthesizing_no_more() -> None:
    terminal = captured_terminal(is_tty=True, width=100)
    with LiveTable(terminal, FrozenClock()) as table:
        table(SynthStarted(app="python main.py"))
        table._console.print(table._screen())
        assert "synthesizing: python main.py" in terminal.out.getvalue()  # type: ignore[attr-defined]

    out: io.StringIO = terminal.out  # type: ignore[assignment]
    out.seek(0)
    out.truncate()
    table._console.print(table._screen())
    assert "synthesizing" not in out.getvalue()


def test_with_more_shards_than_lines_those_at_work_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "10")
    names = tuple(f"s{number}" for number in range(40))
    terminal = captured_terminal(is_tty=True, width=100)
    table = LiveTable(terminal, FrozenClock())
    table(replace(STARTED, shards=names, labels=names, waits_for=()))
    for name in names[:20]:
        table(ShardFinished(shard=name, outcome="committed", summary=""))
    table(ShardStep(shard="s30", step="applying"))
    table(ShardFinished(shard="s31", outcome="failed", summary="it broke"))

    table._console.print(table._screen())

    lines = terminal.out.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) <= 10
    assert any("s30" in line for line in lines)
    assert any("it broke" in line for line in lines)
    assert "committed" in lines[-1]


@given(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=200), st.integers(1, 100))
def test_what_is_cut_keeps_its_ends_and_its_width(text: str, width: int) -> None:
    shown = cut_middle(text, width)

    assert len(shown) <= width
    assert shown == text or ("…" in shown and text.startswith(shown.partition("…")[0]))
    assert shown == text or text.endswith(shown.partition("…")[2])


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (7.9, "0:07"), (750, "12:30"), (3723, "1:02:03"), (-1, "0:00")]
)
def test_a_duration_reads_like_a_clock(seconds: float, shown: str) -> None:
    assert clock_text(seconds) == shown


def test_silence_is_broken_by_what_is_being_worked_on() -> None:
    out, clock = io.StringIO(), FrozenClock()
    lines = Lines(out, clock=clock)
    for event in applying(clock):
        lines(event)
    lines.beat()
    assert len(out.getvalue().splitlines()) == 1

    clock.sleep(HEARTBEAT_SECONDS)
    lines.beat()
    lines.beat()

    (_, beat) = out.getvalue().splitlines()
    assert beat == f"0 of 3 ended after 0:20; network applying 2/5: {LONG} (30 s); 2 waiting"


def test_a_synth_that_takes_long_is_told_too() -> None:
    out, clock = io.StringIO(), FrozenClock()
    lines = Lines(out, clock=clock)
    lines(SynthStarted(app="python main.py"))
    clock.sleep(HEARTBEAT_SECONDS)

    lines.beat()

    assert out.getvalue() == "still synthesizing: python main.py\n"


def test_the_heartbeat_comes_by_itself_and_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast_orchestrator.report.lines._LOOK_SECONDS", 0.01)
    out, clock = io.StringIO(), FrozenClock()
    with Lines(out, clock=clock) as lines:
        clock.sleep(HEARTBEAT_SECONDS)
        while not out.getvalue():
            pass
    clock.sleep(HEARTBEAT_SECONDS)
    lines._over.wait(0.1)

    assert out.getvalue() == "still at work\n"


def test_each_line_of_a_ci_log_has_its_time_and_no_line_is_a_command() -> None:
    out, clock = io.StringIO(), FrozenClock()
    lines = Lines(out, clock=clock, style=LogStyle(stamped=True))
    lines(STARTED)
    clock.sleep(timedelta(hours=1, seconds=2).total_seconds())
    detail = ("::add-mask::x", "two\n::error::lines")

    lines(ShardFinished(shard="network-dev", outcome="failed", summary="broke\n::stop", detail=detail))

    told = out.getvalue().splitlines()
    assert told[0].startswith("00:00:00 dev")
    assert all(line.startswith("01:00:02 ") for line in told[1:])


@pytest.mark.parametrize(
    ("environ", "first", "last"),
    [
        ({"GITHUB_ACTIONS": "true"}, "::group::network: 3 objects", "::endgroup::"),
        (
            {"GITLAB_CI": "true"},
            "\x1b[0Ksection_start:1767225600:holdfast_network[collapsed=true]\r\x1b[0Knetwork: 3 objects",
            "\x1b[0Ksection_end:1767225600:holdfast_network\r\x1b[0K",
        ),
    ],
)
def test_a_ci_folds_the_objects_of_a_shard(environ: dict[str, str], first: str, last: str) -> None:
    out, clock = io.StringIO(), FrozenClock()
    lines = Lines(out, clock=clock, style=LogStyle(folds=Folds.of(environ)))
    for event in (*applying(clock), progress("aws_eip.a", state="failed")):
        lines(event)

    lines(ShardFinished(shard="network-dev", outcome="failed", summary="it broke"))

    told = out.getvalue().split("\n")
    assert told[1].startswith("  network  ✘ failed")
    assert told[2] == first
    assert told[3:6] == [
        "    create aws_vpc.main (3 s)",
        "    create aws_subnet.a (3 s)",
        "    create aws_eip.a FAILED (3 s)",
    ]
    assert last in told


def test_elsewhere_nothing_is_folded() -> None:
    assert Folds.of({"CI": "true"}) is None
