"""`holdfast list`: list the shards of the app."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from holdfast_orchestrator import Shard
from holdfast_orchestrator.cli._options import choosing_options, examples, options, since_option
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.report.documents import list_document
from holdfast_orchestrator.report.wording import columns
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast list", "holdfast list --env prod --service orders", "holdfast list --changed-since main"
    )
)
@options(choosing_options, since_option)
@click.pass_obj
def command(runtime: Runtime, /, **given: Any) -> None:
    """List shards with the key of their state and the shards they depend on.

    The app is synthesized only where the output folder lacks a shard that was chosen.
    """
    with opened_session(runtime, given) as session:
        with session.reading() as on_event:
            shards = session.project.list(session.selection, on_event=on_event)
        session.output.show(list_document(shards), _table(shards, session.output.width))


def _table(shards: Sequence[Shard], width: int | None) -> Iterator[str]:
    has_tenants = any(shard.tenant is not None for shard in shards)
    rows = [("SHARD", *(("TENANT",) if has_tenants else ()), "STATE KEY", "DEPENDS ON")]
    for shard in shards:
        tenant = ("-" if shard.tenant is None else shard.tenant.name,) if has_tenants else ()
        rows.append((shard.name, *tenant, shard.state.key, ", ".join(shard.depends_on) or "-"))
    return columns(rows, width=width, cut=("STATE KEY", "DEPENDS ON"))
