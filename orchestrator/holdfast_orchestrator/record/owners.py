"""The objects of every state of a bucket, read from the states themselves: by a LIST and their ETags.

A state that was not written since it was read last is not read again: in this process, and on this machine
by a small file in the cache that has types, names and addresses, and no values. Nothing is kept in the
bucket, so nothing there can be out of date.
"""

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.adopted import MARK
from holdfast_orchestrator.state.object_store import ListedReader, ObjectHead, ObjectListing, ObjectReader
from holdfast_orchestrator.state.record_format import Format
from holdfast_orchestrator.state_key import STATE_FILE
from holdfast_orchestrator.system.private_files import (
    UnsafePlaceError,
    cache_folder_of,
    read_file,
    replace_file,
)
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.owners import OwnedObject, Owners, owned_objects
from holdfast_orchestrator.terraform.state_file import Condition, read_state

_READERS = 16
_FOLDER = "owners"
# Our own records lie between these two keys, and there are many of them.
_OURS, _AFTER_OURS = "_holdfast/", "_holdfast0"


@dataclass(frozen=True, slots=True)
class _ReadState:
    etag: str
    objects: tuple[OwnedObject, ...]


_CachedState: TypeAlias = tuple[str, tuple[tuple[str, str, str | None, str], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cached:
    """The cache on this machine: of each state its ETag, and kind, name, place and address of its objects."""

    format: Literal[1] = 1
    states: Mapping[str, _CachedState]


FORMAT = Format[_Cached]("holdfast/owners-cache/v1", _Cached, is_named=False)


@dataclass
class StateOwners:
    """Reads who owns what in one bucket; safe between threads. `cache` is a file, None: none is kept."""

    store: ListedReader
    cache: Path | None = None
    _states: dict[str, _ReadState] = field(default_factory=dict)
    _newest: Owners | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> Owners:
        """Return what is so at this moment. Raises StateBucketError where the bucket cannot be listed."""
        with self._lock:
            return self._read()

    def lately(self) -> Owners:
        """Return what was so when this process asked last, or now."""
        with self._lock:
            return self._newest or self._read()

    def _read(self) -> Owners:
        if self._newest is None and self.cache is not None:
            self._states.update(_cached(self.cache))
        heads = {head.key: head for head in state_objects(self.store)}
        old = [head for head in heads.values() if not self._is_current(head)]
        unreadable = []
        with WorkerPool(_READERS, "owners") as readers:
            for head, entry in zip(
                old, readers.map(lambda head: _of(self.store, head.key), old), strict=True
            ):
                if isinstance(entry, _ReadState):
                    self._states[head.key] = entry
                else:
                    self._states.pop(head.key, None)
                    unreadable += [head.key] if entry == "unreadable" else []
        for key in self._states.keys() - heads.keys():
            del self._states[key]
        if old and self.cache is not None:
            _keep(self.cache, self._states)
        self._newest = Owners(
            states={_folder(key): entry.objects for key, entry in self._states.items()},
            unreadable=tuple(sorted(unreadable)),
        )
        return self._newest

    def _is_current(self, head: ObjectHead) -> bool:
        entry = self._states.get(head.key)
        return entry is not None and entry.etag == head.etag


def state_objects(store: ObjectListing) -> Iterator[ObjectHead]:
    """Yield every state of a bucket: what lies at a state's name, outside of our own records.

    A state that was adopted from there is at another place now, and is passed over.
    """
    states, adopted = dict[str, ObjectHead](), set[str]()
    for after in ("", _AFTER_OURS):
        for head in store.list("", after=after):
            if not after and head.key >= _OURS:
                break
            if head.key.endswith(f"/{STATE_FILE}"):
                states[head.key] = head
            elif head.key.endswith(f"/{STATE_FILE}{MARK}"):
                adopted.add(head.key.removesuffix(MARK))
    yield from (head for key, head in states.items() if key not in adopted)


def cache_file(cache: Path, *, bucket: str, region: str, endpoint: str) -> Path | None:
    """Return where a bucket's owners are kept on this machine, None where there is no place for it."""
    name = hashlib.sha256(json.dumps([bucket, region, endpoint]).encode()).hexdigest()[:32]
    with suppress(HoldfastError, OSError):
        return cache_folder_of(cache, _FOLDER) / f"{name}.json.gz"
    return None


def _folder(key: str) -> str:
    return key.rpartition("/")[0]


def _of(store: ObjectReader, key: str) -> "_ReadState | str":
    try:
        stored = store.get(key)
    except HoldfastError:
        return "unreadable"
    if stored is None:
        return "gone"
    state = read_state(key, stored.body)
    if state.condition is not Condition.WHOLE or state.document is None:
        return "unreadable"
    return _ReadState(stored.head.etag, owned_objects(state.document, _folder(key)))


def _cached(file: Path) -> Mapping[str, _ReadState]:
    try:
        read = FORMAT.parse(gzip.decompress(read_file(file)))
    except (OSError, UnsafePlaceError, EOFError, ValueError):
        return {}
    return {
        key: _ReadState(
            etag,
            tuple(
                OwnedObject(ObjectKey(kind, name, place), address) for kind, name, place, address in objects
            ),
        )
        for key, (etag, objects) in read.states.items()
    }


def _keep(file: Path, entries: Mapping[str, _ReadState]) -> None:
    states = {
        key: (
            entry.etag,
            tuple((each.key.kind, each.key.name, each.key.place, each.address) for each in entry.objects),
        )
        for key, entry in entries.items()
    }
    with suppress(OSError):
        replace_file(file, gzip.compress(json.dumps(FORMAT.to_json(_Cached(states=states))).encode(), 3))
