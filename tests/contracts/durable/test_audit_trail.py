"""The audit trail is whole or says what is wrong with it; many write it at once; nothing secret is in it."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.stores import AnswersLost

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.audit.entry import AUDIT, LONGEST_OUTPUT, Action, AuditRecord
from holdfast_orchestrator.record.audit.head import HEAD
from holdfast_orchestrator.record.audit.trail import (
    AuditFilter,
    AuditSettings,
    AuditTrail,
    raw_key,
    read_audit,
)
from holdfast_orchestrator.record.audit.verify import Finding, Verification, verify_audit
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.system.redaction import SENSITIVE, Redactor
from holdfast_orchestrator.testing import FrozenClock

ACTION = Action(
    run="01JD6ZT3V9M2B8Q4K7X5N1C0RG",
    action="deploy",
    at=datetime(2026, 11, 21, 7, 0, tzinfo=UTC),
    actor="jane",
    actor_kind="user",
    host="laptop",
    git="0f1e2d3c",
    command="holdfast deploy --env prod",
    environments=("prod",),
    services=("orders",),
    shards=("orders-prod-eu-west-1",),
    verdicts={"protection": "passed"},
    outcome="committed",
    outcomes={"orders-prod-eu-west-1": "committed"},
    seconds={"orders-prod-eu-west-1": 12.5},
    output="Apply complete!",
)


def trail(store: DurableStore, *, clock: FrozenClock | None = None, **settings: object) -> AuditTrail:
    clock = clock or FrozenClock()
    return AuditTrail(store, clock=clock, redactor=Redactor(), settings=AuditSettings(**settings))  # type: ignore[arg-type]


def some(store: DurableStore, number: int = 5) -> list[AuditRecord]:
    writer = trail(store)
    return [writer.add(replace(ACTION, action=f"deploy {count}")) for count in range(number)]


def verify(store: DurableStore) -> Verification:
    return verify_audit(store, clock=FrozenClock())


def kinds(found: Verification) -> list[tuple[str, int | None]]:
    return [(finding.kind, finding.n) for finding in found.findings]


def remove(store: DurableStore, key: str) -> None:
    head = store.head(key)
    assert head is not None
    store.delete(key, etag=head.etag)


def overwrite(store: DurableStore, key: str, body: bytes) -> None:
    head = store.head(key)
    assert head is not None
    store.replace(key, body, etag=head.etag)


def body_of(store: DurableStore, key: str) -> bytes:
    stored = store.get(key)
    assert stored is not None
    return stored.body


def test_an_empty_and_an_untouched_trail_are_whole(store: DurableStore) -> None:
    assert verify(store)

    some(store)

    found = verify(store)
    assert found
    assert (found.records, found.first, found.last) == (5, 1, 5)


def test_records_lie_in_date_partitions_one_json_line_each(store: DurableStore) -> None:
    record = some(store, 1)[0]

    keys = [head.key for head in store.list(AUDIT)]
    body = body_of(store, record.key)

    assert keys == [f"{AUDIT}date={store.now().date()}/{ACTION.run}-0000000001.jsonl"]
    assert body.count(b"\n") == 1
    assert json.loads(body)["seconds"] == {"orders-prod-eu-west-1": 12.5}


def test_another_process_continues_the_same_chain(store: DurableStore) -> None:
    first = trail(store).add(ACTION)

    second = trail(store).add(ACTION)

    assert (second.n, second.prev) == (2, first.sha256)
    assert verify(store)


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_deleted_record_is_found_the_last_one_too(store: DurableStore, place: int) -> None:
    records = some(store)
    remove(store, records[place - 1].key)

    assert kinds(verify(store)) == [("deleted", place)]


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_changed_record_is_found(store: DurableStore, place: int) -> None:
    key = some(store)[place - 1].key
    overwrite(store, key, body_of(store, key).replace(b"jane", b"mary"))

    assert kinds(verify(store)) == [("changed", place)]


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_record_that_became_nonsense_is_found(store: DurableStore, place: int) -> None:
    key = some(store)[place - 1].key
    overwrite(store, key, b"nonsense\n")

    assert kinds(verify(store)) == [("changed", place)]


def test_records_in_each_others_place_are_found(store: DurableStore) -> None:
    records = some(store)
    second, fourth = body_of(store, records[1].key), body_of(store, records[3].key)
    overwrite(store, records[1].key, fourth)
    overwrite(store, records[3].key, second)

    assert kinds(verify(store)) == [("moved", 2), ("moved", 4)]


def test_a_record_that_was_added_behind_the_end_is_found(store: DurableStore) -> None:
    last = some(store)[-1]
    forged = json.loads(last.line) | {"n": 6, "prev": last.sha256}
    key = last.key.replace("0000000005", "0000000006")
    store.create(key, json.dumps(forged, separators=(",", ":")).encode() + b"\n")

    assert kinds(verify(store)) == [("foreign", 6)]


def test_an_object_that_is_no_record_is_found(store: DurableStore) -> None:
    some(store, 1)
    store.create(f"{AUDIT}date=2026-11-21/note.txt", b"I was never here")

    assert kinds(verify(store)) == [("foreign", None)]


def test_a_rechained_forgery_is_found_at_the_end_of_the_chain(store: DurableStore) -> None:
    records = some(store, 3)
    second = records[1].line.replace(b"jane", b"mary")
    third = json.loads(records[2].line) | {"prev": replace(records[1], line=second).sha256}
    overwrite(store, records[1].key, second + b"\n")
    overwrite(
        store, records[2].key, json.dumps(third, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )

    assert ("changed", 3) in kinds(verify(store))


def test_a_head_that_was_deleted_is_found(store: DurableStore) -> None:
    some(store, 2)
    remove(store, HEAD)

    assert verify(store).findings == (
        Finding(kind="deleted", n=None, key=HEAD, what="the end of the chain is gone"),
    )


def test_a_head_that_was_put_back_does_not_hide_the_records_after_it(store: DurableStore) -> None:
    some(store, 2)
    earlier = body_of(store, HEAD)
    last = trail(store).add(ACTION)
    overwrite(store, HEAD, earlier)

    assert kinds(verify(store)) == [("foreign", last.n)]


def test_a_damaged_head_needs_a_person(store: DurableStore) -> None:
    some(store, 1)
    overwrite(store, HEAD, b"{}")

    with pytest.raises(NeedsPersonError, match="audit-head"):
        verify(store)
    with pytest.raises(NeedsPersonError):
        trail(store).add(ACTION)


def test_a_writer_that_died_before_its_record_lay_there_loses_nothing(store: DurableStore) -> None:
    last = some(store, 3)[-1]
    remove(store, last.key)

    trail(store).add(ACTION)

    assert verify(store)
    assert verify(store).records == 4


def test_many_writers_make_one_chain(store: DurableStore) -> None:
    with ThreadPoolExecutor(8) as writers:
        added = list(writers.map(lambda _: trail(store).add(ACTION), range(24)))

    assert sorted(record.n for record in added) == list(range(1, 25))
    assert verify(store)


def test_one_writer_may_be_used_by_many_threads() -> None:
    store = MemoryStore()
    writer = trail(store)
    threads = [threading.Thread(target=writer.add, args=(ACTION,)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verify(store).records == 8
    assert verify(store)


def test_a_lost_answer_records_nothing_twice() -> None:
    store = AnswersLost()

    some(store, 3)

    assert verify(store)
    assert verify(store).records == 3


def test_secrets_are_in_no_record_and_the_raw_output_lies_apart(store: DurableStore) -> None:
    redactor = Redactor()
    redactor.learn("hunter2-canary")
    writer = AuditTrail(store, clock=FrozenClock(), redactor=redactor)
    shown = "password is hunter2-canary\n"

    record = writer.add(
        replace(
            ACTION, command="holdfast deploy hunter2-canary", output=shown, verdicts={"x": "hunter2-canary"}
        ),
        raw=shown,
    )

    assert b"hunter2-canary" not in body_of(store, record.key) + body_of(store, HEAD)
    assert SENSITIVE in record.action.output
    assert body_of(store, raw_key(record)) == shown.encode()
    assert raw_key(record).startswith("_holdfast/audit-raw/date=")


def test_raw_output_can_be_switched_off(store: DurableStore) -> None:
    trail(store, raw=False).add(ACTION, raw="secret")

    assert list(store.list("_holdfast/audit-raw/")) == []


def test_output_of_any_length_is_kept_whole_and_a_secret_on_the_cut_does_not_show(
    store: DurableStore,
) -> None:
    redactor = Redactor()
    redactor.learn("hunter2-canary")
    long = "x" * (LONGEST_OUTPUT - 5) + "hunter2-canary" + "é" * LONGEST_OUTPUT

    AuditTrail(store, clock=FrozenClock(), redactor=redactor).add(replace(ACTION, output=long))

    (read,) = read_audit(store, AuditFilter())
    assert read.action.output == long.replace("hunter2-canary", SENSITIVE)
    assert verify(store).records == 3
    assert verify(store)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(), ["c", "b", "a"]),
        (AuditFilter(service="edge"), ["b"]),
        (AuditFilter(environment="prod"), ["c", "a"]),
        (AuditFilter(actor="JANE"), ["a"]),
        (AuditFilter(actor="role/ci"), ["c"]),
        (AuditFilter(outcome="rolled_back"), ["b"]),
        (AuditFilter(run="R3"), ["c"]),
        (AuditFilter(action="a"), ["a"]),
        (AuditFilter(since=date(2000, 1, 1), until=date(2000, 1, 2)), []),
        (AuditFilter(environment="prod", actor="jane"), ["a"]),
    ],
)
def test_records_are_found_by_what_they_say_newest_first(wanted: AuditFilter, found: list[str]) -> None:
    store = MemoryStore()
    writer = trail(store)
    writer.add(replace(ACTION, action="a", run="R1"))
    writer.add(
        replace(
            ACTION,
            action="b",
            run="R2",
            actor="joe",
            services=("edge",),
            environments=("dev",),
            outcomes={"edge-dev-eu-west-1": "rolled_back"},
        )
    )
    writer.add(replace(ACTION, action="c", run="R3", actor="ci", aws="arn:aws:iam::1:role/ci"))

    assert [record.action.action for record in read_audit(store, wanted)] == found
    assert [record.action.action for record in read_audit(store, wanted, limit=1)] == found[:1]


def over_days(days: int, *, retention: int = 90, every: int = 1) -> tuple[MemoryStore, FrozenClock]:
    """A trail with a record every so many days, the last of them today."""
    clock = FrozenClock()
    store = MemoryStore(clock)
    writer = trail(store, clock=clock, retention_days=retention)
    for count in range(0, days, every):
        if count:
            clock.sleep(timedelta(days=every).total_seconds())
        writer.add(replace(ACTION, at=clock.now()))
    return store, clock


def expire(store: MemoryStore, clock: FrozenClock, days: int, *, only: Callable[[str], bool] = bool) -> int:
    """Do what the bucket's lifecycle does, for all or some of the keys; return how many went."""
    oldest = (clock.now() - timedelta(days=days)).date().isoformat()
    old = [key for key in store.objects if key.startswith(AUDIT) and key[len(AUDIT) + 5 :][:10] < oldest]
    gone = [key for key in old if only(key)]
    for key in gone:
        remove(store, key)
    return len(gone)


