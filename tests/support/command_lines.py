"""Holds a written command line against the real one."""

from collections.abc import Iterator

import click

from holdfast_orchestrator.cli import group


def command_faults(written: str) -> Iterator[str]:
    """Say what is wrong with a command line, without its first word."""
    command: click.Command = group
    words = written.replace(",", " ").split()
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        below = command.get_command(click.Context(command), name.partition("\\")[0])
        if below is None:
            yield f"holdfast {written}: no command {name}"
            return
        command = below
    options = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--") and option not in {*options, "--help", "--version"}:
            yield f"holdfast {written}: no option {option}"
