"""`holdfast graph`: which shard waits for which."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import choosing, examples
from holdfast_orchestrator.cli._session import session
from holdfast_orchestrator.report.documents import graph_document
from holdfast_orchestrator.report.graph_text import RENDERINGS
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples("holdfast graph --env prod", "holdfast graph --format mermaid", "holdfast graph --json")
)
@click.option(
    "--format",
    "rendering",
    type=click.Choice(tuple(RENDERINGS)),
    default="text",
    show_default=True,
    help="How to draw it.",
)
@choosing
@click.pass_obj
def command(runtime: Runtime, /, *, rendering: str, **given: Any) -> None:
    """Show the graph of shards: in text, shards with the same number can be deployed at once."""
    with session(runtime, given) as here:
        with here.reading() as on_event:
            graph = here.project.graph(here.selection, on_event=on_event)
        if here.json:
            here.answer(graph_document(graph))
        else:
            here.say(RENDERINGS[rendering](graph).splitlines())
