"""The command line: a thin layer over the automation API.

`COMMANDS` is the table of commands. A command's module is imported when the command runs or shows its help,
so that `holdfast --help` is fast. Each module `cli/<name>.py` has a `command`. Only `main` turns errors into
text and an exit code.
"""

import io
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from holdfast_orchestrator.cli._groups import SuggestingGroup
from holdfast_orchestrator.errors import (
    EXIT_DEFECT,
    EXIT_OK,
    HoldfastError,
    InterruptedSafelyError,
    MachineError,
    UsageError,
)

if TYPE_CHECKING:
    from holdfast_orchestrator.system.runtime import Runtime

# A module called `list` would, once imported, hide the builtin in this package.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init", "A new project: stacks, environments, tests, CI."),
    "new": ("new", "One more service or environment of a project."),
    "bootstrap": ("bootstrap", "Make what an account needs first: state bucket, roles for the CI."),
    "synth": ("synth", "Synthesize the app: cdktf.out and holdfast.json."),
    "list": (
        "list_shards",
        "List shards with state key, service, environment, account, region, dependencies.",
    ),
    "graph": ("graph", "Show which shard depends on which: text, Mermaid or DOT."),
    "explain": ("explain", "Show each property of a stack, where it came from, its controls."),
    "ci": ("ci", "List shards as CI jobs, wave after wave."),
    "plan": ("plan", "Show what a deploy would change."),
    "deploy": ("deploy", "Plan, gate, back up and apply, shard by shard."),
    "resume": ("resume", "Continue or undo a run whose process died."),
    "rollback": ("rollback", "Apply an earlier good deployment again."),
    "destroy": ("destroy", "Take shards down, dependents first."),
    "runs": ("runs", "List what was deployed, newest first, from any machine."),
    "show": ("show", "Show one run: who, when, how each shard ended."),
    "output": ("output", "Show the outputs of the last good deploy: URLs, names, ids."),
    "advise": ("advise", "Show which shards to split or merge, and how."),
    "audit": ("audit", "List, filter and verify every recorded action."),
    "state": ("state", "Repair a state by hand: backups, pull, restore, unlock."),
    "move": ("move", "Move objects between stacks: renamed, split, merged."),
    "adopt": ("adopt", "Take over a state that another tool keeps: a file, an S3 key, a pulled state."),
    "doctor": ("doctor", "Show what is missing, and the command that repairs it."),
    "local": ("local", "Run the local cloud: up, down, status, reset."),
    "completion": ("completion", "Print the completion script of bash, zsh or fish."),
}

_EPILOG = """\b
Examples:
  holdfast local up
  holdfast deploy --env local
  holdfast plan --env prod --markdown comment.md

\b
Exit codes: 0 done · 1 failed · 2 changes found (--detailed-exitcode) · 3 a defect
in Holdfast · 4 stopped by a gate · 5 failed and rolled back · 6 needs a person ·
7 someone else is at work · 64 wrong usage · 130 interrupted, safely
"""


class LazyGroup(SuggestingGroup):
    """A group whose commands are imported when they are needed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the command line for the records."""
        ctx.meta["holdfast.argv"] = tuple(args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; None for one that does not exist."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"holdfast_orchestrator.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the lines of the table, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, name="holdfast", epilog=_EPILOG, context_settings={"max_content_width": 100})
@click.version_option(package_name="holdfast")
def group() -> None:
    """Deploy cdktf apps in Python: every service in every environment with a state of its own."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line of this process; return its exit code."""
    from holdfast_orchestrator.cli._interrupts import (  # noqa: PLC0415 - once a process
        ignore_signals,
        interrupt_at_signals,
    )
    from holdfast_orchestrator.cli._streams import keep_streams_open  # noqa: PLC0415 - once a process
    from holdfast_orchestrator.system.garbage import collect_seldom  # noqa: PLC0415 - once a process
    from holdfast_orchestrator.system.runtime import real_runtime  # noqa: PLC0415 - after click has loaded

    collect_seldom()
    keep_streams_open()
    interrupt_at_signals()
    code = invoke(sys.argv[1:] if argv is None else argv, real_runtime())
    ignore_signals()
    return code


def invoke(argv: Sequence[str], runtime: "Runtime") -> int:
    """Run one command line with this runtime; return its exit code."""
    try:
        answer = group.main(args=list(argv), prog_name="holdfast", standalone_mode=False, obj=runtime)
        return answer if isinstance(answer, int) else EXIT_OK
    except (KeyboardInterrupt, click.Abort):
        runtime.terminal.err.write("\ninterrupted; nothing was being changed\n")
        return InterruptedSafelyError.exit_code
    except Exception as error:  # noqa: BLE001 - the one catcher
        return _report(error, argv, runtime)


def _report(error: Exception, argv: Sequence[str], runtime: "Runtime") -> int:
    match error:
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), file=runtime.terminal.out)
            return EXIT_OK
        case click.ClickException():
            shown = io.StringIO()
            error.show(file=shown)
            runtime.terminal.err.write(runtime.redactor.text(shown.getvalue()))
            return UsageError.exit_code
        case HoldfastError():
            return _refuse(error, runtime)
        case _ if (refused := MachineError.behind(error)) is not None:
            return _refuse(refused, runtime)
        case _:
            from holdfast_orchestrator.cli._variables import without_values  # noqa: PLC0415 - hardly ever
            from holdfast_orchestrator.report.defect import report_defect  # noqa: PLC0415 - hardly ever

            runtime.terminal.err.write(report_defect(error, without_values(argv), runtime) + "\n")
            return EXIT_DEFECT


def _refuse(error: HoldfastError, runtime: "Runtime") -> int:
    from holdfast_orchestrator.cli._output import Output  # noqa: PLC0415 - only for an error

    return Output(runtime, json=False).refuse(error)
