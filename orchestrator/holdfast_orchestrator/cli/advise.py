"""`holdfast advise`: which shards to split, and which to merge."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import choosing, examples, options
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast advise --env prod",
        "holdfast advise --stack network-prod-eu-west-1 --steps",
        "holdfast advise --env prod --json",
    )
)
@click.option("--steps", is_flag=True, help="Also the exact steps that carry each advice out.")
@options(choosing)
@click.pass_obj
def command(runtime: Runtime, /, *, steps: bool, **given: Any) -> None:
    """Say which shards to split or merge, what that would bring, and how it is done without losing anything.

    From the synthesized configurations, the states, and the records of earlier runs. Changes nothing: the
    steps are for a person. Reads what was synthesized last; synthesizes only where that lacks what is asked
    for.
    """
    from holdfast_orchestrator.report.advice_documents import advise_document  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.advice_text import advice_lines  # noqa: PLC0415

    with opened_session(runtime, given) as session:
        with session.reading() as on_event:
            advice = session.project.advise(session.selection, on_event=on_event)
        if session.output.json:
            session.output.answer(advise_document(advice))
        else:
            session.output.say(advice_lines(advice, steps=steps))
