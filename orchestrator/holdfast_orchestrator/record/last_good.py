"""The deployment a shard can be taken back to.

    _holdfast/last-good/<state folder>.json

Written once at the end of a deploy that was applied, verified and healthy: that one conditional write
is the promotion. Before it the shard is not committed, after it it is, and there is no moment between.
Earlier ones are the object's earlier versions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Self

from pydantic import WrapSerializer

from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.identities import Identities, Index
from holdfast_orchestrator.state.exact_writes import write_record
from holdfast_orchestrator.state.object_store import ObjectHistory, ObjectReader, ObjectStore, StoredObject
from holdfast_orchestrator.state.record_format import Format, Moment, WrittenAs, copied, in_order
from holdfast_orchestrator.terraform.accepted import AcceptedUse
from holdfast_orchestrator.terraform.state_file import Recorded

LAST_GOOD = "_holdfast/last-good"

_DAMAGED = "deploy that shard with --rebaseline, which writes a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedInput:
    """What a shard read from one upstream shard: that shard's generation and the digest of its outputs."""

    generation: int
    outputs_sha256: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A version that somebody rolled back from by hand: the run that deployed it, and its digest."""

    run: str
    configuration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    """The fields that the record and its document share."""

    generation: int
    run: str
    at: Moment
    actor: Actor
    git: str | None = None
    artifact: str
    outputs_sha256: str
    inputs: Annotated[Mapping[str, PinnedInput], WrapSerializer(in_order)] = field(default_factory=dict)
    residual: str | None = None
    health: tuple[Mapping[str, Any], ...] = ()
    project: str | None = None
    shard: Mapping[str, Any] | None = None
    accepted: tuple[AcceptedUse, ...] = ()
    accepted_mark: str | None = None
    index: Index = field(repr=False)
    verb: str | None = None
    target: str | None = None
    rejected: tuple[Rejected, ...] = ()
    not_made: Identities = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGood(_Alike):
    """One good deployment of one shard.

    `generation` counts them from 1. `artifact` is the SHA-256 of what was deployed, `state` what it left,
    `state_version` the object's version where the bucket keeps versions. `inputs` are by shard name.
    `residual` is the fingerprint of what a plan still shows afterwards (None: nothing). `health` is what
    each check answered. `git` is the revision of the app. `project` is the app's name for itself and
    `shard` the shard as records keep it; both are None in records of older versions, as is `verb`: deploy,
    destroy, rollback or move (the deployment before it, as it is without what went and with what came).
    `target` is the run whose deployment a rollback by hand went back to, `rejected` are
    the versions that were rolled back from by hand. `accepted` is what still differs, as somebody accepted,
    and `accepted_mark` tells it from other differences. `not_made` are objects that the shard has and no run
    of it is proven to have made: imported, or perhaps taken over. Going back lets go of them.
    """

    state: Recorded
    state_version: str | None = None

    @property
    def is_destroy(self) -> bool:
        """Whether it took the shard down. Older records do not say so, and have no objects then."""
        return self.verb == "destroy" or (self.verb is None and not self.index.objects)

    def body(self) -> bytes:
        """Return the object's bytes."""
        return FORMAT.body(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    lineage: str
    serial: int
    sha256: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document(_Alike):
    state: _State

    @classmethod
    def of(cls, good: LastGood) -> Self:
        return copied(cls, good, state=copied(_State, good.state, version=good.state_version))

    def value(self) -> LastGood:
        state = copied(Recorded, self.state)
        return copied(LastGood, self, state=state, state_version=self.state.version)


FORMAT = Format[LastGood](
    "holdfast/last-good/v1", Annotated[LastGood, WrittenAs(_Document, _Document.of, _Document.value)]
)


@dataclass(frozen=True, slots=True)
class Promoted:
    """The last good deployment and the ETag under which it may be replaced."""

    record: LastGood
    etag: str


def last_good_key(folder: str) -> str:
    """Return where the record of the shard with this state folder lies."""
    return f"{LAST_GOOD}/{folder}.json"


def read_last_good(store: ObjectReader, folder: str) -> Promoted | None:
    """Return the last good deployment, None where there never was one.

    Raises NeedsPersonError for a damaged record.
    """
    stored = store.get(last_good_key(folder))
    return None if stored is None else Promoted(_read(stored), stored.head.etag)


def promote(store: ObjectStore, folder: str, record: LastGood, *, after: Promoted | None) -> Promoted:
    """Commit: write `record` over `after`, the one that was read at the beginning (None: there was none).

    The generation is set to the next one. Raises NeedsPersonError where the record changed meanwhile:
    somebody else deployed this shard.
    """
    key = last_good_key(folder)
    record = replace(record, generation=1 if after is None else after.record.generation + 1)
    body = record.body()
    head = write_record(store, key, body, etag=None if after is None else after.etag, writer=_writer)
    return Promoted(record, head.etag)


def earlier(store: ObjectHistory, folder: str, *, limit: int | None = None) -> tuple[LastGood, ...]:
    """Return the good deployments the bucket still knows, newest first: all, or the newest `limit`."""
    key = last_good_key(folder)
    objects = [
        stored
        for version in store.versions(key)[:limit]
        if not version.deleted and (stored := store.get_version(key, version.version)) is not None
    ]
    return tuple(sorted(map(_read, objects), key=lambda record: record.generation, reverse=True))


def deployments(history: Sequence[LastGood]) -> tuple[LastGood, ...]:
    """Return the deployments that were really good, newest first; the first is deployed now, or was last.

    A destroy is none, nor is a rollback by hand: it counts as the deployment that it went back to, and what
    it rolled back from is left out. A move takes the place of the one before it. `history` is what
    `earlier` returns.
    """
    good: list[LastGood] = []
    below: int | None = None
    for record in history:
        if record.is_destroy or (below is not None and record.generation >= below):
            continue
        target = target_in(history, record)
        good.append(target)
        below = _moved_from(history, target).generation
    return tuple(good)


def _moved_from(history: Sequence[LastGood], record: LastGood) -> LastGood:
    """Return the deployment that later moves changed; the record itself if no move did."""
    while record.verb == "move":
        older = next(
            (earlier_record for earlier_record in history if earlier_record.generation < record.generation),
            None,
        )
        if older is None or older.is_destroy:
            break
        record = target_in(history, older)
    return record


def target_in(history: Sequence[LastGood], record: LastGood) -> LastGood:
    """Return the deployment that a rollback went back to; itself for any other, or where that is not kept."""
    while record.verb == "rollback":
        older = (
            earlier_record for earlier_record in history if earlier_record.generation < record.generation
        )
        target = next(
            (
                earlier_record
                for earlier_record in older
                if earlier_record.run == record.target and not earlier_record.is_destroy
            ),
            None,
        )
        if target is None:
            break
        record = target
    return record


def _writer(stored: StoredObject) -> str:
    return f"run {_read(stored).run} promoted another deployment"


def _read(stored: StoredObject) -> LastGood:
    return FORMAT.read(stored, next_step=_DAMAGED)
