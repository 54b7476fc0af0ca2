"""`holdfast show RUN`: show one run, shard by shard, from its record and its journals."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import examples
from holdfast_orchestrator.cli._records import history_options, opened_history
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast show 01JD6ZT3V9M2B8Q4K7X5N1C0RG",
        "holdfast show 01JD6ZT3V9M2B8Q4K7X5N1C0RG --json",
    )
)
@click.argument("run")
@history_options
@click.pass_obj
def command(runtime: Runtime, /, *, run: str, **given: Any) -> None:
    """Show a run: who started it, how each shard ended, and the last step in each journal."""
    from holdfast_orchestrator.api.history import run_name  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.history_documents import show_document  # noqa: PLC0415
    from holdfast_orchestrator.report.history_text import run_lines  # noqa: PLC0415

    name = run_name(run)
    with opened_history(runtime, given) as (output, history):
        recorded = history.run(name)
        output.show_records(
            show_document(recorded.record, recorded.journals),
            run_lines(recorded.record, recorded.journals, width=output.width),
        )
