"""Before a destroy takes anything down: what of all its shards is protected.

The shards of a destroy go one after another. A database that the service refuses to delete would be met when
what depends on it is gone already, so all states are read first.
"""

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast_orchestrator.app.manifest import LOCAL, Shard
from holdfast_orchestrator.context.tools import Tools
from holdfast_orchestrator.errors import GateError, NeedsPersonError
from holdfast_orchestrator.gate.protection import is_guarded, without_keys
from holdfast_orchestrator.state.snapshot import StateSnapshot, read_snapshot
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.deletion_protection import never_destroyed, switched_on
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.references import declares

_READERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Protections:
    """What stands against the destroy of one shard.

    Attributes:
        by_name: addresses that somebody has to name before they are lost.
        switches: addresses whose deletion protection is on, with the attributes that switch it off.
        out_of_reach: those of them that the stack's own configuration does not declare.
        forbidden: addresses that the configuration lets no plan destroy (`prevent_destroy`).
    """

    by_name: tuple[str, ...] = ()
    switches: Mapping[str, Mapping[str, object]]
    out_of_reach: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def unnamed(self, allowed: Collection[str]) -> tuple[str, ...]:
        """Return the addresses that have to be named and are not among `allowed`."""
        return tuple(each for each in self.by_name if {each, without_keys(each)}.isdisjoint(allowed))


def protections_of(shard: Shard, state: Document) -> Protections:
    """Return what of a state's objects is protected; on the local cloud nothing has to be named."""
    configuration: Document = json.loads(shard.configuration)
    never, is_local = never_destroyed(configuration), LOCAL in (shard.cloud, shard.environment)
    switches, named, forbidden = {}, [], []
    for address, _, instance in managed(state):
        if off := switched_on(instance.get("attributes") or {}):
            switches[address] = off
        if not is_local and (off or is_guarded(shard, address)):
            named.append(address)
        if without_keys(address) in never:
            forbidden.append(address)
    return Protections(
        by_name=tuple(dict.fromkeys(named)),
        switches=switches,
        out_of_reach=tuple(each for each in switches if not is_declared(configuration, each)),
        forbidden=tuple(dict.fromkeys(forbidden)),
    )


def protected_objects(
    tools: Tools, shards: Sequence[Shard], allowed: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """Return for each shard the addresses that have to be named, and are not, before a destroy loses them."""
    return {shard.name: found.unnamed(allowed) for shard, found in _read(tools, shards)}


def refuse_protected(tools: Tools, shards: Sequence[Shard], allowed: Collection[str]) -> None:
    """Return if all of the shards can be destroyed. Raises GateError that names what stands against it."""
    found = list(_read(tools, shards))
    for shard, protections in found:
        _refuse_forbidden(shard, protections)
    unnamed = [(shard, address) for shard, protections in found for address in protections.unnamed(allowed)]
    if unnamed:
        names = ", ".join(f"{address} of {shard.name}" for shard, address in unnamed)
        options = " ".join(f"--allow-destroy {shlex.quote(address)}" for _, address in unnamed)
        raise GateError(
            f"this would destroy {names}, which {'is' if len(unnamed) == 1 else 'are'} protected; "
            "nothing was taken down",
            next_step=f"keep what must stay, or allow it by name: holdfast … {options}",
        )


def _refuse_forbidden(shard: Shard, protections: Protections) -> None:
    if protections.forbidden:
        raise GateError(
            f"{', '.join(protections.forbidden)} of {shard.name}: the app says prevent_destroy, so Terraform "
            "refuses every plan that destroys it; nothing was taken down",
            next_step="take prevent_destroy out of the code, and destroy then",
        )
    if protections.out_of_reach:
        raise GateError(
            f"{', '.join(protections.out_of_reach)} of {shard.name} has deletion protection on, and is not "
            "in the stack's own configuration, where it could be switched off; nothing was taken down",
            next_step="switch it off in the code that declares it (in its module; a block that was removed "
            "has to come back), deploy, and destroy then",
        )


def is_declared(configuration: Document, address: str) -> bool:
    """Whether the stack's own configuration has the block of an instance, and no module does."""
    return not address.startswith("module.") and declares(configuration, address)


def _read(tools: Tools, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Protections]]:
    with WorkerPool(min(_READERS, len(shards) or 1)) as readers:
        states = list(readers.map(lambda shard: _state(tools, shard), shards))
    for shard, snapshot in zip(shards, states, strict=True):
        if snapshot is not None:
            yield shard, protections_of(shard, snapshot.document)


def _state(tools: Tools, shard: Shard) -> StateSnapshot | None:
    try:
        return read_snapshot(tools.store(shard), shard.state.key)
    except NeedsPersonError:
        # The destroy of that shard says what is wrong with it, and changes nothing.
        return None
