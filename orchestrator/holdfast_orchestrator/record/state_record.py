"""What is known of a shard's newest state, and what was left unsettled since its last good deployment.

    _holdfast/states/<state folder>.json

Opened by a run before the first thing it changes, closed when it ends, well or not. An open record whose
run has died is an unfinished run: the next deploy of the shard, or `holdfast resume`, deals with it first.
A closed one says which state to expect; any other state was written by somebody else. After a deploy that
failed and was kept, it also says what that run created and touched, so that a later rollback may undo it.
It names the app and the stack, so that another app's shard is not taken for this one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Self, TypeVar

from pydantic import BeforeValidator, Field, PlainSerializer

from holdfast_orchestrator.record.fingerprint import FingerprintIfRead
from holdfast_orchestrator.record.identities import Identified, Identities
from holdfast_orchestrator.record.moving import Moving
from holdfast_orchestrator.state.exact_writes import write_record
from holdfast_orchestrator.state.object_store import ObjectReader, ObjectStore, StoredObject
from holdfast_orchestrator.state.record_format import Format, Moment, WrittenAs, copied, is_none
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.state_file import Recorded

STATES = "_holdfast/states"

T = TypeVar("T")


def _seconds(given: object) -> object:
    return given if isinstance(given, int | float) and not isinstance(given, bool) else None


# Some records have null for an empty list.
_Listed = Annotated[tuple[T, ...], BeforeValidator(lambda given: given or ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What failed deploys have left behind since the last good one.

    `created` are identities, `touched` addresses, `artifacts` the SHA-256 of what was deployed, newest
    first. `health_began` says whether new objects may have been written to.
    """

    created: frozenset[Identity] = frozenset()
    touched: frozenset[str] = frozenset()
    artifacts: tuple[str, ...] = ()
    health_began: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An object that came from another shard: its identity, that shard's folder, the run that moved it."""

    identity: Identity
    source: str
    run: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """An object that was let go of because another shard has it: where it was, and by which run."""

    identity: Identity
    address: str
    id: str | None
    run: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received(Identified):
    source: Annotated[str, Field(alias="from")]
    run: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handed(Identified):
    address: str
    id: str | None
    run: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    """The fields that the record and its document share. Older records lack those with a default."""

    run: str
    is_open: Annotated[bool, Field(alias="open")]
    at: Moment
    state: Recorded | None
    seconds: Annotated[float | None, BeforeValidator(_seconds)] = None
    project: str | None = None
    stack: str | None = None
    received: _Listed[Annotated[Received, _Received.writes(Received)]] = ()
    handed: _Listed[Annotated[Handed, _Handed.writes(Handed)]] = ()
    held: _Listed[str] = ()
    moving: Annotated[Moving | None, Field(exclude_if=is_none)] = field(default=None, repr=False)
    fingerprint: Annotated[FingerprintIfRead, Field(alias="footing")] = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecord(_Alike):
    """The state to expect after `run` (None: no object), or, while `is_open`, the one it began with.

    `fingerprint` is that of the deployment, where the run ended with one that was verified, and
    `seconds` how long that run worked on the shard. `project` is the app and `stack` the stack's construct
    path in it, both None in older records. `received` are the objects that other shards handed over, `handed`
    those that were let go of because others have them. `held` are the artifacts that declare what the state
    keeps for a shard that has not received it yet. `moving` is a `holdfast move` that was begun.
    """

    leftovers: Leftovers = field(default_factory=Leftovers)

    def body(self) -> bytes:
        """Return the object's bytes."""
        return FORMAT.body(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document(_Alike):
    created: Identities
    touched: Annotated[frozenset[str], PlainSerializer(sorted)]
    artifacts: tuple[str, ...]
    health_began: bool

    @classmethod
    def of(cls, record: StateRecord) -> Self:
        left = record.leftovers
        return copied(
            cls,
            record,
            created=left.created,
            touched=left.touched,
            artifacts=left.artifacts,
            health_began=left.health_began,
        )

    def value(self) -> StateRecord:
        return copied(StateRecord, self, leftovers=copied(Leftovers, self))


FORMAT = Format[StateRecord](
    "holdfast/state-record/v1", Annotated[StateRecord, WrittenAs(_Document, _Document.of, _Document.value)]
)


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record and the ETag under which it may be replaced."""

    record: StateRecord
    etag: str


def state_record_key(folder: str) -> str:
    """Return where the record of the shard with this state folder lies."""
    return f"{STATES}/{folder}.json"


def read_state_record(store: ObjectReader, folder: str) -> KeptRecord | None:
    """Return the record, None where no run ever changed the shard. Raises NeedsPersonError for damage."""
    stored = store.get(state_record_key(folder))
    return None if stored is None else KeptRecord(_read(stored), stored.head.etag)


def write_state_record(
    store: ObjectStore, folder: str, record: StateRecord, *, after: KeptRecord | None
) -> KeptRecord:
    """Write a record over the one that was read (None: there was none).

    Raises NeedsPersonError where it is not there any more: another run works on this shard.
    """
    key, body = state_record_key(folder), record.body()
    head = write_record(store, key, body, etag=None if after is None else after.etag, writer=_writer)
    return KeptRecord(record, head.etag)


def note_state(store: ObjectStore, folder: str, record: StateRecord) -> KeptRecord:
    """Write the state that a person's own act has left, such as a restore; what is unsettled stays so."""
    kept = read_state_record(store, folder)
    before = record if kept is None else kept.record
    noted = replace(
        record,
        is_open=False,
        leftovers=before.leftovers,
        received=before.received,
        handed=before.handed,
        held=before.held,
    )
    if before.project is not None:
        noted = replace(noted, project=before.project, stack=before.stack)
    return write_state_record(store, folder, noted, after=kept)


def _writer(stored: StoredObject) -> str:
    return f"run {_read(stored).run} wrote it"


def _read(stored: StoredObject) -> StateRecord:
    step = "look at the state with holdfast state pull, then deploy with --rebaseline"
    return FORMAT.read(stored, next_step=step)
