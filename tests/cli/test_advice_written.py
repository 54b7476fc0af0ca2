"""Every command that a message names exists, and every place that gives a next step is known.

`advice_places.json` lists each place that gives a next step for a shard: a new one fails here until it is
entered with the state of the advice harness (tests/terraform/test_advice_harness.py) that shows it, or with
the reason why no state does.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.support.advice_states import STATES
from tests.support.documented_commands import faults

from holdfast_orchestrator.cli import group
from holdfast_orchestrator.deploy.outcome import Outcome

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "orchestrator" / "holdfast_orchestrator"
PLACES = Path(__file__).with_name("advice_places.json")
# It names a command, whose state is not built here; it names none; it passes another place's on.
REASONS = {"command", "words", "handed on"}
# What ends a shard's run begins here; the rest fails before there is one.
OF_SHARDS = (
    "deploy",
    "gate",
    "ownership",
    "preview/ownership.py",
    "record",
    "state",
    "state_admin/restore.py",
    "state_admin/unlock.py",
    "terraform/plan.py",
)
# What follows a command in a sentence: it ends with the words that no command takes.
COMMAND = re.compile(r"holdfast ((?:[a-z]+)\b[^`;,()&<>\n]*)")
# The command that was run, with one more option.
AGAIN = re.compile(r"holdfast … (--[a-z-]+)")
SAMPLES = (
    ("run", "01JD3K4T7Q9ZV5M2X8R6W1B0CE"),
    ("environment", "dev"),
    ("quote", "aws_sqs_queue.q"),
    ("address", "aws_sqs_queue.q"),
)


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the code, with samples for what is put into it, and where it stands."""
    for file in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        joined = (each for each in ast.walk(tree) if isinstance(each, ast.JoinedStr))
        inside = {id(part) for each in joined for part in each.values}
        documentation = set(docstrings(tree))
        for node in ast.walk(tree):
            place = f"{file.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.JoinedStr):
                yield place, "".join(map(sample, node.values))
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in inside | documentation
            ):
                yield place, node.value


def docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            yield id(body[0].value)


def sample(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    source = ast.unparse(part)
    return next((value for name, value in SAMPLES if name in source), "NAME")


def commands() -> list[tuple[str, str]]:
    known = set(group.list_commands(click.Context(group)))
    return [
        (place, found.strip().rstrip(".:"))
        for place, text in texts()
        for found in COMMAND.findall(text)
        if found.split()[0] in known and "state NAME" not in found and not found.endswith(" --")
    ]


def files_of(place: Path) -> Iterator[Path]:
    yield from [place] if place.is_file() else place.rglob("*.py")


def places() -> dict[str, str]:
    """Every place that gives a next step for a shard: where, and what it gives as it is written."""
    found: dict[str, str] = {}
    for file in sorted(file for place in OF_SHARDS for file in files_of(SOURCE / place)):
        module = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
        for owner, step in steps(ast.parse(file.read_text(encoding="utf-8")), ()):
            name = ".".join((module, *owner))
            while name in found:
                name += "+"
            found[name] = step
    return found


def steps(node: ast.AST, owner: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            yield from steps(child, (*owner, child.name))
            continue
        if isinstance(child, ast.keyword) and child.arg == "next_step":
            yield owner, ast.unparse(child.value)
        yield from steps(child, owner)


def again() -> list[tuple[str, str]]:
    return [(place, option) for place, text in texts() for option in AGAIN.findall(text)]


@pytest.mark.parametrize(("place", "option"), again())
def test_every_option_that_a_text_adds_to_the_command_exists(place: str, option: str) -> None:
    having = [
        name
        for name in ("deploy", "destroy", "plan", "adopt", "state restore", "state pull", "runs")
        if not list(faults(f"{name} {option}"))
    ]

    assert having, place


@pytest.mark.parametrize(("place", "command"), commands())
def test_every_command_in_a_text_exists_with_its_options(place: str, command: str) -> None:
    assert list(faults(command)) == [], place


def test_every_place_that_gives_a_next_step_is_known() -> None:
    known = json.loads(PLACES.read_text(encoding="utf-8"))

    assert sorted(places()) == sorted(known), "enter it with the state that shows it, or with a reason"
    unknown = {shown for shown in known.values() if shown not in STATES and shown not in REASONS}
    assert unknown == set()


def test_every_outcome_that_is_not_good_has_a_state_whose_advice_is_followed() -> None:
    shown = {state.outcome for state in STATES.values()}

    assert {outcome for outcome in Outcome if not outcome.is_good} <= shown
    assert {4, 5, 6, 7, 64, 1} <= {state.code for state in STATES.values()}
