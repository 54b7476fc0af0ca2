"""Nothing that a terminal obeys, or that a reader cannot see, gets out: random text through every view."""

import dataclasses
import io
import json
import os
import re
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast_orchestrator import cli, events
from holdfast_orchestrator.cli._listeners import EventFile
from holdfast_orchestrator.deploy.outcome import Outcome, RunResult, ShardResult
from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.events import Emitter, Event, RunStarted
from holdfast_orchestrator.plan.document import Action, PlanDocument, ResourceChange
from holdfast_orchestrator.plan.result import Plan, ShardPlan
from holdfast_orchestrator.report.ending import ending_lines
from holdfast_orchestrator.report.lines import Lines
from holdfast_orchestrator.report.markdown import plan_comment
from holdfast_orchestrator.report.plan_text import plan_lines
from holdfast_orchestrator.report.table import LiveTable
from holdfast_orchestrator.system.redaction import Redactor
from holdfast_orchestrator.system.visible import json_text, visible
from holdfast_orchestrator.testing import RefusingClock, captured_terminal, refusing_runtime

NAMED = [
    *map(chr, [*range(9), *range(11, 32), 127, *range(128, 160)]),
    *"\u061c\u200e\u200f\ufeff\u2028\u2029",
]
NAMED += [chr(number) for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xD800, 0xE0041)]
OBEYED = set(NAMED)
# What rich itself writes to redraw a table.
OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")

hostile = st.text(st.one_of(st.sampled_from(NAMED), st.sampled_from("ab <`|\n\t")), min_size=1, max_size=12)


class Noon(RefusingClock):
    def now(self) -> datetime:
        return datetime(2026, 11, 30, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


def obeyed(text: str) -> set[str]:
    return OBEYED & set(text)


@pytest.mark.parametrize("sign", NAMED)
def test_each_is_shown_as_an_escape(sign: str) -> None:
    shown = visible(f"a{sign}b")

    assert shown.startswith("a\\")
    assert shown.endswith("b")
    assert shown.isprintable()


@given(st.text())
def test_text_is_safe_and_stays_so(text: str) -> None:
    shown = visible(text)

    assert not obeyed(shown)
    assert visible(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert visible(f"one\n\t{text}") == f"one\n\t{text}"


@given(st.recursive(st.text() | hostile | st.none(), lambda inner: st.dictionaries(st.text(), inner)))
def test_a_json_document_is_safe_to_look_at_and_the_same_data(document: Any) -> None:
    assert json.loads(json_text(document)) == document
    assert not obeyed(json_text(document, indent=2))


@given(hostile)
def test_the_redactor_gives_text_for_people_and_data_for_programs(text: str) -> None:
    redactor = Redactor()

    assert not obeyed(redactor.text(text))
    assert redactor.value({text: [text]}) == {text: [text]}


def every_event(text: str) -> Iterator[Event]:
    """One event of each kind, with `text` wherever text can stand."""
    yield RunStarted(shard=text, **_filled(RunStarted, text))
    for kind in Event.__subclasses__():
        yield kind(**{"shard": text, **_filled(kind, text)})


def _filled(kind: type[Event], text: str) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, vars(events))
    names = [one.name for one in dataclasses.fields(kind) if one.name not in {"at", "shard"}]
    return {name: _value(str(hints[name]), text, name) for name in names}


def _value(hint: str, text: str, name: str) -> Any:
    if "dict" in hint:
        return {}
    if "tuple" in hint:
        return (text,)
    if "float" in hint or "int" in hint:
        return 1
    return "done" if name == "state" else text


@given(hostile)
@settings(max_examples=25, deadline=None)
def test_every_event_is_safe_in_every_view(text: str) -> None:
    lines, file = io.StringIO(), os.memfd_create("events")
    terminal = captured_terminal(is_tty=True)
    events_file = EventFile(file, Path("events.jsonl"))
    with LiveTable(terminal, Noon(), verbose=True) as table:
        emit = Emitter(Noon(), Redactor(), Lines(lines, verbose=True), events_file, table)
        for event in every_event(text):
            emit(event)

    assert not obeyed(lines.getvalue())
    written = os.pread(file, 1 << 20, 0).decode()
    events_file.close()
    assert written
    assert not obeyed(written)
    assert not obeyed(OWN.sub("", terminal.out.getvalue()))  # type: ignore[attr-defined]


@given(hostile)
@settings(max_examples=50, deadline=None)
def test_plans_and_endings_are_safe(text: str) -> None:
    change = ResourceChange(
        address=text, type=text, action=Action.REPLACE, before={text: text}, after={text: [text, "1"]}
    )
    document = PlanDocument(changes=(change,), outputs=(text,))
    planned = ShardPlan(shard=text, label=text, configuration_sha256="", document=document)
    failed = ShardPlan(shard="f", label=text, configuration_sha256="", failure=text)
    plan = Plan(run=text, shards=(planned, failed), environments=(text,))
    shard = ShardResult(
        shard=text, label=text, outcome=Outcome.FAILED, reason=text, next_step=text, evidence=(text,)
    )
    result = RunResult(run=text, verb="deploy", shards=(shard,))
    seen = Redactor().text

    for lines in (plan_lines(plan), ending_lines(result), [plan_comment(plan)]):
        assert not obeyed(seen("\n".join(lines)))


@given(hostile)
@settings(max_examples=25, deadline=None)
def test_errors_and_reports_of_defects_are_safe(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("defect")
    runtime = refusing_runtime(clock=Noon(), cache=folder, terminal=captured_terminal())

    for error in (HoldfastError(text, next_step=text), UsageError(text), ValueError(text)):
        cli._report(error, ["deploy", text], runtime)
    cli.invoke([f"no-such-{text}"], runtime)

    assert not obeyed(runtime.terminal.err.getvalue())  # type: ignore[attr-defined]
    (report,) = (folder / "reports").iterdir()
    assert not obeyed(report.read_text())


def test_a_report_of_a_defect_has_no_values_of_variables(tmp_path: Path) -> None:
    runtime = refusing_runtime(clock=Noon(), cache=tmp_path, terminal=captured_terminal())

    cli._report(ValueError("odd"), ["deploy", "--var", "a=canary", "--var=b=canary"], runtime)

    (report,) = (tmp_path / "reports").iterdir()
    assert "deploy --var a=(hidden) --var=b=(hidden)" in report.read_text()
    assert "canary" not in report.read_text() + runtime.terminal.err.getvalue()  # type: ignore[attr-defined]


def test_every_line_of_a_command_passes_the_door() -> None:
    """What is written in `cli` is redacted text, JSON made safe, or a constant."""
    source = Path(cli.__file__).parent
    doors = ("redactor.text(", "seen(", "json_text(", "report_defect(", 'runtime.terminal.err.write("')
    # A state goes out as it is, for a program; paths of the caller's own; ASCII.
    raw = (
        'content.decode(errors="surrogateescape")',
        "{out} holds the state",
        "write(statements)",
        "audit_lifecycle(days)",
    )
    for file in sorted(source.glob("*.py")):
        unsafe = [
            line
            for line in file.read_text().splitlines()
            if re.search(r"(terminal\.(out|err)|self\.talk)\.write\(", line)
            and not any(door in line for door in (*doors, *raw))
            and "{text}" not in line
        ]
        assert not unsafe, f"{file.name}: {unsafe}"
