"""`holdfast runs`: list what was deployed, when, by whom, and how it ended."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import examples
from holdfast_orchestrator.cli._records import history_options, opened_history
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast runs",
        "holdfast runs --env prod --limit 50",
        "holdfast runs --state-bucket acme-state --region eu-west-1 --json",
    )
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Show at most this many runs.",
)
@history_options
@click.pass_obj
def command(runtime: Runtime, /, *, limit: int, **given: Any) -> None:
    """List runs, newest first, from any machine that may read the state bucket."""
    from holdfast_orchestrator.report.history_documents import runs_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.history_text import runs_lines  # noqa: PLC0415

    with opened_history(runtime, given) as (output, history):
        records = history.runs(env=given["env"], limit=limit)
        output.show_records(runs_document(records), runs_lines(records, width=output.width))
