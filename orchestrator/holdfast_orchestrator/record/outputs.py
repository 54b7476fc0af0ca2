"""The outputs of a shard's last good deployment, read from the state that it left.

The last-good record names that state by serial, digest and version. Where the bucket keeps versions, the
outputs of exactly that state are returned, whatever a later deploy that has not ended left since.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.last_good import LAST_GOOD, LastGood, read_last_good
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state.shard_objects import shard_folders
from holdfast_orchestrator.state_key import STATE_FILE
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.json_values import named
from holdfast_orchestrator.terraform.output_names import is_for_people
from holdfast_orchestrator.terraform.state_file import NotAStateError, parse_state

_READERS = 16

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OutputValue:
    """One output: `value` as Terraform's state has it; `sensitive` as the configuration declares it."""

    name: str
    value: Any = field(repr=False)
    sensitive: bool = False

    @property
    def is_for_people(self) -> bool:
        """Whether it was declared by hand: not for another stack of the app, nor for a health check."""
        return is_for_people(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOutputs:
    """The outputs of one shard, sorted by name, and the deployment they are of."""

    shard: str
    environment: str
    run: str
    at: datetime
    outputs: tuple[OutputValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedShard:
    """A shard of which something is deployed: its names, and its last good deployment in `store`."""

    shard: str
    service: str
    environment: str
    folder: str
    record: LastGood = field(repr=False)
    store: DurableStore = field(repr=False)

    def outputs(self) -> ShardOutputs:
        """Read its outputs. Raises NeedsPersonError where the state that the record names cannot be read."""
        return ShardOutputs(
            shard=self.shard,
            environment=self.environment,
            run=self.record.run,
            at=self.record.at,
            outputs=_outputs(_state(self.store, self.folder, self.record)),
        )


def deployed_shards(store: DurableStore) -> tuple[DeployedShard, ...]:
    """Return each shard of a bucket of which something is deployed; states are not read.

    Raises NeedsPersonError where a record cannot be read.
    """
    return tuple(
        filter(None, at_once(lambda folder: deployed(store, folder), shard_folders(store, LAST_GOOD)))
    )


def deployed(store: DurableStore, folder: str) -> DeployedShard | None:
    """Return the shard with this state folder; None where nothing of it is deployed.

    Raises NeedsPersonError where its record cannot be read.
    """
    promoted = read_last_good(store, folder)
    if promoted is None or promoted.record.is_destroy:
        return None
    # Records of older versions do not name the shard.
    service, _, region, environment = folder.split("/")
    note = promoted.record.shard or {
        "name": f"{service}-{environment}-{region}",
        "service": service,
        "environment": environment,
    }
    return DeployedShard(
        shard=note["name"],
        service=note["service"],
        environment=note["environment"],
        folder=folder,
        record=promoted.record,
        store=store,
    )


def at_once(read: Callable[[T], R], of: Iterable[T]) -> list[R]:
    """Read several at a time; the results are in their order. The first error is raised."""
    with WorkerPool(_READERS, "outputs") as readers:
        return list(readers.map(read, of))


def declares_outputs(configuration: bytes) -> bool:
    """Return whether a configuration declares an output for people to read."""
    outputs = named(json.loads(configuration).get("output"))
    return any(is_for_people(name) for name, _ in outputs)


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
