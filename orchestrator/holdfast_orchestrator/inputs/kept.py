"""The inputs that an artifact was deployed with: found again, compared, handed to another machine."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from holdfast_orchestrator.app.inputs import Inputs
from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.inputs.compare import found_here, reads_something, uncertain
from holdfast_orchestrator.inputs.keep import keep_inputs, read_inputs
from holdfast_orchestrator.record.artifact import Artifact, read_artifact
from holdfast_orchestrator.state.object_store import ObjectReader, ObjectStore
from holdfast_orchestrator.terraform.json_values import Document


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


def inputs_of(store: ObjectReader, artifact: Artifact, shard: Shard) -> tuple[Inputs, tuple[str, ...]]:
    """Return what an artifact reads, as it can be had here, and the names of those that are others now."""
    return found_here(read_inputs(store, artifact.inputs), _stack(shard))


def with_inputs(shard: Shard, store: ObjectReader, artifact: Artifact) -> Shard:
    """Return the shard with the configuration of an artifact and all it reads."""
    inputs, _ = inputs_of(store, artifact, shard)
    return replace(shard, configuration=artifact.configuration, inputs=inputs)


def doubts_about(store: ObjectReader, artifact_sha256: str) -> tuple[str, ...]:
    """Return why nobody can say that a deployment was gone back to with all that it read; empty: it was."""
    artifact = read_artifact(store, artifact_sha256)
    recorded = artifact.inputs
    inputs = read_inputs(store, None if recorded is None else {**recorded, "variables": None})
    return uncertain(inputs, reads=reads_something(artifact.configuration))


def reapplied(run: str, doubts: tuple[str, ...]) -> str:
    """Return the sentence about a deployment that was gone back to."""
    if not doubts:
        return f"deploy {run} re-applied, verified"
    return f"deploy {run} re-applied, but not proved to be what it was: {'; '.join(doubts)}"


def same_inputs_kept(store: ObjectReader, one: str, other: str) -> bool:
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
    recorded = dict(artifact.inputs or {})
    files = [(each["path"], each["identity"], each["executable"]) for each in recorded.get("files", ())]
    return {**recorded, "files": files}


def _stack(shard: Shard) -> Path | None:
    """The stack's folder here; a shard that was read from a record has none."""
    return None if shard.directory == Path() else shard.directory
