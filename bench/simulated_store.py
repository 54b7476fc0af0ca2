"""A bucket on disk for the simulation: counts requests, holds nothing in memory, and knows its own cost.

Bodies lie in an SQLite file, so that what a process weighs is the orchestrator and not its double.
"""

import hashlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast_orchestrator.state.object_store import (
    ObjectExistsError,
    ObjectHead,
    ObjectVersion,
    StoredObject,
)

_TABLE = "CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, etag TEXT, body BLOB) WITHOUT ROWID"
_LAST = "\U0010ffff"
_PAGE = 1000


class SimulatedStore:
    """Objects by key; safe between threads. `requests` counts by S3 verb, `cpu` is in seconds."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._database.execute(_TABLE)
        self.requests: Counter[str] = Counter()
        self.cpu = 0.0

    def close(self) -> None:
        self._database.close()

    def check(self) -> None:
        with self._request("HEAD bucket"):
            """It is always there."""

    def now(self) -> datetime:
        with self._request("HEAD bucket"):
            return _now()

    def head(self, key: str) -> ObjectHead | None:
        with self._request("HEAD"):
            found = self._found(key)
        return None if found is None else found.head

    def get(self, key: str) -> StoredObject | None:
        with self._request("GET"):
            return self._found(key)

    def create(self, key: str, body: bytes) -> ObjectHead:
        with self._request("PUT"):
            if self._found(key) is not None:
                raise ObjectExistsError(f"there is already an object at {key}")
            return self._write(key, body)

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        with self._request("PUT"):
            self._demand(key, etag)
            return self._write(key, body)

    def delete(self, key: str, *, etag: str) -> None:
        with self._request("DELETE"):
            self._demand(key, etag)
            self._database.execute("DELETE FROM object WHERE key = ?", (key,))

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        last, page = after, _PAGE
        while page == _PAGE:
            with self._request("LIST"):
                rows = self._database.execute(
                    "SELECT key, etag, length(body) FROM object "
                    "WHERE key >= ? AND key > ? AND key < ? ORDER BY key LIMIT ?",
                    (prefix, last, prefix + _LAST, _PAGE),
                ).fetchall()
            for key, etag, size in rows:
                yield _head(key, etag, size)
            last, page = rows[-1][0] if rows else last, len(rows)

    def folders(self, prefix: str, *, after: str = "") -> Iterator[str]:
        names = {head.key.removeprefix(prefix).partition("/")[0] for head in self.list(prefix)}
        yield from sorted(name for name in names if name > after)

    def versions(self, key: str) -> tuple[ObjectVersion, ...]:
        found = self.head(key)
        return () if found is None else (ObjectVersion(key=key, version=found.etag, modified=_now()),)

    def get_version(self, key: str, version: str) -> StoredObject | None:
        found = self.get(key)
        return found if found is not None and found.head.version == version else None

    def lifecycle(self) -> tuple[Mapping[str, Any], ...]:
        return ()

    def set_lifecycle(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Nothing here grows old."""

    @contextmanager
    def _request(self, verb: str) -> Iterator[None]:
        with self._lock:
            began = time.thread_time()
            try:
                yield
            finally:
                self.requests[verb] += 1
                self.cpu += time.thread_time() - began

    def _found(self, key: str) -> StoredObject | None:
        row = self._database.execute("SELECT etag, body FROM object WHERE key = ?", (key,)).fetchone()
        return None if row is None else StoredObject(head=_head(key, row[0], len(row[1])), body=row[1])

    def _demand(self, key: str, etag: str) -> None:
        found = self._found(key)
        if found is None or found.head.etag != etag:
            raise ObjectExistsError(f"the object at {key} is no longer the one that was read")

    def _write(self, key: str, body: bytes) -> ObjectHead:
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        self._database.execute("INSERT OR REPLACE INTO object VALUES (?, ?, ?)", (key, etag, body))
        return _head(key, etag, len(body))


def _head(key: str, etag: str, size: int) -> ObjectHead:
    return ObjectHead(key=key, etag=etag, size=size, version=etag, modified=_now(), served=_now())


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
