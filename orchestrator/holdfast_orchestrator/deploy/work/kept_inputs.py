"""The inputs of a deployment: kept before anything is applied, had again to go back to it.

One rule says what may be called verified: configuration and every input were those of that deployment. What
is known to be another one blocks; what nobody can know is done, named, and not called verified.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast_orchestrator.app.inputs import Inputs, both
from holdfast_orchestrator.deploy.work.failure import BlockedRollbackError
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.inputs.keep import keep_inputs
from holdfast_orchestrator.inputs.kept import inputs_of
from holdfast_orchestrator.inputs.place import Fetch
from holdfast_orchestrator.record.artifact import Artifact, artifact_key, keep_artifact, read_artifact
from holdfast_orchestrator.terraform.json_values import Document

if TYPE_CHECKING:
    from holdfast_orchestrator.deploy.work.attempt import Attempt
    from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard

_SHOWN = 3


def keep_deployed(leased: "LeasedShard", artifact: Artifact) -> str:
    """Keep an artifact and, before it, all it reads; return its name. One that lies there has both."""
    inputs = leased.shard.inputs
    if not inputs.is_empty and leased.store.head(artifact_key(artifact.sha256)) is None:
        keep_inputs(leased.store, inputs, _reader(leased.workdir, inputs))
        _tell_of_fingerprints(leased, inputs)
    return keep_artifact(leased.store, artifact)


def _reader(folder: Path, inputs: Inputs) -> Fetch:
    places = {file.sha256: folder / file.path for file in inputs.files if file.kept}

    def read(sha256: str) -> bytes | None:
        try:
            content = places[sha256].read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    return read


def _tell_of_fingerprints(leased: "LeasedShard", inputs: Inputs) -> None:
    names = tuple(dict.fromkeys(file.part_of for file in inputs.files if not file.kept))
    if names:
        leased.say(
            f"{_listed(names)}: only a fingerprint is kept, so this deploy can be gone back to only where "
            "the same bytes still lie there"
        )


def inputs_to_go_back_with(leased: "LeasedShard", attempt: "Attempt", configuration: Document) -> Inputs:
    """Return the last good deployment's inputs and, for what else `configuration` has, the failed one's.

    Raises BlockedRollbackError where one of them is another now, and was not kept.
    """
    if attempt.good is None:
        return leased.shard.inputs
    artifact = read_artifact(leased.store, attempt.good.record.artifact)
    inputs, changed = inputs_of(leased.store, artifact, leased.shard)
    if changed:
        raise BlockedRollbackError(
            f"the last good deploy read {_listed(changed)}, of which only a fingerprint is kept, and "
            "something else lies there now; going back would mix its configuration with other files",
            next_step=f"put back what it read, then: holdfast resume {attempt.run} --continue; or fix "
            f"forward and deploy, or: holdfast resume {attempt.run} --accept-forward",
            violations=(),
        )
    return _with_providers(inputs, leased.shard.inputs, configuration, attempt.good.configuration)


def _with_providers(inputs: Inputs, standing: Inputs, configuration: Document, good: Document) -> Inputs:
    """Add what the provider blocks read that are needed on the way back alone."""
    return inputs if configuration.get("provider") == good.get("provider") else both(inputs, standing)


def inputs_to_go_back_by_hand(
    leased: "LeasedShard", artifact: Artifact, configuration: Document, *, run: str
) -> Inputs:
    """Return the inputs of an earlier deployment.

    Raises NeedsPersonError where one of them is another now, and was not kept.
    """
    inputs, changed = inputs_of(leased.store, artifact, leased.shard)
    if changed:
        raise NeedsPersonError(
            f"deploy {run} read {_listed(changed)}, of which only a fingerprint is kept, and something else "
            "lies there now",
            next_step=f"put back what it read, then: holdfast rollback {leased.shard.name} --to {run}",
        )
    return _with_providers(inputs, leased.shard.inputs, configuration, json.loads(artifact.configuration))


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
