"""`holdfast runs`: what was deployed, when, by whom, and how it ended."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator.cli._history import History, history, reading, table
from holdfast_orchestrator.cli._options import examples, options
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.record.runs import RunRecord


@click.command(
    epilog=examples(
        "holdfast runs",
        "holdfast runs --env prod --limit 50",
        "holdfast runs --state-bucket acme-state --region eu-west-1 --json",
    )
)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many.")
@options(reading)
@click.pass_obj
def command(runtime: Runtime, /, *, limit: int, **given: Any) -> None:
    """List runs, newest first, from any machine that may read the state bucket."""
    with history(runtime, given) as here:
        found = _newest(here, limit, given["env"])
        if here.json:
            from holdfast_orchestrator.report.history_documents import runs_document  # noqa: PLC0415

            here.answer(runs_document(found))
        else:
            here.say(_table(found))


def _newest(here: History, limit: int, environments: Sequence[str]) -> "list[RunRecord]":
    from holdfast_orchestrator.record.runs import newest_runs  # noqa: PLC0415 - only when it runs

    now = here.runtime.clock.now()
    # A run that spans several buckets is recorded in each.
    found = {
        record.run: record
        for place in here.places
        for environment in environments or (None,)
        for record in newest_runs(place.store, now=now, limit=limit, environment=environment)
    }
    return [found[run] for run in sorted(found, reverse=True)[:limit]]


def _table(found: "Sequence[RunRecord]") -> Iterator[str]:
    if not found:
        yield "no runs yet"
        return
    heading = ("RUN", "STARTED", "STATUS", "ENVIRONMENT", "SHARDS", "BY", "COMMAND")
    rows = [
        (
            record.run,
            f"{record.started:%Y-%m-%d %H:%M:%S}Z",
            record.status,
            record.environment,
            str(len(record.shards)),
            str(record.actor),
            record.command,
        )
        for record in found
    ]
    yield from table([heading, *rows])
