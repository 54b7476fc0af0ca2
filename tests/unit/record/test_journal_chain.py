"""No entry of a journal can be changed, left out, moved or brought in without being noticed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast_orchestrator.errors import NeedsPersonError, UsageError
from holdfast_orchestrator.lifecycle import Phase
from holdfast_orchestrator.record.journal.crash_points import KILLED, CrashPoint, crash_point
from holdfast_orchestrator.record.journal.entry import Entry, EntryDraft, JournalName, chained, next_entry

NAME = JournalName("RUN", "orders")
AT = datetime(2026, 11, 21, tzinfo=UTC)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(Phase), st.sampled_from(["before", "after"]), st.dictionaries(st.text(), st.text())
    ),
    min_size=2,
    max_size=12,
)


def journal(steps: list[tuple[Phase, str, dict[str, str]]], name: JournalName = NAME) -> list[Entry]:
    entries: list[Entry] = []
    for phase, edge, data in steps:
        last = entries[-1] if entries else None
        draft = EntryDraft(epoch=1, phase=phase, edge=edge, at=AT, data=data)  # type: ignore[arg-type]
        entries.append(next_entry(name, last, draft))
    return entries


@given(STEPS)
def test_a_whole_journal_is_read_as_it_was_written(steps: list[tuple[Phase, str, dict[str, str]]]) -> None:
    entries = journal(steps)

    read = chained(NAME, [entry.line for entry in entries])

    assert list(read) == entries
    assert [(entry.phase, entry.edge, entry.data) for entry in read] == steps


@given(STEPS, st.data())
def test_a_changed_entry_is_noticed(
    steps: list[tuple[Phase, str, dict[str, str]]], data: st.DataObject
) -> None:
    lines = [entry.line for entry in journal(steps)]
    # The last entry is the one nothing refers to; its own content is free.
    place = data.draw(st.integers(0, len(lines) - 2))
    document = json.loads(lines[place])
    document["epoch"] += 1
    lines[place] = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

    with pytest.raises(NeedsPersonError, match=f"entry {place + 2}: it does not follow"):
        chained(NAME, lines)


@given(STEPS, st.data())
def test_a_missing_entry_is_noticed(
    steps: list[tuple[Phase, str, dict[str, str]]], data: st.DataObject
) -> None:
    lines = [entry.line for entry in journal(steps)]
    del lines[data.draw(st.integers(0, len(lines) - 2))]

    with pytest.raises(NeedsPersonError):
        chained(NAME, lines)


@given(STEPS, st.data())
def test_entries_in_another_order_are_noticed(
    steps: list[tuple[Phase, str, dict[str, str]]], data: st.DataObject
) -> None:
    lines = [entry.line for entry in journal(steps)]
    place = data.draw(st.integers(0, len(lines) - 2))
    lines[place], lines[place + 1] = lines[place + 1], lines[place]

    with pytest.raises(NeedsPersonError):
        chained(NAME, lines)


@pytest.mark.parametrize("other", [JournalName("RUN", "edge"), JournalName("RUN2", "orders")])
def test_another_journals_entries_are_noticed(other: JournalName) -> None:
    lines = [entry.line for entry in journal([(Phase.PREPARED, "before", {})], other)]

    with pytest.raises(NeedsPersonError):
        chained(NAME, lines)


def test_a_crash_point_dies_there_and_nowhere_else() -> None:
    died: list[int] = []
    point = CrashPoint(phase=Phase.APPLYING, edge="before", shard="orders", die=died.append)

    point.reached(Phase.APPLYING, "after", "orders")
    point.reached(Phase.SETTLE, "before", "orders")
    point.reached(Phase.APPLYING, "before", "edge")
    assert died == []
    point.reached(Phase.APPLYING, "before", "orders")

    assert died == [KILLED]


def test_a_crash_point_dies_when_a_shard_comes_there_so_many_times() -> None:
    died: list[int] = []
    point = CrashPoint(phase=Phase.VERIFY, edge="before", time=2, die=died.append)

    point.reached(Phase.VERIFY, "before", "orders")
    point.reached(Phase.VERIFY, "before", "edge")
    assert died == []
    point.reached(Phase.VERIFY, "before", "orders")

    assert died == [KILLED]


def test_a_crash_point_is_read_from_the_environment() -> None:
    named = crash_point({"HOLDFAST_CRASH_AT": "rb_applying:after:orders-prod-eu-west-1"})
    anywhere = crash_point({"HOLDFAST_CRASH_AT": "applying:before"})

    assert named is not None
    assert (named.phase, named.edge, named.shard) == (Phase.RB_APPLYING, "after", "orders-prod-eu-west-1")
    assert anywhere is not None
    assert (anywhere.shard, anywhere.time) == ("", 1)
    second = crash_point({"HOLDFAST_CRASH_AT": "verify#2:after"})
    assert second is not None
    assert (second.phase, second.edge, second.time) == (Phase.VERIFY, "after", 2)
    assert crash_point({}) is None
    earlier = crash_point({"HOLDFAST_CRASH_AT": "verify2:before"})
    assert earlier is not None
    assert (earlier.phase, earlier.time) == (Phase.VERIFY, 2)
    gated = crash_point({"HOLDFAST_CRASH_AT": "gated:after"})
    assert gated is not None
    assert gated.phase is Phase.PREPARED


@pytest.mark.parametrize(
    "text", ["applying", "applying:now", "applying#x:before", "dancing:before", "applying:"]
)
def test_a_crash_point_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HOLDFAST_CRASH_AT"):
        crash_point({"HOLDFAST_CRASH_AT": text})
