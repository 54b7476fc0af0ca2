"""`holdfast init`: a new project."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast_orchestrator.cli._options import examples, json_option
from holdfast_orchestrator.cli._output import Output

if TYPE_CHECKING:
    from holdfast_orchestrator.system.runtime import Runtime


@click.command(name="init", epilog=examples("holdfast init shop", "holdfast init ."))
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def command(runtime: "Runtime", *, folder: Path, as_json: bool) -> None:
    """Write a new project: stacks, environments `local` and `prod`, tests, a CI workflow.

    Its name is that of the folder, which is made where it is missing. Nothing is overwritten: where one
    of the files exists already, nothing is written. What is written can be tested, and deployed to the
    local cloud, as it is.
    """
    from holdfast_orchestrator.api.new import init_project  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.cli.new import say_written  # noqa: PLC0415 - the same

    output = Output(runtime, json=as_json)
    with output.errors():
        say_written(output, init_project(folder, runtime=runtime))
