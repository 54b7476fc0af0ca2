"""Terraform's own lock on a state: read it whatever it is, hold it, remove exactly the one that was seen.

    <state key>.tflock        {"ID": …, "Operation": …, "Who": "user@host", "Created": …}

A lock object can be empty or damaged, and then `terraform force-unlock` cannot remove it. Such a lock has
no id of its own; its ETag is used instead, so that a person names there, too, what was seen.
"""

import getpass
import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast_orchestrator.errors import LeasedError
from holdfast_orchestrator.state.json_object import time_text
from holdfast_orchestrator.state.object_store import (
    DeletingStore,
    ObjectExistsError,
    ObjectReader,
    StoredObject,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformLock:
    """A lock as it lies in the bucket.

    `id` is Terraform's, or `etag-…` of an object that cannot be read (`readable` False). `created` is as
    Terraform wrote it, `modified` the bucket's own time. `size` is in bytes.
    """

    key: str
    etag: str
    id: str
    readable: bool
    size: int
    who: str = ""
    operation: str = ""
    created: str = ""
    info: str = ""
    modified: datetime | None = None

    @property
    def created_at(self) -> datetime | None:
        """When it was taken by the holder's clock; None where it does not say."""
        # Go writes nanoseconds; Python reads at most microseconds.
        head, _, fraction = self.created.removesuffix("Z").partition(".")
        with suppress(ValueError):
            return datetime.fromisoformat(f"{head}.{fraction[:6].ljust(6, '0')}+00:00")
        return None

    @property
    def described(self) -> str:
        """Who holds it, since when, doing what, in one clause."""
        if not self.readable:
            since = "" if self.modified is None else f", written {time_text(self.modified)}"
            return f"a lock object that cannot be read ({self.size} bytes{since})"
        return f"{self.who} since {self.created}, {self.operation or 'doing something it does not say'}"


def user_at_host() -> str:
    """Return who takes a lock from here, as Terraform writes it."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def lock_key(state_key: str) -> str:
    """Return where the lock of the state at this key lies."""
    return f"{state_key}.tflock"


def read_lock(store: ObjectReader, state_key: str) -> TerraformLock | None:
    """Return the lock on a state, None where there is none."""
    stored = store.get(lock_key(state_key))
    return None if stored is None else _lock(stored)


def remove_lock(store: DeletingStore, lock: TerraformLock) -> None:
    """Remove exactly this lock. Raises LeasedError where another one is there by now, or none."""
    try:
        store.delete(lock.key, etag=lock.etag)
    except ObjectExistsError:
        raise LeasedError(
            f"the lock {lock.id} is not there any more: it was released, or another one was taken; nothing "
            "was removed",
            next_step="look again",
        ) from None


@contextmanager
def holding_lock(
    store: DeletingStore, state_key: str, *, bucket: str, operation: str, now: datetime
) -> Iterator[None]:
    """Hold the lock, so that no Terraform writes the state meanwhile.

    Raises LeasedError where somebody else holds it: who, since when, doing what.
    """
    try:
        head = store.create(lock_key(state_key), _body(f"{bucket}/{state_key}", operation, now))
    except ObjectExistsError:
        raise _taken(read_lock(store, state_key), state_key.rpartition("/")[0]) from None
    try:
        yield
    finally:
        # Somebody else removed our lock; do not delete a newer one.
        with suppress(ObjectExistsError):
            store.delete(head.key, etag=head.etag)


@contextmanager
def holding_lock_again(
    store: DeletingStore, state_key: str, *, bucket: str, operation: str, now: datetime
) -> Iterator[None]:
    """Hold the lock as `holding_lock` does, also where a killed process left it at the same operation.

    The caller holds the shard's lease: nobody else can be at that operation now.
    """
    left = read_lock(store, state_key)
    if left is not None and left.operation == operation:
        remove_lock(store, left)
    with holding_lock(store, state_key, bucket=bucket, operation=operation, now=now):
        yield


def _body(path: str, operation: str, now: datetime) -> bytes:
    info = {
        "ID": str(uuid.uuid4()),
        "Operation": operation,
        "Info": "",
        "Who": user_at_host(),
        "Version": "",
        "Created": time_text(now),
        "Path": path,
    }
    return json.dumps(info).encode()


def _taken(lock: TerraformLock | None, folder: str) -> LeasedError:
    if lock is None:
        return LeasedError("the state was locked a moment ago", next_step="try again")
    return LeasedError(
        f"the state is locked: {lock.described} (lock {lock.id})",
        next_step=f"wait for it to end; if it is dead: holdfast state unlock {folder}",
    )


def _lock(stored: StoredObject) -> TerraformLock:
    document = _parsed(stored.body)
    lock_id = document.get("ID")
    readable = isinstance(lock_id, str) and bool(lock_id)
    text = {name: str(document.get(name) or "") for name in ("Who", "Operation", "Created", "Info")}
    return TerraformLock(
        key=stored.head.key,
        etag=stored.head.etag,
        id=str(lock_id) if readable else f"etag-{stored.head.etag.strip(chr(34))}",
        readable=readable,
        size=stored.head.size,
        who=text["Who"],
        operation=text["Operation"],
        created=text["Created"],
        info=text["Info"],
        modified=stored.head.modified,
    )


def _parsed(body: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        document = json.loads(body)
        if isinstance(document, dict):
            return document
    return {}
