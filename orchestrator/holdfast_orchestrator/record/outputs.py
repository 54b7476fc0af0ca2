"""The outputs of a shard's last good deployment, read from the state that it left.

The last-good record names that state by serial, digest and version. Where the bucket keeps versions, the
outputs of exactly that state are returned, whatever a later deploy that has not ended left since.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.last_good import LAST_GOOD, LastGood, read_last_good
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.shard_objects import shard_folders
from holdfast_orchestrator.state_key import STATE_FILE
from holdfast_orchestrator.terraform.json_values import named
from holdfast_orchestrator.terraform.state_file import NotAStateError, parse_state

# cdktf names an output so that another stack reads.
_CROSS_STACK = "cross-stack-output-"


@dataclass(frozen=True, slots=True)
class OutputValue:
    """One output: `value` as Terraform's state has it; `sensitive` as the configuration declares it."""

    name: str
    value: Any = field(repr=False)
    sensitive: bool = False

    @property
    def is_cross_stack(self) -> bool:
        """Whether cdktf made it for another stack of the app."""
        return self.name.startswith(_CROSS_STACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOutputs:
    """The outputs of one shard, sorted by name, and the deployment they are of."""

    shard: str
    service: str
    environment: str
    run: str
    at: datetime
    outputs: tuple[OutputValue, ...]


def deployed_outputs(store: DurableStore) -> tuple[ShardOutputs, ...]:
    """Return the outputs of each shard of a bucket that is deployed, sorted by shard name.

    Raises NeedsPersonError where a record or the state that it names cannot be read.
    """
    shards = (outputs_of(store, folder) for folder in shard_folders(store, LAST_GOOD))
    return tuple(sorted((one for one in shards if one is not None), key=lambda one: one.shard))


def outputs_of(store: DurableStore, folder: str) -> ShardOutputs | None:
    """Return the outputs of the shard with this state folder; None where nothing of it is deployed.

    Raises NeedsPersonError where the record or the state that it names cannot be read.
    """
    promoted = read_last_good(store, folder)
    if promoted is None or promoted.record.is_destroy:
        return None
    record = promoted.record
    # Records of older versions do not name the shard.
    service, _, region, environment = folder.split("/")
    note = record.shard or {
        "name": f"{service}-{environment}-{region}",
        "service": service,
        "environment": environment,
    }
    return ShardOutputs(
        shard=note["name"],
        service=note["service"],
        environment=note["environment"],
        run=record.run,
        at=record.at,
        outputs=_outputs(_state(store, folder, record)),
    )


def declares_outputs(configuration: bytes) -> bool:
    """Return whether a configuration declares an output that is not for another stack of the app."""
    return any(
        not name.startswith(_CROSS_STACK) for name, _ in named(json.loads(configuration).get("output"))
    )


def _state(store: DurableStore, folder: str, record: LastGood) -> Mapping[str, Any]:
    key = str(((record.shard or {}).get("state") or {}).get("key") or f"{folder}/{STATE_FILE}")
    version = record.state_version
    stored = store.get_version(key, version) if version is not None else store.get(key)
    next_step = f"to see what is left: holdfast state backups {shlex.quote(key)}"
    if stored is None:
        raise NeedsPersonError(f"the state {key} of run {record.run} is gone", next_step=next_step)
    try:
        return parse_state(stored.body)
    except NotAStateError as error:
        raise NeedsPersonError(
            f"the state {key} of run {record.run} cannot be read: {error}", next_step=next_step
        ) from None


def _outputs(state: Mapping[str, Any]) -> tuple[OutputValue, ...]:
    outputs = state.get("outputs") or {}
    return tuple(
        OutputValue(name, output.get("value"), bool(output.get("sensitive")))
        for name, output in sorted(outputs.items())
        if isinstance(output, Mapping)
    )
