"""`holdfast move`: objects from one stack to another."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import (
    env_option,
    events_option,
    examples,
    json_option,
    mirrored,
    options,
    output_option,
    project_option,
    verbose_option,
)
from holdfast_orchestrator.cli._policy import command_line
from holdfast_orchestrator.cli._session import opened_session
from holdfast_orchestrator.system.runtime import Runtime


@click.command(
    epilog=examples(
        "holdfast move core platform --env prod",
        "holdfast move core platform --env prod --yes",
        "holdfast move data reports --env prod --address aws_s3_bucket.reports --yes",
    )
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--address", multiple=True, metavar="ADDRESS", help="Move only this; repeatable.")
@click.option("--yes", is_flag=True, help="Do it; without this nothing is changed.")
@options(
    env_option,
    project_option,
    output_option,
    mirrored("--state-bucket", metavar="NAME", help="State bucket of an app without holdfast.json."),
    mirrored("--region", metavar="NAME", help="Region of such an app and its state bucket."),
    mirrored("--account", metavar="ID", help="Account of such an app.  [default: whoever is calling]"),
    verbose_option,
    events_option,
    json_option,
)
@click.pass_obj
def command(
    runtime: Runtime, /, *, source: str, target: str, address: tuple[str, ...], yes: bool, **given: Any
) -> None:
    """Move objects from stack FROM to stack TO, from state to state: nothing in the cloud changes.

    For a stack that was renamed (FROM is not in the app any more: everything it has moves), and for a part of
    a stack whose code was moved to another (what FROM does not declare any more and TO does). Both keep
    their addresses. It is a dry run unless --yes is given. Both states are backed up, and written under
    their leases; after a kill the same command goes on. Deploy both afterwards: the plan shows nothing to
    create or destroy.
    """
    from holdfast_orchestrator.report.move_documents import move_document, move_lines  # noqa: PLC0415

    with opened_session(runtime, given) as session, session.reading() as on_event:
        moved = session.project.move(
            source,
            target,
            addresses=address,
            env=given["env"],
            yes=yes,
            command=command_line(),
            on_event=on_event,
        )
        if session.output.json:
            session.output.answer(move_document(moved))
        else:
            session.output.say(move_lines(moved))
