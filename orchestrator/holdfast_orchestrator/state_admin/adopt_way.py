"""How a state that is adopted gets to its place: what lies there decides."""

import shlex
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.errors import GateError, NeedsPersonError
from holdfast_orchestrator.record.adopted import Adopted, read_adopted
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state.object_store import DurableStore
from holdfast_orchestrator.state_admin.sources import ObjectSource, Source
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.state_file import Condition, StateObject


class Way(StrEnum):
    """How the state gets to its place."""

    FIRST = "nothing is there"
    NEWER = "an older state of the same lineage is there"
    REPLACES_EMPTY = "a state that manages nothing is there"
    THERE = "it is there already"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: the state of `source` into the place of `shard`, which is of app `project`."""

    shard: Shard
    manifest: Manifest
    source: Source
    store: DurableStore = field(repr=False)
    project: str

    @property
    def target(self) -> str:
        """The shard's own place."""
        return f"s3://{self.shard.state.bucket}/{self.shard.state.key}"


def count(state: StateObject) -> int:
    """Return how many objects a state manages."""
    return sum(1 for _ in managed(state.document or {}))


def way_to(wanted: Wanted, given: StateObject, now: StateObject) -> Way:
    """Return how `given` gets to where `now` lies. Raises GateError or NeedsPersonError where it must not."""
    match now.condition:
        case Condition.ABSENT:
            return _where_absent(wanted, given)
        case Condition.WHOLE:
            return _where_whole(wanted, given, now)
        case _:
            raise NeedsPersonError(
                f"the object at {wanted.target} is {now.condition}; it is not written over unseen",
                next_step=_restore(wanted.shard),
            )


def _where_absent(wanted: Wanted, given: StateObject) -> Way:
    kept = read_state_record(wanted.store, wanted.shard.state.folder)
    recorded = None if kept is None else kept.record.state
    if recorded is None or (recorded.lineage == given.lineage and recorded.serial <= given.serial):
        return Way.FIRST
    raise NeedsPersonError(
        f"the state at {wanted.target} is gone: serial {recorded.serial}, lineage {recorded.lineage} was "
        "recorded",
        next_step=_restore(wanted.shard),
    )


def _where_whole(wanted: Wanted, given: StateObject, now: StateObject) -> Way:
    if now.lineage != given.lineage:
        if count(now) == 0:
            return Way.REPLACES_EMPTY
        raise GateError(
            f"another state is at {wanted.target} already: serial {now.serial}, lineage {now.lineage}, "
            f"{count(now)} objects; nobody would know those afterwards",
            next_step=f"{_pull(wanted.shard)} shows what they are{_out_of_date(wanted.source)}",
        )
    if now.sha256 == given.sha256:
        return Way.THERE
    adopted = read_adopted(wanted.store, wanted.shard.state.folder)
    if now.serial > given.serial:
        if adopted is None or given.serial <= adopted.serial:
            return Way.THERE
    elif now.serial < given.serial and _is_as_it_came(wanted, now, adopted):
        return Way.NEWER
    raise GateError(
        f"{given.source} (serial {given.serial}) and {wanted.target} (serial {now.serial}) have one lineage, "
        "and each was written since without the other",
        next_step=f"compare them: {_pull(wanted.shard)}{_out_of_date(wanted.source)}",
    )


def _is_as_it_came(wanted: Wanted, now: StateObject, adopted: Adopted | None) -> bool:
    """Whether what is there was brought there, and nothing was deployed from there since."""
    if adopted is not None:
        return now.sha256 == adopted.sha256
    return read_state_record(wanted.store, wanted.shard.state.folder) is None


def _restore(shard: Shard) -> str:
    name = shlex.quote(shard.name)
    return f"holdfast state backups {name}, then: holdfast state restore {name}"


def _pull(shard: Shard) -> str:
    return f"holdfast state pull {shlex.quote(shard.name)} --out there.tfstate"


def _out_of_date(source: Source) -> str:
    """What to do with a file that nobody needs: a deploy refuses to begin beside it."""
    if isinstance(source, ObjectSource):
        return ""
    place = shlex.quote(source.place)
    return f"; where the file is the one that is out of date: mv {place} {place}.old"
