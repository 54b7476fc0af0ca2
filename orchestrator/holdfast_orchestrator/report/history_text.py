"""The text of `holdfast runs`, `show` and `audit`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from holdfast_orchestrator.report.wording import columns, counted, moment

if TYPE_CHECKING:
    from holdfast_orchestrator.record.audit.entry import AuditRecord
    from holdfast_orchestrator.record.audit.verify import Verification
    from holdfast_orchestrator.record.journal.entry import Entry
    from holdfast_orchestrator.record.runs import RunRecord

    Journals = Mapping[str, Sequence[Entry]]


def runs_lines(records: "Sequence[RunRecord]", *, width: int | None = None) -> Iterator[str]:
    """Yield a table of runs, in at most `width` columns."""
    if not records:
        yield "no runs yet"
        return
    heading = ("RUN", "STARTED", "STATUS", "ENVIRONMENT", "SHARDS", "BY", "COMMAND")
    rows = [
        (
            record.run,
            moment(record.started),
            record.status,
            record.environment,
            _ended_words(record),
            str(record.actor),
            record.command,
        )
        for record in records
    ]
    yield from columns([heading, *rows], width=width, cut=("ENVIRONMENT", "BY"))


def _ended_words(record: "RunRecord") -> str:
    """How many of the shards of a run ended how, such as "1 committed, 5 unchanged"."""
    outcomes = Counter(record.outcomes.values())
    words = [f"{number} {outcome.replace('_', ' ')}" for outcome, number in sorted(outcomes.items())]
    missing = len(record.shards) - outcomes.total()
    return ", ".join([*words, f"{missing} not ended"] if missing > 0 else words) or "none"


def run_lines(record: "RunRecord", journals: "Journals", *, width: int | None = None) -> Iterator[str]:
    """Yield one run: who started it, how each shard ended, and the last step in its journal.

    The table takes at most `width` columns.
    """
    yield f"run {record.run}: {record.status}"
    yield f"  started  {record.started:%Y-%m-%d %H:%M:%S} UTC"
    if record.ended is not None:
        yield f"  ended    {record.ended:%Y-%m-%d %H:%M:%S} UTC"
    yield f"  by       {record.actor} on {record.actor.host}"
    if record.actor.link is not None:
        yield f"  job      {record.actor.link}"
    yield f"  of       {record.git or 'no git revision'}"
    yield f"  command  {record.command}"
    rows = [_shard_row(name, record, journals) for name in record.shards]
    yield ""
    yield from columns([("SHARD", "OUTCOME", "SECONDS", "LAST STEP"), *rows], width=width)
    yield from _read_lines(record.shards, journals)
    yield from _failure_lines(record, journals)


def audit_lines(
    records: "Sequence[AuditRecord]", *, with_output: bool, width: int | None = None
) -> Iterator[str]:
    """Yield a table of audit records in at most `width` columns, or each record with its output."""
    if with_output:
        for record in records:
            yield "  ".join(_action_row(record))
            yield from (f"    {line}" for line in record.action.output.splitlines())
            yield ""
    elif records:
        heading = ("WHEN", "ACTION", "OUTCOME", "WHERE", "SERVICES", "WHO", "RUN")
        rows = [heading, *map(_action_row, records)]
        yield from columns(rows, width=width, cut=("WHERE", "SERVICES", "WHO"))
    else:
        yield "no records"


def verification_lines(verified: "Mapping[str, Verification]") -> Iterator[str]:
    """Yield for each bucket whether its trail is whole, and the faults in it."""
    for bucket, verification in verified.items():
        if verification:
            span = f", {verification.first} to {verification.last}" if verification.records else ""
            yield f"{bucket}: whole ({verification.records} records{span})"
            continue
        yield f"{bucket}: not whole"
        for finding in verification.findings:
            number = "" if finding.n is None else f" {finding.n}"
            yield f"  {finding.kind}: record{number} at {finding.key} {finding.what}"


def _shard_row(shard: str, record: "RunRecord", journals: "Journals") -> tuple[str, ...]:
    seconds = record.seconds.get(shard)
    entries = journals.get(shard)
    return (
        shard,
        record.outcomes.get(shard, "-"),
        "-" if seconds is None else f"{seconds:.1f}",
        f"{entries[-1].name} ({entries[-1].edge})" if entries else "-",
    )


def _read_lines(shards: "Sequence[str]", journals: "Journals") -> Iterator[str]:
    """Yield for each shard how much of its last verify rests on what the plan had read."""
    for shard in shards:
        verifies = [entry.data for entry in journals.get(shard, ()) if entry.data.get("remembered")]
        if verifies:
            read, remembered = counted(int(verifies[-1]["read"]), "object"), verifies[-1]["remembered"]
            yield f"{shard}: the verify read {read} again, and took {remembered} as planned"


def _failure_lines(record: "RunRecord", journals: "Journals") -> Iterator[str]:
    """Yield why each shard failed, as its journal says, and where everything it said is kept."""
    from holdfast_orchestrator.deploy.outcome import Outcome  # noqa: PLC0415 - only where a run is shown

    good = {outcome.value for outcome in Outcome if outcome.is_good}
    reasons = {
        shard: [entry.data["failure"] for entry in journals.get(shard, ()) if entry.data.get("failure")]
        for shard in record.shards
    }
    failed = {shard: texts[-1] for shard, texts in reasons.items() if texts}
    for shard, reason in failed.items():
        yield f"{shard}: {reason}"
    if record.ended is not None and not good.issuperset(record.outcomes.values()):
        yield f"the audit trail has everything that the run said: audit --run {record.run} --output"


def _action_row(record: "AuditRecord") -> tuple[str, ...]:
    action = record.action
    return (
        moment(action.at),
        action.action,
        action.outcome,
        ",".join(action.environments),
        ",".join(action.services),
        action.actor,
        action.run,
    )
