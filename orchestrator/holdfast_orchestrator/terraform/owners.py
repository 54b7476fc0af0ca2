"""Which object of the cloud is in which state: the objects of every state of a bucket, by key.

A key is made from the attributes that name an object (`terraform.object_keys`), so that a planned create, an
address of our own state and an object of another shard's state can be compared. Where a state does not tell
where an object is, its place is unknown. For a delete an unknown place may be any; for a gate it is none: a
delete that is not made can be made later, and a deploy must not be stopped on a guess.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from holdfast_orchestrator.terraform.create_semantics import rule_of
from holdfast_orchestrator.terraform.identity import IDENTITY_ATTRIBUTES, identify
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.object_keys import ObjectKey, key_of, may_be_same

_ALIAS = re.compile(r'\]\.[^."\]]+$')


@dataclass(frozen=True, slots=True)
class OwnedObject:
    """An object that a state has: its key, and the address there."""

    key: ObjectKey
    address: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Where an object is: the folder of a shard's state, and the address in it."""

    folder: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Owners:
    """The objects of every state of one bucket, by the states' folders.

    `unreadable` are the keys of states that could not be read: they may have anything.
    """

    states: Mapping[str, tuple[OwnedObject, ...]]
    unreadable: tuple[str, ...] = ()

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], list[tuple[Owner, ObjectKey]]]:
        owners = defaultdict[tuple[str, str], list[tuple[Owner, ObjectKey]]](list)
        for folder, objects in self.states.items():
            for owned in objects:
                owners[owned.key.kind, owned.key.name].append((Owner(folder, owned.address), owned.key))
        return owners

    def may_have(self, key: ObjectKey, *, besides: str) -> Owner | None:
        """Return the owner that may have this object, in another folder than `besides`; None for none."""
        return next((owner for owner, other in self._others(key, besides) if may_be_same(other, key)), None)

    def has(self, key: ObjectKey, *, besides: str) -> Owner | None:
        """Return the owner that certainly has this object: both places are known, and the same."""
        if key.place is None:
            return None
        return next((owner for owner, other in self._others(key, besides) if other == key), None)

    def unreadable_besides(self, state_key: str) -> tuple[str, ...]:
        """Return the states that could not be read, without the shard's own."""
        return tuple(key for key in self.unreadable if key != state_key)

    def _others(self, key: ObjectKey, besides: str) -> Iterator[tuple[Owner, ObjectKey]]:
        for owner, other in self._by_name.get((key.kind, key.name), ()):
            if owner.folder != besides:
                yield owner, other


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """What was settled about a plan: addresses by what is done instead of what was planned.

    `received` are imports of what another shard lets go of, with its folder. `let_go` are deletes that are
    not made because another state has the object, `orphaned` those of what the run that is undone received;
    both with the reason. `held` are deletes that wait for the receiver of a move.
    """

    received: Mapping[str, str] = field(default_factory=dict)
    let_go: Mapping[str, str] = field(default_factory=dict)
    orphaned: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()

    @property
    def kept(self) -> frozenset[str]:
        """The addresses whose objects are not deleted, even where the plan deletes them."""
        return self.held.union(self.let_go, self.orphaned)


def dump_ownership(ownership: Ownership) -> dict[str, Any]:
    """The value as a journal keeps it."""
    return {**asdict(ownership), "held": sorted(ownership.held)}


def load_ownership(noted: Mapping[str, Any]) -> Ownership:
    """The value that `dump_ownership` wrote; of an earlier journal, nothing was settled."""
    return Ownership(
        received=dict(noted.get("received") or {}),
        let_go=dict(noted.get("let_go") or {}),
        orphaned=dict(noted.get("orphaned") or {}),
        held=frozenset(noted.get("held") or ()),
    )


def place_of(folder: str) -> str | None:
    """Return `ACCOUNT:REGION` of the shard with this state folder, None for a folder of another kind."""
    match folder.split("/"):
        case [_, account, region, _]:
            return f"{account}:{region}"
        case _:
            return None


def owned_objects(state: Document, folder: str) -> tuple[OwnedObject, ...]:
    """Return the objects of a state that have a key, deposed ones included."""
    return tuple(
        OwnedObject(key, address)
        for address, resource, instance in managed(state)
        if (key := _key(resource, instance, address, place_of(folder))) is not None
    )


def keys_by_address(state: Document | None, folder: str) -> Mapping[str, tuple[ObjectKey, ...]]:
    """Return the keys of the objects at each address of a state."""
    keys = defaultdict[str, tuple[ObjectKey, ...]](tuple)
    for owned in owned_objects(state or {}, folder):
        keys[owned.address] += (owned.key,)
    return keys


def object_key(kind: str, values: Document, *, address: str, place: str | None) -> ObjectKey | None:
    """Return the key of an object with these attributes or planned values, None where they give none.

    Where no template gives the key, it is the object's identity: the id of some types is shared by several.
    """
    key = key_of(kind, values, place)
    rule = rule_of(kind)
    if key is None or (rule is not None and rule.import_id) or kind not in IDENTITY_ATTRIBUTES:
        return key
    identity = identify(kind, values, address=address)
    return None if identity.value == f"address:{address}" else replace(key, name=identity.value)


class PlannedPlaces:
    """Where a plan would make its objects: the region of each provider, as far as it is written out."""

    def __init__(self, plan: Document, place: str | None) -> None:
        self._place = place
        configuration = plan.get("configuration") or {}
        self._providers: Mapping[str, Any] = configuration.get("provider_config") or {}
        self._used = dict(_providers_used(configuration.get("root_module") or {}, ""))

    def of(self, address: str) -> str | None:
        """Return `ACCOUNT:REGION` for the object at an address, None where the plan does not tell."""
        name = self._used.get(re.sub(r"\[[^\]]*\]", "", address))
        if name is None or self._place is None:
            return self._place if name is not None or "module." not in address else None
        settings = self._providers.get(name) or {}
        expressions = settings.get("expressions") or {}
        if expressions.get("assume_role"):
            return None
        region = (expressions.get("region") or {}).get("constant_value")
        account = self._place.partition(":")[0]
        if isinstance(region, str):
            return f"{account}:{region}"
        return self._place if not settings.get("alias") and not expressions.get("region") else None


def _providers_used(module: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for resource in module.get("resources") or ():
        yield f"{prefix}{resource.get('address')}", str(resource.get("provider_config_key"))
    for name, call in (module.get("module_calls") or {}).items():
        yield from _providers_used(call.get("module") or {}, f"{prefix}module.{name}.")


def _key(resource: Document, instance: Document, address: str, place: str | None) -> ObjectKey | None:
    aliased = _ALIAS.search(str(resource.get("provider", ""))) is not None
    attributes = instance.get("attributes") or instance.get("attributes_flat") or {}
    return object_key(resource["type"], attributes, address=address, place=None if aliased else place)


def owned_elsewhere(
    addresses: Iterable[str],
    keys: Mapping[str, Collection[ObjectKey]],
    owners: Owners,
    *,
    folder: str,
) -> dict[str, Owner]:
    """Return those of `addresses` whose object another state may have, each with its owner."""
    having = {
        address: next(
            filter(None, (owners.may_have(key, besides=folder) for key in keys.get(address, ()))), None
        )
        for address in addresses
    }
    return {address: owner for address, owner in having.items() if owner is not None}
