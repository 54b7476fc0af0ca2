"""`holdfast graph`: show which shard depends on which, or who talks to whom."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import choosing_options, examples
from holdfast_orchestrator.cli._session import Session, opened_session
from holdfast_orchestrator.report.documents import graph_document
from holdfast_orchestrator.report.graph_text import RENDERINGS
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast graph --env prod",
        "holdfast graph --format mermaid",
        "holdfast graph --json",
        "holdfast graph --env prod --connections",
    )
)
@click.option(
    "--format",
    "rendering",
    type=click.Choice(tuple(RENDERINGS)),
    default="text",
    show_default=True,
    help="Format of the graph.",
)
@click.option(
    "--connections",
    is_flag=True,
    help="Draw who talks to whom: services, queues, databases and more, with ports and permissions.",
)
@choosing_options
@click.pass_obj
def command(runtime: Runtime, /, *, rendering: str, connections: bool, **given: Any) -> None:
    """Show the graph of shards; in text, shards with the same number can be deployed at the same time.

    With --connections, the blocks inside of the shards; an arrow shows where the data goes.
    """
    with opened_session(runtime, given) as session:
        if connections:
            _show_connections(session, rendering)
            return
        with session.reading() as on_event:
            graph = session.project.graph(session.selection, on_event=on_event)
        session.output.show(graph_document(graph), RENDERINGS[rendering](graph).splitlines())


def _show_connections(session: Session, rendering: str) -> None:
    from holdfast_orchestrator.report import connections_text  # noqa: PLC0415 - when it is asked for

    with session.reading() as on_event:
        connections = session.project.connections(session.selection, on_event=on_event)
    text = connections_text.RENDERINGS[rendering](connections)
    session.output.show(connections_text.connections_document(connections), text.splitlines())
