"""Writes the `--help` text of every command to docs/cli.md; `--check` only reports whether the page is stale.

The part between the markers is generated; people write the rest.
"""

import argparse
import sys
from pathlib import Path

import click

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
BEGIN, END = "<!-- commands -->\n", "<!-- /commands -->\n"
WIDTH = 100


def commands() -> str:
    """Return a section for each command, those of groups too."""
    from holdfast_orchestrator.cli import group  # noqa: PLC0415

    return "\n".join(_sections(group, click.Context(group, info_name="holdfast", max_content_width=WIDTH)))


def _sections(command: click.Command, context: click.Context) -> list[str]:
    context.terminal_width = WIDTH
    sections = [f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                sections += _sections(below, click.Context(below, info_name=name, parent=context))
    return sections


def page(text: str) -> str:
    """Return the page with its generated part made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{commands()}\n{END}{after}"


def main() -> int:
    """Write or check the page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is stale")
    now = PAGE.read_text(encoding="utf-8")
    if parser.parse_args().check:
        if page(now) == now:
            return 0
        print("docs/cli.md is stale; run `make schema`", file=sys.stderr)
        return 1
    PAGE.write_text(page(now), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