@pytest.mark.parametrize("retention", [1, 30, 90, 400])
@pytest.mark.parametrize("every", [1, 7])
def test_what_the_lifecycle_removed_is_not_missed(retention: int, every: int) -> None:
    store, clock = over_days(2 * retention + 30, retention=retention, every=every)

    assert expire(store, clock, retention) > 0

    assert verify(store)


def test_a_lifecycle_that_is_half_done_is_not_missed_either() -> None:
    store, clock = over_days(200)

    assert expire(store, clock, 90, only=lambda key: int(key[-7]) % 2 == 0) > 0

    assert verify(store)


def test_a_trail_nobody_wrote_for_longer_than_the_retention_may_be_gone() -> None:
    store, clock = over_days(30)
    clock.sleep(timedelta(days=200).total_seconds())
    expire(store, clock, 90)

    assert verify(store)


def test_a_young_record_is_missed_even_where_the_old_ones_expired() -> None:
    store, clock = over_days(200)
    expire(store, clock, 90)
    # 200 records, one a day; the last 91 days must be there.
    oldest_kept = 200 - 90
    remove(store, next(key for key in store.objects if key.endswith(f"-{oldest_kept:010}.jsonl")))

    assert kinds(verify(store)) == [("deleted", oldest_kept)]


def test_an_old_record_that_is_still_there_must_not_be_changed() -> None:
    store, clock = over_days(200)
    expire(store, clock, 90, only=lambda key: not key.endswith(("050.jsonl", "051.jsonl")))
    key = next(key for key in store.objects if key.endswith("-0000000050.jsonl"))
    overwrite(store, key, body_of(store, key).replace(b"jane", b"mary"))

    assert kinds(verify(store)) == [("changed", 50)]


def test_the_head_stays_small_however_long_the_trail() -> None:
    store, _ = over_days(2500, retention=2555, every=5)

    assert len(store.objects[HEAD]) < 20_000
