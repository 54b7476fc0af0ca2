"""A verified copy of a state, made before anything may change what it describes.

The copy's name is its content (`<serial>-<sha256>`), so the same state is never copied twice and a
copy is never overwritten. It counts only when it has been read back and is the same byte for byte.
"""

from contextlib import suppress

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.state.snapshot import StateSnapshot
from holdfast_orchestrator.state.store import ObjectExistsError, ObjectStore

BACKUPS = "_holdfast/backups"


def backup_key(snapshot: StateSnapshot) -> str:
    """Return where the backup of a state lies in its bucket."""
    folder = snapshot.key.rpartition("/")[0]
    return f"{BACKUPS}/{folder}/{snapshot.lineage}/{snapshot.serial}-{snapshot.sha256}.json"


def back_up(store: ObjectStore, snapshot: StateSnapshot) -> str:
    """Copy the state aside and return the copy's key.

    Raises HoldfastError where the copy cannot be read back as it was written.
    """
    key = backup_key(snapshot)
    # One that is there already is compared like a fresh one.
    with suppress(ObjectExistsError):
        store.create(key, snapshot.body)
    copy = store.get(key)
    if copy is None or copy.body != snapshot.body:
        raise HoldfastError(
            f"the backup at {key} is not what was written there; nothing was applied",
            next_step="delete that object and deploy again",
        )
    return key
