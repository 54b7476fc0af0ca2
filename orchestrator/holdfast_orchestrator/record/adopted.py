"""Records of `holdfast adopt`: one for each shard, saying where its state came from.

    _holdfast/adopted/<state folder>.json

The app may go on declaring the backend its state was in (`declared`): the shard is deployed all the same.
"""

from dataclasses import dataclass

from holdfast_orchestrator.state.exact_writes import write_once
from holdfast_orchestrator.state.object_store import ObjectReader, ObjectStore
from holdfast_orchestrator.state.record_format import Format, Moment

MARK = ".adopted-by-holdfast"
"""What is beside a state that was adopted: its place is another one now."""
ADOPTED = "_holdfast/adopted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """One state that was taken over from `source`.

    `lineage`, `serial` and `sha256` are of the state as it was there; `declared` the place of the backend
    that the app declared then, None where it declared none.
    """

    shard: str
    run: str
    at: Moment
    actor: str
    source: str
    lineage: str
    serial: int
    sha256: str
    declared: str | None = None

    def body(self) -> bytes:
        """Return the object's bytes."""
        return FORMAT.body(self)


FORMAT = Format[Adopted]("holdfast/adopted-state/v1", Adopted)


def adopted_key(folder: str) -> str:
    """Return where the record of the shard with this state folder lies."""
    return f"{ADOPTED}/{folder}.json"


def read_adopted(store: ObjectReader, folder: str) -> Adopted | None:
    """Return the record, None where nothing was adopted. Raises NeedsPersonError for damage."""
    stored = store.get(adopted_key(folder))
    step = f"look at the object; where it says nothing of use, delete it: {adopted_key(folder)}"
    return None if stored is None else FORMAT.read(stored, next_step=step)


def write_adopted(store: ObjectStore, folder: str, record: Adopted) -> None:
    """Write the record, over an older one where there is one. Raises ObjectExistsError for another writer."""
    key = adopted_key(folder)
    before = store.head(key)
    write_once(store, key, record.body(), etag=None if before is None else before.etag)
