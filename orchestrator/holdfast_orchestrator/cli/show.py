"""`holdfast show RUN`: one run, shard by shard, as its record and its journals tell it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from holdfast_orchestrator.cli._history import History, history, reading, table
from holdfast_orchestrator.cli._options import examples, options
from holdfast_orchestrator.errors import UsageError
from holdfast_orchestrator.system.runtime import Runtime

if TYPE_CHECKING:
    from holdfast_orchestrator.record.journal.entry import Entry
    from holdfast_orchestrator.record.runs import RunRecord


@dataclass(frozen=True, slots=True)
class _Shown:
    record: "RunRecord"
    journals: "Mapping[str, tuple[Entry, ...]]"


@click.command(
    epilog=examples(
        "holdfast show 01JD6ZT3V9M2B8Q4K7X5N1C0RG",
        "holdfast show 01JD6ZT3V9M2B8Q4K7X5N1C0RG --json",
    )
)
@click.argument("run")
@options(reading)
@click.pass_obj
def command(runtime: Runtime, /, *, run: str, **given: Any) -> None:
    """Show a run: who began it, how each shard ended, and the step each journal ends with."""
    from holdfast_orchestrator.record.runs import checked_run  # noqa: PLC0415 - only when it runs

    name = checked_run(run)
    with history(runtime, given) as here:
        shown = _find(here, name)
        if here.json:
            from holdfast_orchestrator.report.history_documents import show_document  # noqa: PLC0415

            here.answer(show_document(shown.record, shown.journals))
        else:
            here.say(_lines(shown))


def _find(here: History, run: str) -> _Shown:
    from holdfast_orchestrator.record.journal.entry import JournalName  # noqa: PLC0415
    from holdfast_orchestrator.record.journal.journal import journalled_shards, read_journal  # noqa: PLC0415
    from holdfast_orchestrator.record.runs import read_run  # noqa: PLC0415

    found: RunRecord | None = None
    journals: dict[str, tuple[Entry, ...]] = {}
    for place in here.places:
        found = read_run(place.store, run) or found
        for shard in journalled_shards(place.store, run):
            journals[shard] = read_journal(place.store, JournalName(run, shard))
    if found is None:
        buckets = ", ".join(place.bucket for place in here.places) or "no bucket at all"
        raise UsageError(f"there is no run {run} in {buckets}", next_step="to see them: holdfast runs")
    return _Shown(found, journals)


def _lines(shown: _Shown) -> Iterator[str]:
    record = shown.record
    yield f"run {record.run}: {record.status}"
    yield f"  started  {record.started:%Y-%m-%d %H:%M:%S} UTC"
    if record.ended is not None:
        yield f"  ended    {record.ended:%Y-%m-%d %H:%M:%S} UTC"
    yield f"  by       {record.actor} on {record.actor.host}"
    if record.actor.link is not None:
        yield f"  job      {record.actor.link}"
    yield f"  of       {record.git or 'no git revision'}"
    yield f"  command  {record.command}"
    rows = [("SHARD", "OUTCOME", "SECONDS", "LAST STEP"), *(_row(name, shown) for name in record.shards)]
    yield ""
    yield from table(rows)


def _row(shard: str, shown: _Shown) -> tuple[str, ...]:
    seconds = shown.record.seconds.get(shard)
    entries = shown.journals.get(shard)
    return (
        shard,
        shown.record.outcomes.get(shard, "-"),
        "-" if seconds is None else f"{seconds:.1f}",
        f"{entries[-1].name} ({entries[-1].edge})" if entries else "-",
    )
