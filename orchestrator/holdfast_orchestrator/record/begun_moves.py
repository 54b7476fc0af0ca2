"""Moves that did not end, found by the names of the two stacks: the app may have neither of them any more."""

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.moving import Moving
from holdfast_orchestrator.record.state_record import STATES, read_state_record
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.system.workers import WorkerPool

_READERS = 8


def begun_move(store: DurableStore, source: str, target: str, environments: tuple[str, ...]) -> Moving | None:
    """Return the move between two stacks of these environments (none: any) that did not end.

    Reads every state record of the bucket; one that cannot be read has no move.
    """
    folders = [head.key.removeprefix(f"{STATES}/").removesuffix(".json") for head in store.list(f"{STATES}/")]
    with WorkerPool(_READERS, "moves") as readers:
        found = readers.map(lambda folder: _moving(store, folder), folders)
        for moving in found:
            if moving is None or (moving.source["name"], moving.target["name"]) != (source, target):
                continue
            if moving.target["environment"] in (environments or (moving.target["environment"],)):
                return moving if moving.is_begun(store) else None
    return None


def _moving(store: DurableStore, folder: str) -> Moving | None:
    try:
        kept = read_state_record(store, folder)
    except HoldfastError:
        return None
    return None if kept is None else kept.record.moving
