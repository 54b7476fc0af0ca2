"""`holdfast resume`: continue or undo a run whose process died, or that waits for a person."""

from typing import Any

import click

from holdfast_orchestrator.cli._ending import show_result
from holdfast_orchestrator.cli._options import env_option, examples, options, recorded_options
from holdfast_orchestrator.cli._policy import command_line
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast resume 01JD3K4T7Q9ZV5M2X8R6W1B0CE --env prod",
        "holdfast resume 01JD3K4T7Q9ZV5M2X8R6W1B0CE --orphan aws_sqs_queue.audit",
    )
)
@click.argument("run")
@click.option("--continue", "go_on", is_flag=True, help="Try the failed step again (this is the default).")
@click.option("--skip", multiple=True, metavar="ADDRESS", help="Leave this object as it is; repeatable.")
@click.option(
    "--orphan",
    multiple=True,
    metavar="ADDRESS",
    help="Remove this object from the state and leave it in the cloud; repeatable.",
)
@click.option("--accept-forward", is_flag=True, help="Undo nothing; go on with the new version as it is.")
@options(env_option, recorded_options)
@click.pass_obj
def command(runtime: Runtime, /, *, run: str, go_on: bool, **given: Any) -> int:
    """Complete RUN: finish what it began, or roll it back, whatever it was doing when it died.

    Resume works on any machine with the app checked out, and may be repeated; --env names the environments
    whose buckets are searched. For a run that needs a person (exit code 6), give one of the decisions.
    """
    from holdfast_orchestrator import OperatorDecision  # noqa: PLC0415 - only when it runs

    decision = OperatorDecision(
        skip=given["skip"], orphan=given["orphan"], accept_forward=given["accept_forward"]
    )
    if decision.accept_forward and (go_on or decision.skip or decision.orphan):
        raise UsageError("--accept-forward undoes nothing, so it goes with no other decision")
    with opened_session(runtime, given) as session:
        with session.watching() as on_event:
            result = session.project.resume(
                run,
                env=given["env"],
                decision=decision,
                command=command_line(),
                on_event=on_event,
                stop=session.stop,
            )
        return show_result(session.output, result)
