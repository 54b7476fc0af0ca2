"""`holdfast audit`: read the audit trail and verify it."""

import json
from datetime import datetime
from typing import Any

import click

from holdfast_orchestrator.cli._groups import SuggestingGroup
from holdfast_orchestrator.cli._options import examples, mirrored
from holdfast_orchestrator.cli._records import history_options, opened_history
from holdfast_orchestrator.errors import EXIT_FAILED, EXIT_OK
from holdfast_orchestrator.system.runtime import Runtime

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(
    cls=SuggestingGroup,
    invoke_without_command=True,
    epilog=examples(
        "holdfast audit --env prod --since 2026-11-01",
        "holdfast audit --service orders --outcome rolled_back --output",
        "holdfast audit --actor jane --json",
        "holdfast audit verify",
    ),
)
@click.option("--since", type=_DAY, metavar="YYYY-MM-DD", help="Actions from this day on (UTC).")
@click.option("--until", type=_DAY, metavar="YYYY-MM-DD", help="Actions up to and including this day (UTC).")
@mirrored("--service", metavar="NAME", help="Actions on this service.")
@click.option("--actor", metavar="TEXT", help="Actions of everyone whose name or ARN contains this.")
@click.option(
    "--outcome", metavar="NAME", help="Actions with this outcome: committed, rolled_back, failed and so on."
)
@click.option("--run", metavar="RUN", help="Actions of this run.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many records."
)
@click.option("--output", "with_output", is_flag=True, help="Also show the output of each action (redacted).")
@history_options
@click.pass_context
def command(
    context: click.Context, /, *, since: datetime | None, until: datetime | None, limit: int, **given: Any
) -> None:
    """List the audit trail, newest first; `audit verify` checks that no record is missing or changed."""
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
        output.show_records(
            records_document(records),
            audit_lines(records, with_output=given["with_output"], width=output.width),
        )


@command.command(epilog=examples("holdfast audit verify --env prod", "holdfast audit verify --json"))
@history_options
@click.pass_obj
def verify(runtime: Runtime, /, **given: Any) -> int:
    """Check that no record was deleted, changed or moved. Exits with 1 if one was."""
    from holdfast_orchestrator.report.history_documents import verification_document  # noqa: PLC0415
    from holdfast_orchestrator.report.history_text import verification_lines  # noqa: PLC0415 - when it runs

    with opened_history(runtime, given) as (output, history):
        verified = history.verify_audit()
        output.show(verification_document(verified), verification_lines(verified))
    return EXIT_OK if all(verified.values()) else EXIT_FAILED


@command.command(epilog=examples("holdfast audit athena --state-bucket acme-state --region eu-west-1"))
@history_options
@click.pass_obj
def athena(runtime: Runtime, /, **given: Any) -> None:
    """Print the statement that creates an Athena table of the trail, and an example query."""
    with opened_history(runtime, given) as (_, history):
        for statements in history.athena_statements().values():
            runtime.terminal.out.write(statements)


@command.command(epilog=examples("holdfast audit lifecycle --days 365 > lifecycle.json"))
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="Days to keep records.")
@click.pass_obj
def lifecycle(runtime: Runtime, /, *, days: int) -> None:
    """Print lifecycle rules for the bucket that expire the trail's records after this many days."""
    from holdfast_orchestrator.api.history import audit_lifecycle  # noqa: PLC0415 - when it runs

    runtime.terminal.out.write(json.dumps(audit_lifecycle(days), indent=2) + "\n")
