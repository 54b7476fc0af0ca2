"""Command lines on pages and in messages, held against the real command line."""

from collections.abc import Iterator

import click

from holdfast_orchestrator.cli import group


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
