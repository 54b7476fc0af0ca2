"""What exactly changed in a configuration since the last good deploy: for `--explain` only."""

from collections.abc import Iterator

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.change_detection.decide import Reason, Why
from holdfast_orchestrator.change_detection.normalize import UnreadableError, differing, normal
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.state.object_store import ObjectReader


def explained(store: ObjectReader, shard: Shard, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Return the reasons, a changed configuration with the blocks that differ."""
    return tuple(_each(store, shard, reasons))


def _each(store: ObjectReader, shard: Shard, reasons: tuple[Reason, ...]) -> Iterator[Reason]:
    for reason in reasons:
        if reason.why is Why.CONFIGURATION:
            yield Reason(reason.why, reason.words, _changed(store, shard))
        else:
            yield reason


def _changed(store: ObjectReader, shard: Shard) -> tuple[str, ...]:
    try:
        good = read_last_good(store, shard.state.folder)
        if good is None:
            return ()
        before = normal(read_artifact(store, good.record.artifact).configuration)
        return differing(before, normal(shard.configuration))
    except (HoldfastError, UnreadableError):
        # The reason is known without its details.
        return ()
