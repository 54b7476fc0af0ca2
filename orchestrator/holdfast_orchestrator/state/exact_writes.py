"""Writes under a condition whose answer may be lost: what lies there afterwards decides.

The SDK repeats a request that was not answered. The repetition then meets our own first write, which looks
like another writer's. Bytes that are exactly ours count as written.
"""

from collections.abc import Callable
from contextlib import suppress

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.object_store import ObjectExistsError, ObjectHead, ObjectStore, StoredObject


def write_once(store: ObjectStore, key: str, body: bytes, *, etag: str | None) -> ObjectHead:
    """Write over exactly the object with `etag` (None: there must be none).

    Raises ObjectExistsError where something else lies there.
    """
    try:
        return _write(store, key, body, etag)
    except ObjectExistsError:
        stored = store.get(key)
        if stored is None or stored.body != body:
            raise
        return stored.head


def create_once(store: ObjectStore, key: str, body: bytes) -> bool:
    """Write an object that never changes; True where it is there now exactly as given.

    False where something else was there before.
    """
    try:
        write_once(store, key, body, etag=None)
    except ObjectExistsError:
        return False
    return True


def write_and_read_back(
    store: ObjectStore, key: str, body: bytes, *, etag: str | None
) -> StoredObject | None:
    """Write as `write_once` does, and return what was read back; None where something else lies there."""
    with suppress(ObjectExistsError):
        _write(store, key, body, etag)
    stored = store.get(key)
    return stored if stored is not None and stored.body == body else None


def write_record(
    store: ObjectStore,
    key: str,
    body: bytes,
    *,
    etag: str | None,
    writer: Callable[[StoredObject], str],
) -> ObjectHead:
    """Write the record of a shard over the one with `etag`; None: over none, or a damaged one.

    `writer` reads a record and says who wrote it. Raises NeedsPersonError where the record changed meanwhile:
    another run works on this shard.
    """
    try:
        return write_once(store, key, body, etag=etag)
    except ObjectExistsError:
        stored = store.get(key)
        if etag is None and stored is not None and _is_damaged(stored, writer):
            return write_record(store, key, body, etag=stored.head.etag, writer=writer)
        raise NeedsPersonError(
            f"the record at {key} changed during this run: "
            f"{'it was deleted' if stored is None else writer(stored)}; two runs worked on one shard",
            next_step="look at both with `holdfast audit`, then deploy the one that is wanted",
        ) from None


def _write(store: ObjectStore, key: str, body: bytes, etag: str | None) -> ObjectHead:
    return store.create(key, body) if etag is None else store.replace(key, body, etag=etag)


def _is_damaged(stored: StoredObject, writer: Callable[[StoredObject], str]) -> bool:
    try:
        writer(stored)
    except NeedsPersonError:
        return True
    return False
