"""Finds the shards whose last good deployments still read what a shard is about to remove."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from holdfast_orchestrator.app.manifest import Shard, by_bucket
from holdfast_orchestrator.change_detection.upstream import outputs_read
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.last_good import LAST_GOOD, read_last_good
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.shard_objects import read_each, shard_folders
from holdfast_orchestrator.terraform.json_values import blocks, parsed
from holdfast_orchestrator.terraform.settled_data import SETTLED


def readers_of(shard: Shard, run: Run, outputs: Collection[str] | None) -> Mapping[str, frozenset[str]]:
    """Return which shards' last good deployments read which of these outputs (None: any), by shard name.

    Shards that are not in the app any more count while they are deployed. A record or an artifact that
    cannot be read names nobody: what it says could not be gone back to either.
    """
    readers: dict[str, frozenset[str]] = {}
    for first, *_ in by_bucket(run.manifest.shards):
        with suppress(HoldfastError):
            readers.update(_readers(run.tools.store(first), shard, outputs))
    return readers


def looking_up(names: Collection[str], run: Run) -> Iterator[str]:
    """Yield those of these shards whose last good deployment looks something up with a data source."""
    for shard in (run.manifest.by_name[name] for name in names if name in run.manifest.by_name):
        store = run.tools.store(shard)
        with suppress(HoldfastError):
            good = read_last_good(store, shard.state.folder)
            if good is None or good.record.is_destroy:
                continue
            configuration = parsed(read_artifact(store, good.record.artifact).configuration)
            if any(kind not in SETTLED for kind, _, _ in blocks(configuration, "data")):
                yield shard.name


def _readers(
    store: DurableStore, shard: Shard, outputs: Collection[str] | None
) -> Iterator[tuple[str, frozenset[str]]]:
    others = (folder for folder in shard_folders(store, LAST_GOOD) if folder != shard.state.folder)
    for _, (name, read) in read_each(others, lambda folder: _read_by(store, folder, shard)):
        wanted = read if outputs is None else read & frozenset(outputs)
        if wanted:
            yield name, wanted


def _read_by(store: DurableStore, folder: str, shard: Shard) -> tuple[str, frozenset[str]] | None:
    """Return the name of the shard in this folder and what it reads of `shard`; None for nothing."""
    good = read_last_good(store, folder)
    if good is None or good.record.is_destroy or shard.name not in good.record.inputs:
        return None
    configuration = parsed(read_artifact(store, good.record.artifact).configuration)
    name = str((good.record.shard or {}).get("name") or folder)
    return name, outputs_read(configuration, (shard.state.bucket, shard.state.key))
