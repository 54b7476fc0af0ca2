"""What every bucket must promise, held by the one in memory and the one in S3."""

from datetime import timedelta

import pytest

from holdfast_orchestrator.errors import StateBucketError
from holdfast_orchestrator.state.conditional_writes import ConditionalWrites, prove_conditional_writes
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import DurableStore, ObjectExistsError, ObjectHead
from holdfast_orchestrator.state.s3 import S3Store


def test_an_object_is_deleted_only_as_the_one_that_was_read(store: DurableStore) -> None:
    first = store.create("a", b"1")
    second = store.replace("a", b"2", etag=first.etag)

    with pytest.raises(ObjectExistsError):
        store.delete("a", etag=first.etag)
    store.delete("a", etag=second.etag)

    assert store.get("a") is None
    with pytest.raises(ObjectExistsError):
        store.delete("a", etag=second.etag)


def test_an_object_that_is_gone_cannot_be_replaced(store: DurableStore) -> None:
    with pytest.raises(ObjectExistsError):
        store.replace("never", b"1", etag='"abc"')


def test_a_deleted_object_can_be_created_again(store: DurableStore) -> None:
    head = store.create("a", b"1")
    store.delete("a", etag=head.etag)

    store.create("a", b"2")

    found = store.get("a")
    assert found is not None
    assert found.body == b"2"


def test_a_listing_is_sorted_and_may_begin_in_the_middle(store: DurableStore) -> None:
    for key in ("p/b", "p/a", "q/x", "p/a/deep", "p/c"):
        store.create(key, key.encode())

    keys = [head.key for head in store.list("p/")]
    later = [head.key for head in store.list("p/", after="p/b")]

    assert keys == ["p/a", "p/a/deep", "p/b", "p/c"]
    assert later == ["p/c"]
    assert next(iter(store.list("p/"))).size == 3


def test_folders_are_the_names_below_a_prefix_each_once(store: DurableStore) -> None:
    for key in ("runs/A/run.json", "runs/A/j/1", "runs/B/run.json", "runs/C/run.json", "runs/loose"):
        store.create(key, b"{}")

    assert list(store.folders("runs/")) == ["A", "B", "C"]
    assert list(store.folders("runs/", after="A")) == ["B", "C"]
    assert list(store.folders("runs/", after="AZ")) == ["B", "C"]


def test_earlier_versions_can_be_read_after_a_deletion(store: DurableStore) -> None:
    first = store.create("a", b"1")
    second = store.replace("a", b"2", etag=first.etag)
    store.delete("a", etag=second.etag)

    versions = store.versions("a")

    bodies = {
        found.body
        for version in versions
        if not version.deleted and (found := store.get_version("a", version.version)) is not None
    }
    assert bodies == {b"1", b"2"}
    assert sum(version.deleted for version in versions) == 1


def test_versions_are_those_of_one_key_and_not_of_its_neighbours(store: DurableStore) -> None:
    store.create("a.json", b"1")
    store.create("a.json.meta", b"2")

    assert [version.key for version in store.versions("a.json")] == ["a.json"]


def test_answers_tell_the_buckets_own_time(store: DurableStore) -> None:
    written = store.create("a", b"1")
    head = store.head("a")

    assert head is not None
    assert head.modified is not None
    assert head.served is not None
    assert written.served is not None
    assert timedelta(0) <= head.served - head.modified < timedelta(minutes=1)
    assert abs(store.now() - head.served) < timedelta(minutes=1)


def test_a_listing_of_more_than_a_page_is_whole(s3_store: S3Store) -> None:
    s3_store._client = _SmallPages(s3_store._client)
    for number in range(5):
        s3_store.create(f"p/{number}/x", b"")

    assert len(list(s3_store.list("p/"))) == 5
    assert len(list(s3_store.folders("p/"))) == 5


def test_a_bucket_that_honours_conditions_passes_again_and_again(store: DurableStore) -> None:
    asked = ConditionalWrites()

    asked.require(store, bucket="b")
    asked.require(store, bucket="b")
    prove_conditional_writes(store, bucket="b")


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
@pytest.mark.parametrize("used_before", [False, True])
def test_a_bucket_that_ignores_a_condition_is_refused(header: str, *, used_before: bool) -> None:
    store = _Careless(header)
    if used_before:
        store.create("_holdfast/conditional-writes", b"{}")

    with pytest.raises(StateBucketError, match=header):
        prove_conditional_writes(store, bucket="b")


class _Careless(MemoryStore):
    """A store of the kind that takes the header and ignores it."""

    def __init__(self, ignored: str) -> None:
        super().__init__()
        self._ignored = ignored

    def create(self, key: str, body: bytes) -> ObjectHead:
        if self._ignored == "If-None-Match":
            self.objects.pop(key, None)
        return super().create(key, body)

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        current = self.head(key)
        if self._ignored == "If-Match" and current is not None:
            etag = current.etag
        return super().replace(key, body, etag=etag)


class _SmallPages:
    """A client whose listings come two entries at a time."""

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def get_paginator(self, operation: str) -> "_SmallPages":
        self._paginator = self._client.get_paginator(operation)  # type: ignore[attr-defined]
        return self

    def paginate(self, **asked: object) -> object:
        return self._paginator.paginate(**asked, PaginationConfig={"PageSize": 2})
