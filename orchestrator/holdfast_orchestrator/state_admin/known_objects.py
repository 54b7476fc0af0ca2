"""Which objects of a state another shard of the bucket has, by the records of last good deployments."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.last_good import LAST_GOOD, read_last_good
from holdfast_orchestrator.rollback.identities import Identity, IdentityIndex, index_state
from holdfast_orchestrator.rollback.stateful import Protection
from holdfast_orchestrator.state.store import DurableStore
from holdfast_orchestrator.system.workers import WorkerPool
from holdfast_orchestrator.terraform.create_semantics import Semantics, rule_of
from holdfast_orchestrator.terraform.object_keys import STATE_ONLY_PREFIXES

_READERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObject:
    """An object of a state, and the state folder of the other shard that has it."""

    identity: Identity
    address: str
    folder: str


def objects_elsewhere(store: DurableStore, state: Mapping[str, Any], *, ours: str) -> tuple[KnownObject, ...]:
    """Return the objects of `state` that shards of the same account and region have, other than `ours`.

    Left out is what several states may have: settings of an account, and what exists in states only. Records
    do not keep the place of an object, and names come back in other accounts and regions: those are not
    compared.
    """
    index = index_state(state, protection=Protection())
    place = ours.split("/")[1:3]
    folders = [
        folder
        for head in store.list(f"{LAST_GOOD}/")
        if (folder := head.key.removeprefix(f"{LAST_GOOD}/").removesuffix(".json")) != ours
        and folder.split("/")[1:3] == place
    ]
    with WorkerPool(_READERS, thread_name_prefix="objects") as readers:
        indexes = readers.map(lambda folder: _index(store, folder), folders)
        return tuple(
            KnownObject(identity=known.identity, address=known.address, folder=folder)
            for folder, theirs in zip(folders, indexes, strict=True)
            for known in index
            if theirs is not None and known.identity in theirs and _is_exclusive(known.identity.kind)
        )


def _index(store: DurableStore, folder: str) -> IdentityIndex | None:
    with suppress(HoldfastError):
        good = read_last_good(store, folder)
        return None if good is None else good.record.index
    return None


def _is_exclusive(kind: str) -> bool:
    if kind.startswith(STATE_ONLY_PREFIXES):
        return False
    rule = rule_of(kind)
    return rule is None or rule.semantics is not Semantics.SETTING
