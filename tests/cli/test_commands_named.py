"""The commands that the table of commands and the messages name exist."""

import ast
import importlib
import re
from pathlib import Path

from holdfast_orchestrator import cli

OWN = ("synth", "list", "graph", "plan", "deploy", "destroy")
SOURCE = Path(cli.__file__).parent.parent


def test_the_table_of_commands_is_true() -> None:
    for name, (module, help_line) in cli.COMMANDS.items():
        if name in OWN:
            assert importlib.import_module(f"holdfast_orchestrator.cli.{module}").command is not None
        assert help_line.endswith(".")


def commands_named(tree: ast.AST) -> set[str]:
    """The words after `holdfast` in what errors say is to be done next, and in what a run tells."""
    texts = (
        one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )
    return {word for text in texts for word in re.findall(r"(?:^|[`(:] ?)holdfast ([a-z]+)\b", text)}


def test_every_command_that_a_message_names_exists() -> None:
    named = {word for path in SOURCE.rglob("*.py") for word in commands_named(ast.parse(path.read_text()))}

    assert named <= set(cli.COMMANDS)
    assert {"resume", "plan", "state"} <= named


def test_what_a_message_says_to_do_next_has_no_gaps_to_fill_in() -> None:
    given = (
        part.value
        for path in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.keyword) and call.arg == "next_step"
        for part in ast.walk(call.value)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )

    assert [text for text in given if re.search(r"holdfast .*\b(RUN|SHARD)\b", text)] == []
