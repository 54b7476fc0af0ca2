"""What `holdfast show` prints of a run that failed."""

from dataclasses import replace
from datetime import UTC, datetime

from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.journal.entry import Entry, EntryDraft, JournalName, next_entry
from holdfast_orchestrator.record.runs import RunRecord
from holdfast_orchestrator.report.history_text import run_lines, runs_lines

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
RUN = "01M8Q0BXQF20556FX1ME5Z42RR"


def entry(before: Entry | None, phase: Phase, **data: object) -> Entry:
    draft = EntryDraft(epoch=1, phase=phase, edge="after", at=AT, data=data)
    return next_entry(JournalName(RUN, "orders"), before, draft)


def record(**outcomes: str) -> RunRecord:
    return RunRecord(
        run=RUN,
        status="rolled_back",
        environments=("dev",),
        started=AT,
        ended=AT,
        actor=Actor(kind="user", name="jane", host="laptop"),
        command="holdfast deploy --env dev",
        shards=tuple(outcomes),
        outcomes=outcomes,
    )


def test_a_failed_shard_is_shown_with_its_last_reason_and_where_the_rest_is() -> None:
    first = entry(None, Phase.CLASSIFY, failure="a lock")
    second = entry(first, Phase.CLASSIFY, failure="there is no such topic")
    journals = {"orders": [first, second, entry(second, Phase.ROLLED_BACK)]}

    lines = list(run_lines(record(network="committed", orders="rolled_back"), journals))

    assert lines[-2:] == [
        "orders: there is no such topic",
        f"the audit trail has everything that the run said: audit --run {RUN} --output",
    ]


def test_a_good_run_is_shown_without_reasons() -> None:
    lines = list(run_lines(record(network="committed", orders="unchanged"), {}))

    assert not any("audit" in line or line.startswith("orders:") for line in lines)


def test_the_table_of_runs_says_how_many_shards_ended_how_and_fits_a_terminal() -> None:
    ended = record(network="committed", orders="rolled_back", data="unchanged", edge="unchanged")
    running = replace(ended, status="running", outcomes={"network": "committed"})

    lines = list(runs_lines([ended, running]))
    narrow = list(runs_lines([ended, running], width=80))

    assert "1 committed, 1 rolled back, 2 unchanged" in lines[1]
    assert "1 committed, 3 not ended" in lines[2]
    assert max(map(len, narrow)) <= 80
    assert sum(RUN in line for line in narrow) == 2
