"""What was deployed once and is not in the app any more: found from the records, never taken down unasked.

cdktf forgets a stack that was removed from the app, and its resources would stay for ever without anybody
knowing. Their last-good records know. Only this project's own are offered, of accounts, regions and
environments that the app has now: a bucket may hold the states of several apps.
"""

import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from holdfast_orchestrator.app.manifest import Shard, by_bucket
from holdfast_orchestrator.change_detection.heirs import Heirs, heirs_of
from holdfast_orchestrator.context.run import Run
from holdfast_orchestrator.errors import GateError, HoldfastError, NeedsPersonError, UsageError
from holdfast_orchestrator.events import Notice
from holdfast_orchestrator.record.artifact import read_artifact
from holdfast_orchestrator.record.last_good import LAST_GOOD, earlier, read_last_good
from holdfast_orchestrator.record.shard_record import shard_of
from holdfast_orchestrator.state.object_store import ListedReader, ObjectHistory, ObjectReader
from holdfast_orchestrator.state.record_format import DamagedError
from holdfast_orchestrator.state.shard_objects import read_each, shard_folders

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """A shard that is not in the app any more, and what it still has; `heirs` are stacks that declare it."""

    shard: Shard
    run: str
    at: datetime
    objects: int
    artifact: str
    heirs: Heirs = field(default_factory=dict)

    @property
    def command(self) -> str:
        """What takes it down."""
        return f"holdfast destroy --env {self.shard.environment} --retired {shlex.quote(self.shard.name)}"

    @property
    def way_out(self) -> str:
        """What to do with it: where a stack of the app declares its objects, it was renamed or split."""
        if not self.heirs:
            return f"to take it down: {self.command}"
        source = shlex.quote(self.shard.name)
        moves = (f"holdfast move {source} {shlex.quote(name)}" for name in self.heirs)
        return "what they declare of it moves with: " + " or ".join(
            f"{move} --env {self.shard.environment}" for move in moves
        )

    def __str__(self) -> str:
        things = f"{self.objects} object{'' if self.objects == 1 else 's'}"
        declared = "".join(f"{name} declares {_few(there)} of it; " for name, there in self.heirs.items())
        return (
            f"{self.shard.name} is not in the app any more and still has {things}, last deployed on "
            f"{self.at:%d %b %Y} by run {self.run}; {declared}{self.way_out}"
        )


def find_retired(run: Run) -> tuple[Retired, ...]:
    """Return what is left of stacks that were removed, by name. A bucket that cannot be read knows none.

    Every environment of the app is looked at, also those that cannot be reached from here.
    """
    by_name: dict[str, Retired] = {}
    for first, *_ in by_bucket(run.manifest.shards):
        with suppress(HoldfastError):
            by_name.update({retired.shard.name: retired for retired in _retired(run.tools.store(first), run)})
    for name, retired in sorted(by_name.items()):
        with suppress(HoldfastError):
            by_name[name] = replace(retired, heirs=heirs_of(retired.shard, run))
    return tuple(by_name[name] for name in sorted(by_name))


def chosen(name: str, retired: tuple[Retired, ...]) -> Retired:
    """Return the retired stack of this name, which may be taken down.

    Raises UsageError where there is none, or others still need it; GateError where the app declares what
    it has.
    """
    by_name = {each.shard.name: each for each in retired}
    if name not in by_name:
        names = ", ".join(sorted(by_name)) or "none"
        raise UsageError(f"no stack {name!r} was removed from this app; removed and still there: {names}")
    needed = sorted(each.shard.name for each in retired if name in each.shard.depends_on)
    if needed:
        raise UsageError(
            f"{', '.join(needed)} would lose what they depend on",
            next_step=f"take them down first: {by_name[needed[0]].command}",
        )
    one = by_name[name]
    if one.heirs:
        declared = "; ".join(f"{heir} declares {_few(there)}" for heir, there in one.heirs.items())
        raise GateError(
            f"{name} was renamed, it seems: of what it has, {declared}. Nothing of it was destroyed",
            next_step=f"{one.way_out}; what is to go is taken out of the app first",
        )
    return one


def _few(addresses: tuple[str, ...]) -> str:
    more = len(addresses) - _NAMED
    return ", ".join(addresses[:_NAMED]) + (f" and {more} more" if more > 0 else "")


class KeptDeployments(ObjectReader, ObjectHistory, Protocol):
    """A bucket with deployments and those before them."""


def as_deployed(one: Retired, store: KeptDeployments) -> Shard:
    """Return the shard with the configuration it was last deployed with, or the newest that can be read.

    Raises NeedsPersonError where there is none: nobody knows then with which providers to take it down.
    """
    from holdfast_orchestrator.inputs.kept import with_inputs  # noqa: PLC0415 - only to destroy

    with suppress(NeedsPersonError):
        return with_inputs(one.shard, store, read_artifact(store, one.artifact))
    for record in earlier(store, one.shard.state.folder):
        with suppress(NeedsPersonError):
            return with_inputs(one.shard, store, read_artifact(store, record.artifact))
    raise NeedsPersonError(
        f"no configuration of {one.shard.name} is kept any more, so nobody knows with which providers to "
        "take it down",
        next_step="put the stack back into the app, then: "
        f"holdfast destroy --env {one.shard.environment} --stack {shlex.quote(one.shard.name)}",
    )


def _retired(store: ListedReader, run: Run) -> Iterator[Retired]:
    for _, good in read_each(_strangers(store, run), lambda folder: read_last_good(store, folder)):
        record = good.record
        if record.shard is None or record.project != run.project or not record.index.objects:
            continue
        with suppress(DamagedError):
            # A note that is not understood offers nothing.
            yield Retired(
                shard=shard_of(record.shard),
                run=record.run,
                at=record.at,
                objects=len(record.index.objects),
                artifact=record.artifact,
            )


def _strangers(store: ListedReader, run: Run) -> Iterator[str]:
    """The state folders that have a record and belong to no shard of the app, where the app deploys to."""
    shards = run.manifest.shards
    ours = {shard.state.folder for shard in shards}
    places = {(shard.account, shard.region, shard.environment) for shard in shards}
    for folder in shard_folders(store, LAST_GOOD):
        _, _, place = folder.partition("/")
        if folder not in ours and tuple(place.split("/")) in places:
            yield folder


def tell_retired(run: Run, retired: Iterable[Retired]) -> None:
    """Offer what is not in the app any more for retirement."""
    for shard in retired:
        run.emit(Notice(message=str(shard)))
