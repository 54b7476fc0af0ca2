"""What Holdfast needs of a place for objects, and no more.

A function takes the smallest of these protocols that it needs, so that its signature says what it may do to a
bucket: only read, write under a condition, delete, list. `DurableStore` is all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from holdfast_orchestrator.errors import HoldfastError


class ObjectExistsError(HoldfastError):
    """A conditional write found another object (or another version) at its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectHead:
    """An object without its bytes; `size` in bytes, `version` where the bucket keeps versions.

    `modified` is when the object was written and `served` when the bucket answered, both by the bucket's
    clock and in whole seconds; None where the answer did not say.
    """

    key: str
    etag: str
    size: int
    version: str | None = None
    modified: datetime | None = field(default=None, compare=False)
    served: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """One version of an object, or, with `deleted`, the mark that it was deleted then."""

    key: str
    version: str
    modified: datetime
    size: int = 0
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object and its bytes."""

    head: ObjectHead
    body: bytes = field(repr=False)


class ObjectReader(Protocol):
    """Reads objects. Raises StateBucketError, as all others here, where the bucket itself cannot be used."""

    def head(self, key: str) -> ObjectHead | None:
        """Return what lies at `key`, None for nothing."""

    def get(self, key: str) -> StoredObject | None:
        """Return the object at `key`, None for nothing."""


class ObjectStore(ObjectReader, Protocol):
    """Reads objects, and writes them under a condition."""

    def create(self, key: str, body: bytes) -> ObjectHead:
        """Write a new object. Raises ObjectExistsError where there is one."""

    def replace(self, key: str, body: bytes, *, etag: str) -> ObjectHead:
        """Write over exactly the object with `etag`. Raises ObjectExistsError for any other."""


class DeletingStore(ObjectStore, Protocol):
    """Deletes objects, too."""

    def delete(self, key: str, *, etag: str) -> None:
        """Delete exactly the object with `etag`. Raises ObjectExistsError for any other, or for none."""


class ObjectListing(Protocol):
    """Lists what there is."""

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        """Yield what lies below `prefix`, by key; `after` leaves out all keys up to and including it."""

    def folders(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the distinct names that follow `prefix` (ending in `/`) up to the next `/`, sorted.

        `after` leaves out all names up to it.
        """


class ListedReader(ObjectReader, ObjectListing, Protocol):
    """Lists objects and reads them."""


class ListedStore(ObjectStore, ObjectListing, Protocol):
    """Lists, reads and writes objects."""


class ObjectHistory(Protocol):
    """Knows the earlier versions of objects."""

    def versions(self, key: str) -> tuple[ObjectVersion, ...]:
        """Return the versions of one object, newest first; only the current one in an unversioned bucket."""

    def get_version(self, key: str, version: str) -> StoredObject | None:
        """Return one version of an object, None where there is none."""


class BucketClock(Protocol):
    """Tells the bucket's own time."""

    def now(self) -> datetime:
        """Return the time by the bucket's clock, in whole seconds, UTC."""


class BucketLifecycle(Protocol):
    """Knows the rules by which the bucket deletes objects by itself."""

    def lifecycle(self) -> tuple[Mapping[str, Any], ...]:
        """Return the rules."""

    def set_lifecycle(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Make these all of the bucket's rules."""


class DurableStore(ListedStore, DeletingStore, ObjectHistory, BucketClock, BucketLifecycle, Protocol):
    """A whole bucket: what is opened once and handed on."""

    def check(self) -> None:
        """Return if the bucket exists and may be used."""
