"""`holdfast audit`: who did what; and whether the trail is whole."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator.cli._history import History, Place, history, reading, table
from holdfast_orchestrator.cli._options import examples, mirrored, options
from holdfast_orchestrator.errors import EXIT_FAILED, EXIT_OK
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.record.audit.entry import AuditRecord
    from holdfast_orchestrator.record.audit.verify import Verification

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
@options(reading)
@click.pass_context
def command(
    context: click.Context, /, *, since: datetime | None, until: datetime | None, limit: int, **given: Any
) -> None:
    """Read the audit trail, newest first; `audit verify` checks that it is whole."""
    if context.invoked_subcommand is not None:
        return
    from holdfast_orchestrator.record.audit.trail import AuditFilter, read_audit  # noqa: PLC0415 - when it runs

    environments = given["env"] or (None,)
    with history(context.find_root().obj, given) as here:
        filters = [
            AuditFilter(
                since=None if since is None else since.date(),
                until=None if until is None else until.date(),
                service=given["service"],
                environment=environment,
                actor=given["actor"],
                outcome=given["outcome"],
                run=given["run"],
            )
            for environment in environments
        ]
        found = {
            (place.bucket, record.n): record
            for place in here.places
            for wanted in filters
            for record in read_audit(place.store, wanted, limit=limit)
        }
        newest = sorted(found.values(), key=lambda record: record.action.at, reverse=True)
        _show(here, list(islice(newest, limit)), with_output=given["with_output"])


@command.command(epilog=examples("holdfast audit verify --env prod", "holdfast audit verify --json"))
@options(reading)
@click.pass_obj
def verify(runtime: Runtime, /, **given: Any) -> int:
    """Check that no record was deleted, changed or moved. Ends with 1 where one was."""
    from holdfast_orchestrator.record.audit.verify import verify_audit  # noqa: PLC0415 - only when it runs

    with history(runtime, given) as here:
        checked = [(place, verify_audit(place.store, clock=runtime.clock)) for place in here.places]
        if here.json:
            from holdfast_orchestrator.report.history_documents import verification_document  # noqa: PLC0415

            here.answer(verification_document({place.bucket: found for place, found in checked}))
        else:
            here.say(line for place, found in checked for line in _checked_lines(place, found))
    return EXIT_OK if all(found for _, found in checked) else EXIT_FAILED


@command.command(epilog=examples("holdfast audit athena --state-bucket acme-state --region eu-west-1"))
@options(reading)
@click.pass_obj
def athena(runtime: Runtime, /, **given: Any) -> None:
    """Print the statement that makes an Athena table of the trail, and an example query."""
    from holdfast_orchestrator.record.audit.athena import example_query, table_ddl  # noqa: PLC0415

    with history(runtime, given) as here:
        for place in here.places:
            runtime.terminal.out.write(f"{table_ddl(place.bucket)};\n\n{example_query()};\n")


@command.command(epilog=examples("holdfast audit lifecycle --days 365 > lifecycle.json"))
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="Days to keep records.")
@click.pass_obj
def lifecycle(runtime: Runtime, /, *, days: int) -> None:
    """Print the bucket's lifecycle rules that end the trail's records after so many days."""
    import json  # noqa: PLC0415

    from holdfast_orchestrator.record.audit.athena import lifecycle as rules  # noqa: PLC0415

    runtime.terminal.out.write(json.dumps(rules(days), indent=2) + "\n")


def _show(here: History, records: "list[AuditRecord]", *, with_output: bool) -> None:
    if here.json:
        from holdfast_orchestrator.report.history_documents import records_document  # noqa: PLC0415 - for one

        here.answer(records_document(records))
    elif with_output:
        here.say(line for record in records for line in (*_one(record), ""))
    else:
        heading = ("WHEN", "ACTION", "OUTCOME", "WHERE", "SERVICES", "WHO", "RUN")
        here.say(table([heading, *map(_row, records)]) if records else ["no records"])


def _row(record: "AuditRecord") -> tuple[str, ...]:
    action = record.action
    return (
        f"{action.at:%Y-%m-%d %H:%M:%S}Z",
        action.action,
        action.outcome,
        ",".join(action.environments),
        ",".join(action.services),
        action.actor,
        action.run,
    )


def _one(record: "AuditRecord") -> Iterator[str]:
    yield "  ".join(_row(record))
    for line in record.action.output.splitlines():
        yield f"    {line}"


def _checked_lines(place: Place, found: "Verification") -> Iterator[str]:
    if found:
        span = f", {found.first} to {found.last}" if found.records else ""
        yield f"{place.bucket}: whole ({found.records} records{span})"
        return
    yield f"{place.bucket}: not whole"
    for finding in found.findings:
        number = "" if finding.n is None else f" {finding.n}"
        yield f"  {finding.kind}: record{number} at {finding.key} {finding.what}"
