"""Finds a move that did not end by the names of its two stacks, which may have left the app."""

from holdfast_orchestrator.record.moving import Moving
from holdfast_orchestrator.record.state_record import STATES, read_state_record
from holdfast_orchestrator.state.object_store import ListedReader
from holdfast_orchestrator.state.shard_objects import read_each, shard_folders


def begun_move(store: ListedReader, source: str, target: str, environments: tuple[str, ...]) -> Moving | None:
    """Return the move between two stacks of these environments (none: any) that did not end.

    Reads every state record of the bucket; one that cannot be read has no move.
    """
    for _, kept in read_each(shard_folders(store, STATES), lambda folder: read_state_record(store, folder)):
        moving = kept.record.moving
        if moving is None or (moving.source["name"], moving.target["name"]) != (source, target):
            continue
        if moving.target["environment"] in (environments or (moving.target["environment"],)):
            return moving if moving.is_begun(store) else None
    return None
