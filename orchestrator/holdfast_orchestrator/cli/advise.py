"""`holdfast advise`: which shards to split, and which to merge."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import choosing_options, examples
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast advise --env prod",
        "holdfast advise --stack network-prod-eu-west-1 --steps",
        "holdfast advise --env prod --json",
    )
)
@click.option("--steps", is_flag=True, help="Also show the exact steps of each advice.")
@choosing_options
@click.pass_obj
def command(runtime: Runtime, /, *, steps: bool, **given: Any) -> None:
    """Show which shards to split or merge, what that would improve, and how to do it without any loss.

    The advice comes from the synthesized configurations, the states, and the records of earlier runs. Nothing
    is changed: a person carries out the steps. The app is synthesized only where the output folder lacks a
    shard that was chosen.
    """
    from holdfast_orchestrator.report.advice_documents import advise_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.advice_text import advice_lines  # noqa: PLC0415

    with opened_session(runtime, given) as session:
        with session.reading() as on_event:
            advice = session.project.advise(session.selection, on_event=on_event)
        session.output.show(advise_document(advice), advice_lines(advice, steps=steps))
