"""`holdfast graph`: show which shard depends on which."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import choosing_options, examples
from holdfast_orchestrator.cli._session import opened_session
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
    help="Format of the graph.",
)
@choosing_options
@click.pass_obj
def command(runtime: Runtime, /, *, rendering: str, **given: Any) -> None:
    """Show the graph of shards; in text, shards with the same number can be deployed at the same time."""
    with opened_session(runtime, given) as session:
        with session.reading() as on_event:
            graph = session.project.graph(session.selection, on_event=on_event)
        session.output.show(graph_document(graph), RENDERINGS[rendering](graph).splitlines())
