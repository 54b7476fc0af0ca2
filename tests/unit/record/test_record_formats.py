"""What is kept has a published schema, is read in one way, and says in our words what is wrong with it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support.version_before import FIXTURES, Today, bucket, plan_folder

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.state_record import read_state_record, state_record_key
from holdfast_orchestrator.report.record_schemas import RECORDS, record_schema
from holdfast_orchestrator.state.lease_record import FORMAT as LEASE
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.record_format import DamagedError

FOLDERS = {
    "leases/": "lease.v1.json",
    "states/": "state-record.v1.json",
    "last-good/": "last-good.v1.json",
    "artifacts/": "artifact.v1.json",
    "audit/": "audit.v1.json",
    "audit-head.json": "audit-head.v1.json",
}
# The first is written only to see whether it can be; the others are not ours, or no JSON.
OTHERS = re.compile(
    r"_holdfast/(conditional-writes|backups/.*/\d+-\w{64}\.json|runs/.*/plans/.*|audit-raw/.*)"
)
BUCKETS = sorted(
    file.stem
    for file in FIXTURES.glob("*.json")
    if file.stem not in ("lines", "saved_plan") and "objects" in json.loads(file.read_text())
)


def schema_of(key: str) -> str:
    if key.endswith("/run.json"):
        return "run.v1.json"
    if "/journal/" in key:
        return "journal.v1.json"
    if key.endswith(".meta.json"):
        return "backup.v1.json"
    return next(name for folder, name in FOLDERS.items() if key.startswith(f"_holdfast/{folder}"))


def kept(store: MemoryStore) -> Iterator[tuple[str, Any]]:
    """Each document of a bucket, with the name of its schema."""
    for key, body in store.objects.items():
        if key.startswith("_holdfast/") and OTHERS.fullmatch(key) is None:
            name = schema_of(key)
            lines = body.splitlines() if name in ("journal.v1.json", "audit.v1.json") else [body]
            yield from ((name, json.loads(line)) for line in lines)


def valid(store: MemoryStore) -> set[str]:
    """Hold each document against its schema; return the names of the schemas."""
    names = set()
    for name, document in kept(store):
        jsonschema.validate(document, record_schema(name))
        names.add(name)
    return names


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_each_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(record_schema(name))


@pytest.mark.parametrize("name", BUCKETS)
def test_what_the_version_before_wrote_is_valid_by_the_schemas(name: str) -> None:
    assert valid(bucket(name)) >= {"audit.v1.json", "state-record.v1.json"}


def test_what_is_written_today_is_valid_by_the_schemas(tmp_path: Path) -> None:
    today = Today.at("committed", tmp_path, configuration="third")

    today.works("01LAST")

    assert valid(today.store) >= {*FOLDERS.values(), "run.v1.json", "journal.v1.json", "backup.v1.json"}
    good = read_last_good(today.store, today.shard.state.folder)
    assert good is not None
    jsonschema.validate(good.record.shard, record_schema("shard-note.v1.json"))


def test_a_plan_that_the_version_before_kept_is_valid_by_the_schema(tmp_path: Path) -> None:
    document = json.loads((plan_folder(tmp_path) / "plan.json").read_text())

    jsonschema.validate(document, record_schema("kept-plan.v1.json"))


@pytest.mark.parametrize("name", BUCKETS)
def test_what_was_read_says_the_same_when_it_is_written_again(name: str) -> None:
    for schema, document in kept(bucket(name)):
        record = RECORDS[schema]

        again = record.to_json(record.from_json(document))

        assert {**document, **again} == document, schema


def test_what_a_later_version_adds_is_passed_over() -> None:
    (lease,) = (document for name, document in kept(bucket("lease_of_a_run")) if name == "lease.v1.json")
    more = {**lease, "colour": "red", "process": {**lease["process"], "colour": "red"}}

    assert LEASE.from_json(more) == LEASE.from_json(lease)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"run": None}, "`run` must be a text, got None"),
        ({"epoch": "many"}, "`epoch` must be a whole number, got 'many'"),
        ({"expires_after": [1]}, "`expires_after` must be a number, got a list"),
        ({"held": {"a": 1}}, "`held` must be true or false, got an object"),
        ({"since": "yesterday"}, "`since` must be a time, got 'yesterday'"),
        ({"kind": "robot"}, "`kind` must be 'run' or 'human', got 'robot'"),
        ({"process": 7}, "`process` must be an object, got 7"),
        ({"process": {"host": "h"}}, "`process.boot` is missing"),
        ({"schema": "holdfast/lease/v2"}, "its schema is 'holdfast/lease/v2', not 'holdfast/lease/v1'"),
    ],
)
def test_what_is_wrong_with_a_document_is_said_by_its_field(changed: dict[str, Any], why: str) -> None:
    (lease,) = (document for name, document in kept(bucket("lease_of_a_run")) if name == "lease.v1.json")

    with pytest.raises(DamagedError) as raised:
        LEASE.from_json({**lease, **changed})

    assert str(raised.value) == why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[1, 2]", "its schema is None, not 'holdfast/state-record/v1'"),
        (b'{"schema": "holdfast/state-record/v1"}', "`run` is missing"),
    ],
)
def test_a_damaged_record_is_for_a_person(body: bytes, why: str) -> None:
    store = MemoryStore()
    store.create(state_record_key("a/b"), body)

    with pytest.raises(NeedsPersonError) as raised:
        read_state_record(store, "a/b")

    assert raised.value.what == (
        f"the object at _holdfast/states/a/b.json ({len(body)} bytes) cannot be read: {why}"
    )
    assert raised.value.next_step == (
        "look at the state with holdfast state pull, then deploy with --rebaseline"
    )
