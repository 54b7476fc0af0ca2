import pytest
from tests.support.stores import AnswersLost

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.exact_writes import (
    create_once,
    write_and_read_back,
    write_once,
    write_record,
)
from holdfast_orchestrator.state.memory import MemoryStore
from holdfast_orchestrator.state.object_store import ObjectExistsError, StoredObject

KEY = "a/key"


def writer(stored: StoredObject) -> str:
    if stored.body == b"damaged":
        raise NeedsPersonError("cannot be read")
    return f"{stored.body.decode()} wrote it"


def test_a_write_whose_answer_was_lost_counts_as_written() -> None:
    store = AnswersLost()

    first = write_once(store, KEY, b"one", etag=None)
    second = write_once(store, KEY, b"two", etag=first.etag)
    written = write_and_read_back(store, KEY, b"three", etag=second.etag)

    assert written is not None
    assert store.objects == {KEY: b"three"}
    assert create_once(store, "another", b"one")
    record = write_record(store, KEY, b"four", etag=written.head.etag, writer=writer)
    assert store.head(KEY) == record


def test_what_another_writer_put_there_stays() -> None:
    store = MemoryStore()
    etag = store.create(KEY, b"one").etag
    store.replace(KEY, b"theirs", etag=etag)

    for condition in (etag, None):
        with pytest.raises(ObjectExistsError):
            write_once(store, KEY, b"ours", etag=condition)
        assert write_and_read_back(store, KEY, b"ours", etag=condition) is None
        with pytest.raises(NeedsPersonError, match="theirs wrote it; two runs worked on one shard"):
            write_record(store, KEY, b"ours", etag=condition, writer=writer)
    assert not create_once(store, KEY, b"ours")
    assert store.objects == {KEY: b"theirs"}


def test_an_object_that_was_deleted_is_not_written_anew() -> None:
    store = MemoryStore()
    etag = store.create(KEY, b"one").etag
    store.delete(KEY, etag=etag)

    assert write_and_read_back(store, KEY, b"ours", etag=etag) is None
    with pytest.raises(NeedsPersonError, match="it was deleted"):
        write_record(store, KEY, b"ours", etag=etag, writer=writer)
    assert store.objects == {}


@pytest.mark.parametrize("kind", [MemoryStore, AnswersLost])
def test_only_a_record_that_nobody_read_is_written_over_where_it_is_damaged(kind: type[MemoryStore]) -> None:
    store = kind()
    store.objects[KEY] = b"damaged"

    head = write_record(store, KEY, b"ours", etag=None, writer=writer)

    assert (store.objects, store.head(KEY)) == ({KEY: b"ours"}, head)
    store.objects[KEY] = b"damaged"
    with pytest.raises(NeedsPersonError, match="cannot be read"):
        write_record(store, KEY, b"ours", etag=head.etag, writer=writer)
