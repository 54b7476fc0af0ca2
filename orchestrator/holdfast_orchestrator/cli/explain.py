"""`holdfast explain [STACK]`: each effective value, where it came from, the control it satisfies."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import choosing_options, examples
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast explain orders --env prod",
        "holdfast explain --env prod --weakened",
        "holdfast explain data-prod-eu-west-1 --reasons",
        "holdfast explain --env prod --json",
    )
)
@click.argument("named", metavar="[STACK]", required=False)
@click.option("--weakened", is_flag=True, help="List only what weakens a control.")
@click.option("--reasons", is_flag=True, help="Say what each property is for.")
@choosing_options
@click.pass_obj
def command(runtime: Runtime, /, *, named: str | None, weakened: bool, reasons: bool, **given: Any) -> None:
    """Show every setting and property of stacks: its value, where it came from, the controls it satisfies.

    STACK is the stack's name, or its service. The app is synthesized, so that what is overridden in code is
    seen. A line that begins with ! weakens the controls below it.
    """
    from holdfast_orchestrator.report.explain_text import explain_document, explain_lines  # noqa: PLC0415

    given["stack"] = (*given["stack"], *(() if named is None else (named,)))
    with opened_session(runtime, given) as session:
        with session.reading() as on_event:
            stacks = session.project.explain(session.selection, on_event=on_event)
        session.output.show(
            explain_document(stacks, weakened=weakened),
            explain_lines(
                stacks,
                weakened=weakened,
                reasons=reasons,
                width=session.output.width,
                redacted=runtime.redactor.text,
            ),
        )
