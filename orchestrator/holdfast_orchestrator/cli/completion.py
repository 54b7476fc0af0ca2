"""`holdfast completion SHELL`: the script that lets a shell complete commands and options."""

from typing import TYPE_CHECKING

import click
from click.shell_completion import ShellComplete, get_completion_class

from holdfast_orchestrator.cli._options import examples
from holdfast_orchestrator.cli._output import Output

if TYPE_CHECKING:
    from holdfast_orchestrator.system.runtime import Runtime

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_HOLDFAST_COMPLETE"


@click.command(
    epilog=examples(
        "holdfast completion bash >> ~/.bashrc",
        "holdfast completion zsh >> ~/.zshrc",
        "holdfast completion fish > ~/.config/fish/completions/holdfast.fish",
    )
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(ctx: click.Context, /, *, shell: str) -> None:
    """Print the completion script of a shell, to be read when the shell starts."""
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"click cannot complete in {shell}")
    runtime: Runtime = ctx.obj
    script = ShellComplete.source(completion(ctx.find_root().command, {}, "holdfast", _VARIABLE))
    Output(runtime, json=False).say(script.splitlines())
