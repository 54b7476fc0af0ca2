"""Every copy of a shard's state there is: the backups, and the object's own versions in the bucket.

A backup was made before something changed; a version is whatever Terraform wrote. The newest good state
of a shard whose object was emptied or deleted is often a version that nobody had reason to back up yet.
A version is named `<state key>?versionId=<id>`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from holdfast_orchestrator.errors import HoldfastError, UsageError
from holdfast_orchestrator.state.backups import Backup, BackupMeta, list_backups
from holdfast_orchestrator.state.json_object import time_text
from holdfast_orchestrator.state.object_store import ListedReader, ObjectHistory, ObjectVersion
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.state_file import Condition, StateObject, read_state

NEWEST_VERSIONS = 20
"""Versions that are read where all are wanted; each is a request and the size of a state."""

_READERS = 8
# Characters of a SHA-256 in a short name, and the least that is taken for one.
_SHORT = 12
_SHORT_NAME = re.compile(r"\d+-[0-9a-f]{6,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCopy:
    """One copy: `name` is what it is asked for by, `written` when that state became the newest.

    `is_version`: of the object itself. `meta` is what is known of a backup besides. `content` is the bytes
    where they were read.
    """

    name: str
    written: datetime
    size: int
    lineage: str
    serial: int
    sha256: str
    is_version: bool
    meta: BackupMeta | None = None
    content: bytes | None = field(default=None, repr=False)

    @property
    def short_name(self) -> str:
        """The serial and the beginning of the SHA-256: short enough for a table, and asked for as well."""
        return f"{self.serial}-{self.sha256[:_SHORT]}"

    @property
    def described(self) -> str:
        """Serial, moment and origin in one clause."""
        origin = "a version of the object" if self.is_version else "a backup"
        if self.meta is not None:
            origin = f"a backup made {self.meta.reason} by {self.meta.actor} (run {self.meta.run})"
        return f"serial {self.serial} of {time_text(self.written)}, {origin}"


class CopiedStates(ListedReader, ObjectHistory, Protocol):
    """A bucket with states and what is kept of them."""


@dataclass(frozen=True)
class StateCopies:
    """The copies of the state at `key`."""

    store: CopiedStates
    key: str

    @property
    def folder(self) -> str:
        """The shard's state folder."""
        return self.key.rpartition("/")[0]

    def backups(self) -> tuple[StateCopy, ...]:
        """Return the backups, newest state first."""
        return tuple(map(_of_backup, list_backups(self.store, self.folder)))

    def versions(self, *, most: int = NEWEST_VERSIONS) -> tuple[StateCopy, ...]:
        """Return the newest versions that are whole states, newest first."""
        kept = [version for version in self.store.versions(self.key) if not version.deleted][:most]
        with WorkerPool(_READERS) as readers:
            return tuple(copy for copy in readers.map(self._version, kept) if copy is not None)

    def all(self) -> tuple[StateCopy, ...]:
        """Return backups and versions, newest state first; a version that is backed up is left out."""
        backups = self.backups()
        backed_up = {backup.sha256 for backup in backups}
        fresh = (version for version in self.versions() if version.sha256 not in backed_up)
        return tuple(sorted((*backups, *fresh), key=_age, reverse=True))

    def named(self, name: str) -> StateCopy:
        """Return the copy called `name`; its short name or, for a backup, the end of its key is enough.

        Raises UsageError where there is none, or several.
        """
        _, is_version, version = name.partition(f"{self.key}?versionId=")
        if is_version:
            return self._named_version(name, version)
        matching = [backup for backup in self.backups() if f"/{backup.name}".endswith(f"/{name}")]
        if not matching and _SHORT_NAME.fullmatch(name):
            matching = [copy for copy in self.all() if f"{copy.serial}-{copy.sha256}".startswith(name)]
        if len({copy.sha256 for copy in matching}) == 1:
            return matching[0]
        what = "several backups are" if matching else "there is no backup or version"
        raise UsageError(
            f"{what} called {name!r}", next_step=f"to see them: holdfast state backups {self.folder}"
        )

    def newest(self) -> StateCopy | None:
        """Return the newest copy that is whole, None where none is kept."""
        return next(iter(self.all()), None)

    def at(self, moment: datetime) -> StateCopy:
        """Return the copy of the state that was the newest at `moment`, passing over damaged ones.

        Raises HoldfastError where no copy is that old.
        """
        for candidate in self._older_than(moment):
            copy = candidate if isinstance(candidate, StateCopy) else self._version(candidate)
            if copy is not None:
                return copy
        raise HoldfastError(
            f"there is no copy of the state at {time_text(moment)}",
            next_step=f"to see how far back they go: holdfast state backups {self.folder}",
        )

    def read(self, copy: StateCopy) -> tuple[StateObject, bytes]:
        """Return a copy's state and bytes. Raises HoldfastError where it is gone or not what it says."""
        content = copy.content if copy.content is not None else self._bytes(copy.name)
        if content is None:
            raise HoldfastError(f"{copy.name} is gone", next_step="take the next one")
        state = read_state(copy.name, content)
        if state.condition is not Condition.WHOLE or state.sha256 != copy.sha256:
            raise HoldfastError(
                f"{copy.name} is damaged: its SHA-256 is {state.sha256}, not {copy.sha256}",
                next_step="take the next one",
            )
        return state, content

    def _older_than(self, moment: datetime) -> Iterator[StateCopy | ObjectVersion]:
        backups = ((backup.written, 1, backup) for backup in self.backups())
        versions = (
            (version.modified, 0, version) for version in self.store.versions(self.key) if not version.deleted
        )
        candidates: list[tuple[datetime, int, StateCopy | ObjectVersion]] = [*backups, *versions]
        for written, _, candidate in sorted(candidates, key=lambda each: each[:2], reverse=True):
            if written <= moment:
                yield candidate

    def _named_version(self, name: str, version: str) -> StateCopy:
        for listed in self.store.versions(self.key):
            if listed.version == version and not listed.deleted:
                copy = self._version(listed)
                if copy is None:
                    raise HoldfastError(f"{name} is not a usable state", next_step="take the next one")
                return copy
        raise UsageError(f"there is no version called {name!r}")

    def _version(self, version: ObjectVersion) -> StateCopy | None:
        stored = self.store.get_version(self.key, version.version)
        name = f"{self.key}?versionId={version.version}"
        state = read_state(name, None if stored is None else stored.body)
        if stored is None or state.condition is not Condition.WHOLE:
            return None
        return StateCopy(
            name=name,
            written=version.modified,
            size=len(stored.body),
            lineage=state.lineage,
            serial=state.serial,
            sha256=state.sha256,
            is_version=True,
            content=stored.body,
        )

    def _bytes(self, name: str) -> bytes | None:
        stored = self.store.get(name)
        return None if stored is None else stored.body


def highest_serial(copies: Sequence[StateCopy], lineage: str) -> int:
    """Return the highest serial among the copies of a lineage; -1 for none."""
    return max((copy.serial for copy in copies if copy.lineage == lineage), default=-1)


def _of_backup(backup: Backup) -> StateCopy:
    return StateCopy(
        name=backup.key,
        written=backup.written,
        size=backup.size,
        lineage=backup.lineage,
        serial=backup.serial,
        sha256=backup.sha256,
        is_version=False,
        meta=backup.meta,
    )


def _age(copy: StateCopy) -> tuple[datetime, int, bool]:
    return copy.written, copy.serial, not copy.is_version
