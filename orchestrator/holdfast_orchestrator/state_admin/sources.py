"""The places a state is adopted from: a file, or an object in S3.

    with source.held(now, into=place) as content:      # nobody else writes there meanwhile
        …
        source.mark(note)                  # nobody deploys from there again

Nothing is ever deleted. A file gets another name, beside an object lies a marker.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from holdfast_orchestrator.errors import LeasedError, MachineError, StateBucketError, UsageError
from holdfast_orchestrator.record.adopted import MARK
from holdfast_orchestrator.state.exact_writes import create_once
from holdfast_orchestrator.state.object_store import DeletingStore
from holdfast_orchestrator.state.record_format import DamagedError, Format
from holdfast_orchestrator.state.terraform_lock import holding_lock_again
from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_source, write_new

_CHUNK = 2**24


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a mark says: where the state went, and by whom."""

    state_is_now_at: str
    shard: str
    lineage: str
    serial: int
    run: str
    actor: str
    at: str

    def body(self) -> bytes:
        """Return the mark's bytes."""
        return FORMAT.body(self)


FORMAT = Format[Note]("holdfast/adoption-mark/v1", Note)


@dataclass(frozen=True, slots=True)
class _Target:
    state_is_now_at: str


# All that has to be read of a mark.
_TARGET = Format[_Target](FORMAT.schema, _Target, is_named=False)


class Source(Protocol):
    """Where a state is adopted from."""

    @property
    def place(self) -> str:
        """The place, as people write it."""

    def read(self) -> bytes:
        """Return what is there. Raises UsageError where that is nothing, or cannot be read."""

    def taken_to(self) -> str | None:
        """Return where a mark says the state went, None where there is no mark."""

    @contextmanager
    def held(self, now: datetime, *, into: str) -> Iterator[bytes]:
        """Hold the state's lock and yield what is there. Raises LeasedError where somebody is at work.

        Call it with the lease of the shard at `into`.
        """

    def mark(self, note: Note) -> str:
        """Mark the place, unless it is marked; return what says so. Call it while it is held."""


@dataclass(frozen=True)
class FileSource:
    """A state file; once it was adopted, the file it was renamed to."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def marked(self) -> Path:
        """What the file is called once it was adopted."""
        return self.path.with_name(self.path.name + MARK)

    def read(self) -> bytes:
        with self._opened("rb") as descriptor:
            return _content(descriptor)

    def taken_to(self) -> str | None:
        return (
            None if self.path.exists() or not self.marked.is_file() else _target(self._note_of(self.marked))
        )

    @contextmanager
    def held(self, now: datetime, *, into: str) -> Iterator[bytes]:  # noqa: ARG002 - the system's own lock
        """Hold the lock that Terraform's local backend takes, by the same call."""
        with self._opened("r+b") as descriptor:
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LeasedError(
                    f"Terraform is at work on {self.place}{self._holder()}", next_step="wait for it to end"
                ) from None
            # Read through this descriptor: closing another one of the same file would give the lock up.
            yield _content(descriptor)

    def mark(self, note: Note) -> str:
        target = self._present
        if target == self.path:
            target = self._free_name()
            try:
                self.path.rename(target)
            except OSError as error:
                raise MachineError.of(error) from None
        words = self._note_of(target)
        with suppress(FileExistsError):
            write_new(words, note.body())
        return str(target)

    @property
    def _present(self) -> Path:
        return self.path if self.path.exists() or not self.marked.is_file() else self.marked

    @staticmethod
    def _note_of(marked: Path) -> Path:
        return marked.with_name(f"{marked.name}.json")

    def _free_name(self) -> Path:
        """The name to rename the file to; an older adoption of a file of this name keeps its own."""
        number, free = 1, self.marked
        while free.exists():
            number += 1
            free = self.marked.with_name(f"{self.marked.name}-{number}")
        return free

    def _holder(self) -> str:
        with suppress(OSError, UnsafePlaceError, ValueError):
            info = json.loads(read_source(self.path.with_name(f".{self.path.name}.lock.info")))
            return f": {info['Operation']} by {info['Who']} since {info['Created']}"
        return ""

    @contextmanager
    def _opened(self, mode: str) -> Iterator[int]:
        path = self._present
        if path.exists() and not path.is_file():
            raise UsageError(
                f"{path} is not a file", next_step="--from takes a state file or s3://BUCKET/KEY"
            )
        flags = os.O_RDWR if "+" in mode else os.O_RDONLY
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}", next_step=_hint(error)) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class ObjectSource:
    """An object in S3, in any bucket."""

    store: DeletingStore = field(repr=False)
    bucket: str
    key: str

    @property
    def place(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def read(self) -> bytes:
        with self._explained():
            stored = self.store.get(self.key)
        if stored is None:
            raise UsageError(f"there is nothing at {self.place}", next_step=f"aws s3 ls s3://{self.bucket}/")
        return stored.body

    def taken_to(self) -> str | None:
        with self._explained():
            stored = self.store.get(self.key + MARK)
        return None if stored is None else _said(stored.body)

    @contextmanager
    def held(self, now: datetime, *, into: str) -> Iterator[bytes]:
        lock = adoption_lock(self.store, self.key, bucket=self.bucket, into=into, now=now)
        with ExitStack() as held:
            with self._explained():
                held.enter_context(lock)
            yield self.read()

    def mark(self, note: Note) -> str:
        create_once(self.store, self.key + MARK, note.body())
        return f"{self.place}{MARK}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """A bucket that is not the shard's own: what is said of the shard's would be wrong advice here."""
        try:
            yield
        except StateBucketError as error:
            raise UsageError(
                f"{self.place} cannot be used: {error.what}",
                next_step=f"copy it with credentials that may: aws s3 cp {self.place} state.tfstate; then "
                "--from state.tfstate",
            ) from None


@contextmanager
def adoption_lock(store: DeletingStore, key: str, *, bucket: str, into: str, now: datetime) -> Iterator[None]:
    """Hold Terraform's lock of a state in S3 for an adoption into the place `into`.

    The caller holds the lease of that place. So a lock of an adoption into it is one that a killed process
    left, and is removed. Raises LeasedError where somebody else holds the lock.
    """
    operation = f"holdfast adopt into {into}"
    with holding_lock_again(store, key, bucket=bucket, operation=operation, now=now):
        yield


def _content(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while part := os.pread(descriptor, _CHUNK, sum(map(len, parts))):
        parts.append(part)
    return b"".join(parts)


def _target(note: Path) -> str | None:
    try:
        return _said(read_source(note))
    except (OSError, UnsafePlaceError):
        return None


def _said(body: bytes) -> str | None:
    with suppress(DamagedError):
        return _TARGET.parse(body).state_is_now_at
    return None


def _hint(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "name a state file, or s3://BUCKET/KEY; another backend's state: terraform state pull > FILE"
    return "make it a file that can be read and renamed"
