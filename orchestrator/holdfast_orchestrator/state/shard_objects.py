"""Objects of which each shard has one, at `<kind>/<state folder>.json`: records and leases."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.state.object_store import ObjectListing
from holdfast_orchestrator.system.workers import WorkerPool

_READERS = 16

T = TypeVar("T")


def shard_folders(store: ObjectListing, kind: str) -> Iterator[str]:
    """Yield the state folder of each shard that has an object of this kind."""
    return (folder_in(kind, head.key) for head in store.list(f"{kind}/"))


def folder_in(kind: str, key: str) -> str:
    """Return the state folder that the key of an object of this kind names."""
    return key.removeprefix(f"{kind}/").removesuffix(".json")


def read_each(folders: Iterable[str], read: Callable[[str], T | None]) -> Iterator[tuple[str, T]]:
    """Read what many shards have, several at a time; one that cannot be read is left out."""

    def readable(folder: str) -> tuple[str, T | None]:
        try:
            return folder, read(folder)
        except HoldfastError:
            return folder, None

    with WorkerPool(_READERS, "records") as readers:
        for folder, value in readers.map(readable, folders):
            if value is not None:
                yield folder, value
