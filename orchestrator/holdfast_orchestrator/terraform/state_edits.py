"""Edits of a state that no configuration can express, as new documents with the next serial.

Deposed swap. A create-before-destroy replacement whose old object could not be deleted leaves the
old one deposed. A rollback plan would destroy it and, with a fixed name, could never create it again.
Making the old object current and the new one deposed turns that into one destroy and no create.

Moves. An inverse `moved` block is refused where the last good configuration declares the address the
object is at now ("Moved object still exists"): two addresses that swapped, or a name that was
taken over. Renaming in the state says the same thing.

Forgetting one instance. `removed` takes no instance keys ("Resource instance keys not allowed").

Every edit is written by a conditional PUT against the version it was made from, backed up before.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.terraform.addresses import format_address, parse_address
from holdfast_orchestrator.terraform.identity import IdentityIndex, identify
from holdfast_orchestrator.terraform.json_values import Document, managed


@dataclass(frozen=True, slots=True, order=True)
class Deposed:
    """One deposed object: the address it belongs to and Terraform's key of it."""

    address: str
    key: str


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """An object that is at `source` and belongs to `target`."""

    source: str
    target: str


def deposed_to_swap(state: Document, last_good: IdentityIndex) -> tuple[Deposed, ...]:
    """Return the deposed objects of the last good deployment, which must be current again.

    Only one object can be current at an address: where several qualify, the first is returned and
    the rollback guard stops the destruction of the others.
    """
    to_swap: dict[str, Deposed] = {}
    for address, resource, instance in managed(state):
        if "deposed" not in instance:
            continue
        identity = identify(resource["type"], instance.get("attributes") or {}, address=address)
        if identity in last_good:
            to_swap.setdefault(address, Deposed(address, instance["deposed"]))
    return tuple(to_swap.values())


def swap_deposed(state: Document, swaps: Sequence[Deposed]) -> dict[str, Any]:
    """Return the state with these deposed objects current, and the current ones deposed under the same key.

    Raises HoldfastError where the state has no such deposed object.
    """
    edited = _next(state)
    for swap in swaps:
        _swap(edited, swap)
    return edited


def move_in_state(state: Document, moves: Sequence[Move]) -> dict[str, Any]:
    """Return the state with objects renamed, all at once, so that two addresses can be exchanged.

    Deposed objects of an address go along with it. Raises HoldfastError where a source does not exist,
    types differ, or two objects would share an address.
    """
    targets = {move.source: move.target for move in moves}
    addresses = {address for address, _, _ in managed(state)}
    final = [targets.get(address, address) for address in sorted(addresses)]
    if not set(targets) <= addresses or len(set(final)) != len(final):
        asked = ", ".join(f"{move.source} -> {move.target}" for move in moves)
        raise HoldfastError(f"These moves do not fit the state: {asked}.")
    edited = _next(state)
    edited["resources"] = _rebuilt(state, targets)
    return edited


def forget_in_state(state: Document, addresses: Collection[str]) -> dict[str, Any]:
    """Return the state without the objects at these addresses; in the cloud they stay as they are.

    Raises HoldfastError where the state has nothing at one of the addresses.
    """
    missing = set(addresses) - {address for address, _, _ in managed(state)}
    if missing:
        raise HoldfastError(f"The state has nothing at {', '.join(sorted(missing))}.")
    edited = _next(state)
    edited["resources"] = _filtered(state, lambda address: address not in addresses)
    return edited


def find_resource(resources: Iterable[dict[str, Any]], like: Document) -> dict[str, Any] | None:
    """Return the resource of a state that has the module, mode, type and name of another."""
    names = ("module", "mode", "type", "name")
    same = (each for each in resources if all(each.get(name) == like.get(name) for name in names))
    return next(same, None)


def _next(state: Document) -> dict[str, Any]:
    edited = deepcopy(dict(state))
    edited["serial"] = int(state["serial"]) + 1
    return edited


def _address(resource: Document, instance: Document) -> str:
    return format_address(
        resource.get("module"), resource["type"], resource["name"], instance.get("index_key")
    )


def _swap(edited: dict[str, Any], swap: Deposed) -> None:
    at_address = [
        (resource["instances"], position, instance)
        for resource in edited["resources"]
        if resource.get("mode") == "managed"
        for position, instance in enumerate(resource["instances"])
        if _address(resource, instance) == swap.address
    ]
    old = next((each for each in at_address if each[2].get("deposed") == swap.key), None)
    if old is None:
        raise HoldfastError(f"The state has no deposed object {swap.key} at {swap.address}.")
    current = next((each for each in at_address if "deposed" not in each[2]), None)
    if current is not None:
        # The positions are exchanged too: Terraform writes the current object first.
        current[0][current[1]] = _without(old[2], "deposed")
        old[0][old[1]] = {**current[2], "deposed": swap.key}
    else:
        old[0][old[1]] = _without(old[2], "deposed")


def _without(instance: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in instance.items() if key != name}


def _filtered(state: Document, keep: Callable[[str], bool]) -> list[dict[str, Any]]:
    kept = []
    for resource in state.get("resources") or ():
        if resource.get("mode") != "managed":
            kept.append(deepcopy(dict(resource)))
            continue
        instances = [each for each in resource["instances"] if keep(_address(resource, each))]
        if instances:
            kept.append({**deepcopy(dict(resource)), "instances": deepcopy(instances)})
    return kept


def _rebuilt(state: Document, targets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Untouched resources as they are, then each moved object in the resource of its target."""
    kept = _filtered(state, lambda address: address not in targets)
    for address, resource, instance in managed(state):
        if address in targets:
            _put(kept, resource, deepcopy(dict(instance)), targets[address])
    return kept


def _put(resources: list[dict[str, Any]], origin: Document, instance: dict[str, Any], target: str) -> None:
    place = parse_address(target)
    if place.kind != origin["type"]:
        raise HoldfastError(f"A {origin['type']} cannot be moved to {target}: the type differs.")
    instance.pop("index_key", None)
    moved = {"index_key": place.key, **instance} if place.key is not None else instance
    described = {"module": place.module, "mode": "managed", "type": place.kind, "name": place.name}
    resource = find_resource(resources, described)
    if resource is not None:
        resource["instances"].append(moved)
        return
    present = {field: value for field, value in described.items() if value is not None}
    resources.append({**present, "provider": origin["provider"], "instances": [moved]})
