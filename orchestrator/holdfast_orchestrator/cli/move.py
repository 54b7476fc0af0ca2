"""`holdfast move`: objects from one stack to another."""

from typing import Any

import click

from holdfast_orchestrator.cli._options import app_options, env_option, examples, options, watching_options
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
@click.option("--address", multiple=True, metavar="ADDRESS", help="Move only this object; repeatable.")
@click.option("--yes", is_flag=True, help="Move the objects; without this option nothing is changed.")
@options(env_option, app_options, watching_options)
@click.pass_obj
def command(
    runtime: Runtime, /, *, source: str, target: str, address: tuple[str, ...], yes: bool, **given: Any
) -> None:
    """Move objects from the state of stack FROM to that of stack TO; nothing changes in the cloud.

    Use it for a stack that was renamed (FROM is no longer in the app: all its objects move), and for code
    that was moved to another stack (objects that FROM no longer declares and TO does). The objects keep their
    addresses. Without --yes this is a dry run. Both states are backed up, and written under their leases;
    after a kill, run the same command again. Deploy both stacks afterwards: the plan shows nothing to create
    or destroy.
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
        session.output.show(move_document(moved), move_lines(moved))
