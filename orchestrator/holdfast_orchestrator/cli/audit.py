"""`holdfast audit`: who did what; and whether the trail is whole."""

import json
from datetime import datetime
from typing import Any

import click

from holdfast_orchestrator.cli._options import examples, mirrored, options
from holdfast_orchestrator.cli._records import about_history, opened_history
from holdfast_orchestrator.errors import EXIT_FAILED, EXIT_OK
from holdfast_orchestrator.system.runtime import Runtime

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "holdfast audit --env prod --since 2026-11-01",
        "holdfast audit --service orders --outcome rolled_back --output",
        "holdfast audit --actor jane --json",
        "holdfast audit verify",
    ),
)
@click.option("--since", type=_DAY, metavar="YYYY-MM-DD", help="From this day on (UTC).")
@click.option("--until", type=_DAY, metavar="YYYY-MM-DD", help="Up to this day, it included (UTC).")
@mirrored("--service", metavar="NAME", help="Actions on this service.")
@click.option("--actor", metavar="TEXT", help="Actions of whoever has this in their name or ARN.")
@click.option("--outcome", metavar="NAME", help="committed, rolled_back, failed and so on.")
@click.option("--run", metavar="RUN", help="Actions of this run.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--output", "with_output", is_flag=True, help="Also what was shown at the time (redacted).")
@options(about_history)
@click.pass_context
def command(
    context: click.Context, /, *, since: datetime | None, until: datetime | None, limit: int, **given: Any
) -> None:
    """Read the audit trail, newest first; `audit verify` checks that it is whole."""
    if context.invoked_subcommand is not None:
        return
    from holdfast_orchestrator import AuditFilter  # noqa: PLC0415 - when it runs
    from holdfast_orchestrator.report.history_documents import records_document  # noqa: PLC0415
    from holdfast_orchestrator.report.history_text import audit_lines  # noqa: PLC0415

    wanted = AuditFilter(
        since=None if since is None else since.date(),
        until=None if until is None else until.date(),
        service=given["service"],
        actor=given["actor"],
        outcome=given["outcome"],
        run=given["run"],
    )
    with opened_history(context.find_root().obj, given) as (output, history):
        records = history.audit(wanted, env=given["env"], limit=limit)
        if output.json:
            output.answer(records_document(records))
        else:
            output.say(audit_lines(records, with_output=given["with_output"]))


@command.command(epilog=examples("holdfast audit verify --env prod", "holdfast audit verify --json"))
@options(about_history)
@click.pass_obj
def verify(runtime: Runtime, /, **given: Any) -> int:
    """Check that no record was deleted, changed or moved. Ends with 1 where one was."""
    from holdfast_orchestrator.report.history_documents import verification_document  # noqa: PLC0415
    from holdfast_orchestrator.report.history_text import verification_lines  # noqa: PLC0415 - when it runs

    with opened_history(runtime, given) as (output, history):
        verified = history.verify_audit()
        if output.json:
            output.answer(verification_document(verified))
        else:
            output.say(verification_lines(verified))
    return EXIT_OK if all(verified.values()) else EXIT_FAILED


@command.command(epilog=examples("holdfast audit athena --state-bucket acme-state --region eu-west-1"))
@options(about_history)
@click.pass_obj
def athena(runtime: Runtime, /, **given: Any) -> None:
    """Print the statement that makes an Athena table of the trail, and an example query."""
    with opened_history(runtime, given) as (_, history):
        for statements in history.athena_statements().values():
            runtime.terminal.out.write(statements)


@command.command(epilog=examples("holdfast audit lifecycle --days 365 > lifecycle.json"))
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="Days to keep records.")
@click.pass_obj
def lifecycle(runtime: Runtime, /, *, days: int) -> None:
    """Print the bucket's lifecycle rules that end the trail's records after so many days."""
    from holdfast_orchestrator.api.history import audit_lifecycle  # noqa: PLC0415 - when it runs

    runtime.terminal.out.write(json.dumps(audit_lifecycle(days), indent=2) + "\n")
