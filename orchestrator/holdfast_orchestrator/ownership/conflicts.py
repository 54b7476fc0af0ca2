"""Messages about an object that another shard manages: whose it is, and what to do about it."""

import shlex
from dataclasses import dataclass
from typing import Protocol

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.last_good import LastGood, read_last_good
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.terraform.owners import Owner


class Place(Protocol):
    """A shard that is planned or deployed: a `Bench` is one."""

    @property
    def shard(self) -> Shard:
        """The shard."""

    @property
    def run(self) -> Run:
        """The run."""

    @property
    def store(self) -> DurableStore:
        """The bucket of its state."""

    @property
    def folder(self) -> str:
        """The folder of its state."""

    def say(self, sentence: str) -> None:
        """Tell something."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a create may not be made, and what lifts that."""

    sentence: str
    next_step: str


def shard_name(place: Place, owner: Owner) -> str:
    """Return what an owner is called: as the app calls it, else as its records do, else by its folder."""
    shard = _in_app(place, owner)
    if shard is not None:
        return place.run.label(shard.name)
    good = _record(place, owner)
    named = None if good is None or good.shard is None else good.shard.get("name")
    return str(named or owner.folder)


def conflict_with(
    place: Place, address: str, owner: Owner, *, importable: bool = True, back: bool = False
) -> Conflict:
    """Say what is against a create of what another state has; `back`: it is made by a rollback by hand."""
    shard, name = _in_app(place, owner), shard_name(place, owner)
    said = _already(address, owner, name)
    own_name = shlex.quote(place.run.label(place.shard.name))
    if not importable:
        return Conflict(
            f"{said}, and objects of this type cannot be imported.",
            f"holdfast move {shlex.quote(name)} {own_name} --address {shlex.quote(owner.address)}",
        )
    if shard is not None and back:
        return Conflict(f"{said}.", f"take that back first: holdfast rollback {name}")
    if shard is not None:
        return Conflict(
            f"{said}.",
            f"refer to {name}'s, give it another name, or take it out of {name} in the same deploy "
            f"(--stack {name} --stack {own_name})",
        )
    good = _record(place, owner)
    if good is not None and good.project not in (None, place.run.project):
        return Conflict(
            f"{_already(address, owner, f'stack {name} of app {good.project}')}.", "give it another name"
        )
    deployed = "" if good is None else f"; it was last deployed on {good.at:%d %b %Y} by {good.actor}"
    return Conflict(
        f"{said}. {name} is not in the app any more{deployed}.",
        f"if {name} is called {own_name} now: holdfast move {shlex.quote(name)} {own_name}",
    )


def _already(address: str, owner: Owner, name: str) -> str:
    """Say that another stack manages the object at `address`, and what it is called there."""
    there = "" if owner.address == address else f" as {owner.address}"
    return f"{address}: {name} manages this object already{there}"


def _in_app(place: Place, owner: Owner) -> Shard | None:
    shards = place.run.manifest.shards
    return next((shard for shard in shards if shard.state.folder == owner.folder), None)


def _record(place: Place, owner: Owner) -> LastGood | None:
    try:
        good = read_last_good(place.store, owner.folder)
    except HoldfastError:
        return None
    return None if good is None else good.record
