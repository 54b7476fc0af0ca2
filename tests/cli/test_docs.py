"""The documented command line is the real one."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from holdfast_orchestrator.cli import group

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")))
WRITTEN = re.compile(r"(?:^ {4}|^\$ |`|&& |run: )holdfast ([a-z][^`#|&]*)", re.MULTILINE)


def test_the_page_of_commands_says_what_help_says() -> None:
    done = subprocess.run(
        [sys.executable, "tools/cli_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    text = page.read_text(encoding="utf-8").partition("<!-- commands -->")[0]

    assert [fault for written in WRITTEN.findall(text) for fault in faults(written.splitlines()[0])] == []


def faults(written: str) -> Iterator[str]:
    """What is wrong with a command line, without its first word."""
    command: click.Command = group
    words = written.replace(",", " ").split()
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(click.Context(command), name.partition("\\")[0])
        if found is None:
            yield f"holdfast {written}: no command {name}"
            return
        command = found
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--") and option not in {*known, "--help", "--version"}:
            yield f"holdfast {written}: no option {option}"
