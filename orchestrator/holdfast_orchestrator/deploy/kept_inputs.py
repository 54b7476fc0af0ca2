"""The inputs of a deployment: kept before anything is applied, had again to go back to it.

One rule says what may be called verified: configuration and every input were those of that deployment. What
is known to be another one blocks; what nobody can know is done, named, and not called verified.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_orchestrator.deploy.no_return import BlockedRollbackError
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.inputs.compare import found_here, reads_something, uncertain
from holdfast_orchestrator.inputs.keep import keep_inputs, read_inputs
from holdfast_orchestrator.inputs.place import Fetch
from holdfast_orchestrator.inputs.value import Inputs, both
from holdfast_orchestrator.manifest import Shard
from holdfast_orchestrator.record.artifact import Artifact, artifact_key, keep_artifact, read_artifact
from holdfast_orchestrator.rollback.documents import Document
from holdfast_orchestrator.state.store import ObjectStore

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.attempt import Attempt
    from holdfast_orchestrator.deploy.bench import Bench

_SHOWN = 3


def keep_deployed(bench: "Bench", artifact: Artifact) -> str:
    """Keep an artifact and, before it, all it reads; return its name. One that lies there has both."""
    inputs = bench.shard.inputs
    if not inputs.is_empty and bench.store.head(artifact_key(artifact.sha256)) is None:
        keep_inputs(bench.store, inputs, _reader(bench.workdir, inputs))
        _tell_of_fingerprints(bench, inputs)
    return keep_artifact(bench.store, artifact)


def _reader(folder: Path, inputs: Inputs) -> Fetch:
    places = {file.sha256: folder / file.path for file in inputs.files if file.kept}

    def read(sha256: str) -> bytes | None:
        try:
            content = places[sha256].read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    return read


def hand_over(store: ObjectStore, inputs: Inputs) -> None:
    """Keep what a shard reads before it is worked on elsewhere; what lies outside the app must lie there."""
    sources = {file.sha256: file.source for file in inputs.files if file.kept and file.source is not None}

    def read(sha256: str) -> bytes | None:
        try:
            return sources[sha256].read_bytes()
        except (OSError, KeyError):
            return None

    if not inputs.is_empty:
        keep_inputs(store, inputs, read)


def _tell_of_fingerprints(bench: "Bench", inputs: Inputs) -> None:
    names = tuple(dict.fromkeys(file.part_of for file in inputs.not_kept))
    if names:
        bench.say(
            f"{_listed(names)}: only a fingerprint is kept, so this deploy can be gone back to only where "
            "the same bytes still lie there"
        )


def inputs_of(store: ObjectStore, artifact: Artifact, shard: Shard) -> tuple[Inputs, tuple[str, ...]]:
    """Return what an artifact reads, as it can be had here, and the names of those that are others now."""
    return found_here(read_inputs(store, artifact.inputs), _stack(shard))


def with_inputs(shard: Shard, store: ObjectStore, artifact: Artifact) -> Shard:
    """Return the shard with the configuration of an artifact and all it reads."""
    inputs, _ = inputs_of(store, artifact, shard)
    return replace(shard, configuration=artifact.configuration, inputs=inputs)


def inputs_to_go_back_with(bench: "Bench", attempt: "Attempt", configuration: Document) -> Inputs:
    """Return the last good deployment's inputs and, for what else `configuration` has, the failed one's.

    Raises BlockedRollbackError where one of them is another now, and was not kept.
    """
    if attempt.good is None:
        return bench.shard.inputs
    artifact = read_artifact(bench.store, attempt.good.record.artifact)
    inputs, changed = inputs_of(bench.store, artifact, bench.shard)
    if changed:
        raise BlockedRollbackError(
            f"the last good deploy read {_listed(changed)}, of which only a fingerprint is kept, and "
            "something else lies there now; going back would mix its configuration with other files",
            next_step=f"put back what it read, then: holdfast resume {attempt.run} --continue; or fix "
            f"forward and deploy, or: holdfast resume {attempt.run} --accept-forward",
            violations=(),
        )
    return _with_providers(inputs, bench.shard.inputs, configuration, attempt.good.configuration)


def _with_providers(inputs: Inputs, standing: Inputs, configuration: Document, good: Document) -> Inputs:
    """Add what the provider blocks read that are needed on the way back alone."""
    return inputs if configuration.get("provider") == good.get("provider") else both(inputs, standing)


def inputs_to_go_back_by_hand(
    bench: "Bench", artifact: Artifact, configuration: Document, *, run: str
) -> Inputs:
    """Return the inputs of an earlier deployment.

    Raises NeedsPersonError where one of them is another now, and was not kept.
    """
    inputs, changed = inputs_of(bench.store, artifact, bench.shard)
    if changed:
        raise NeedsPersonError(
            f"deploy {run} read {_listed(changed)}, of which only a fingerprint is kept, and something else "
            "lies there now",
            next_step=f"put back what it read, then: holdfast rollback {bench.shard.name} --to {run}",
        )
    return _with_providers(inputs, bench.shard.inputs, configuration, json.loads(artifact.configuration))


def doubts_about(store: ObjectStore, artifact_sha256: str) -> tuple[str, ...]:
    """Return why nobody can say that a deployment was gone back to with all that it read; empty: it was."""
    artifact = read_artifact(store, artifact_sha256)
    told = artifact.inputs
    known = read_inputs(store, None if told is None else {**told, "variables": None})
    return uncertain(known, reads=reads_something(artifact.configuration))


def reapplied(run: str, doubts: tuple[str, ...]) -> str:
    """Return how a deployment is told of that was gone back to."""
    if not doubts:
        return f"deploy {run} re-applied, verified"
    return f"deploy {run} re-applied, but not proved to be what it was: {'; '.join(doubts)}"


def same_inputs_kept(store: ObjectStore, one: str, other: str) -> bool:
    """Whether two artifacts read the same, as far as both can be read."""
    with suppress(NeedsPersonError):
        return same_inputs(read_artifact(store, one), read_artifact(store, other))
    return True


def same_inputs(one: Artifact, other: Artifact) -> bool:
    """Whether two deployments read the same, as far as both are known."""
    if one.inputs is None or other.inputs is None:
        return True
    return _compared(one) == _compared(other)


def _compared(artifact: Artifact) -> Document:
    told = dict(artifact.inputs or {})
    files = [(each["path"], each["identity"], each["executable"]) for each in told.get("files", ())]
    return {**told, "files": files}


def _stack(shard: Shard) -> Path | None:
    """The stack's folder here; a shard that was read from a record has none."""
    return None if shard.directory == Path() else shard.directory


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
