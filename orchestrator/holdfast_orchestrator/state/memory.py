"""A bucket in memory, for tests; it keeps the same promises as the real one."""

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from holdfast_orchestrator.state.object_store import (
    ObjectExistsError,
    ObjectHead,
    ObjectVersion,
    StoredObject,
)
from holdfast_orchestrator.system.runtime import Clock, SystemClock


class MemoryStore:
    """Objects by key; safe between threads. `clock` is the bucket's own."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._lock = threading.Lock()
        self._clock = clock or SystemClock()
        self._history: dict[str, list[tuple[ObjectVersion, bytes]]] = {}
        self._rules: tuple[Mapping[str, Any], ...] = ()
        self.objects: dict[str, bytes] = {}

    def check(self) -> None:
        """Memory is always there."""

    def now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def head(self, key: str) -> ObjectHead | None:
        body = self.objects.get(key)
        return None if body is None else self._head(key, body)

    def get(self, key: str) -> StoredObject | None:
        body = self.objects.get(key)
        return None if body is None else StoredObject(head=self._head(key, body), body=body)

    def create(self, key: str, body: bytes) -> ObjectHead:
        with self._lock:
            if key in self.objects:
                raise ObjectExistsError(f"there is already an object at {key}")
            return self._write(key, body)

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        with self._lock:
            self._demand(key, etag)
            return self._write(key, body)

    def delete(self, key: str, *, etag: str) -> None:
        with self._lock:
            self._demand(key, etag)
            del self.objects[key]
            self._remember(key, b"", deleted=True)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        for key, body in sorted(self.objects.items()):
            if key.startswith(prefix) and key > after:
                yield self._head(key, body)

    def folders(self, prefix: str, *, after: str = "") -> Iterator[str]:
        below = (key.removeprefix(prefix) for key in list(self.objects) if key.startswith(prefix))
        names = {rest.partition("/")[0] for rest in below if "/" in rest}
        yield from sorted(name for name in names if name > after)

    def versions(self, key: str) -> tuple[ObjectVersion, ...]:
        return tuple(version for version, _ in reversed(self._history.get(key, ())))

    def get_version(self, key: str, version: str) -> StoredObject | None:
        for listed, body in self._history.get(key, ()):
            if listed.version == version and not listed.deleted:
                return StoredObject(head=self._head(key, body, listed), body=body)
        return None

    def lifecycle(self) -> tuple[Mapping[str, Any], ...]:
        return self._rules

    def set_lifecycle(self, rules: Sequence[Mapping[str, Any]]) -> None:
        self._rules = tuple(rules)

    def _demand(self, key: str, etag: str) -> None:
        current = self.head(key)
        if current is None or current.etag != etag:
            raise ObjectExistsError(f"the object at {key} is no longer the one that was read")

    def _write(self, key: str, body: bytes) -> ObjectHead:
        self.objects[key] = body
        self._remember(key, body)
        return self._head(key, body)

    def _remember(self, key: str, body: bytes, *, deleted: bool = False) -> None:
        past = self._history.setdefault(key, [])
        version = ObjectVersion(
            key=key, version=f"{len(past) + 1}", modified=self.now(), size=len(body), deleted=deleted
        )
        past.append((version, body))

    def _head(self, key: str, body: bytes, version: ObjectVersion | None = None) -> ObjectHead:
        if version is None:
            past = self._history.get(key, ())
            # A test may put an object into the dictionary behind the store's back.
            version = past[-1][0] if past and past[-1][1] == body else None
        return ObjectHead(
            key=key,
            etag=f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"',
            size=len(body),
            version=None if version is None else version.version,
            modified=None if version is None else version.modified,
            served=self.now(),
        )
