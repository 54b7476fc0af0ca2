"""What is known of a shard's newest state, and what was left unsettled since its last good deployment.

    _holdfast/states/<state folder>.json

Opened by a run before the first thing it changes, closed when it ends, well or not. An open record whose
run has died is an unfinished run: the next deploy of the shard, or `holdfast resume`, deals with it first.
A closed one says which state to expect; any other state was written by somebody else. After a deploy that
failed and was kept, it also says what that run created and touched, so that a later rollback may undo it.
It names the app and the stack, so that another app's shard is not taken for this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.fingerprint import Fingerprint, read_fingerprint
from holdfast_orchestrator.record.moving import Moving, read_moving
from holdfast_orchestrator.state.json_object import create_over_damaged, dump, load, parse_time, time_text
from holdfast_orchestrator.state.object_store import ObjectExistsError, ObjectStore, StoredObject
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.state_file import Recorded

SCHEMA = "holdfast/state-record/v1"
STATES = "_holdfast/states"


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
class StateRecord:
    """The state to expect after `run` (None: no object), or, while `is_open`, the one it began with.

    `fingerprint` is that of the deployment, where the run ended with one that was verified, and
    `seconds` how long that run worked on the shard. `project` is the app and `stack` the stack's construct
    path in it, both None in older records. `received` are the objects that other shards handed over, `handed`
    those that were let go of because others have them. `held` are the artifacts that declare what the state
    keeps for a shard that has not received it yet. `moving` is a `holdfast move` that was begun.
    """

    run: str
    is_open: bool
    state: Recorded | None
    leftovers: Leftovers = field(default_factory=Leftovers)
    at: datetime
    fingerprint: Fingerprint | None = field(default=None, repr=False)
    seconds: float | None = None
    project: str | None = None
    stack: str | None = None
    received: tuple[Received, ...] = ()
    handed: tuple[Handed, ...] = ()
    held: tuple[str, ...] = ()
    moving: Moving | None = field(default=None, repr=False)

    def body(self) -> bytes:
        """Return the object's bytes."""
        return dump(
            SCHEMA,
            {
                "run": self.run,
                "open": self.is_open,
                "at": time_text(self.at),
                "state": None if self.state is None else _state(self.state),
                "created": [[one.kind, one.value] for one in sorted(self.leftovers.created)],
                "touched": sorted(self.leftovers.touched),
                "artifacts": list(self.leftovers.artifacts),
                "health_began": self.leftovers.health_began,
                "seconds": self.seconds,
                "project": self.project,
                "stack": self.stack,
                "received": [_received_json(one) for one in self.received],
                "handed": [_handed_json(one) for one in self.handed],
                "held": list(self.held),
                **({} if self.moving is None else {"moving": self.moving.to_json()}),
                "footing": None if self.fingerprint is None else self.fingerprint.to_json(),
            },
        )


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record and the ETag under which it may be replaced."""

    record: StateRecord
    etag: str


def state_record_key(folder: str) -> str:
    """Return where the record of the shard with this state folder lies."""
    return f"{STATES}/{folder}.json"


def read_state_record(store: ObjectStore, folder: str) -> KeptRecord | None:
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
    try:
        if after is None:
            head = create_over_damaged(store, key, body, _read)
        else:
            head = store.replace(key, body, etag=after.etag)
    except ObjectExistsError:
        found = store.get(key)
        if found is None or found.body != body:
            raise _overtaken(key, found) from None
        # Our own write, whose answer was lost.
        head = found.head
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


def _overtaken(key: str, found: StoredObject | None) -> NeedsPersonError:
    by = "it was deleted" if found is None else f"run {_read(found).run} wrote it"
    return NeedsPersonError(
        f"the record at {key} changed during this run: {by}; two runs worked on one shard",
        next_step="look at both with `holdfast audit`, then deploy the one that is wanted",
    )


def _state(state: Recorded) -> dict[str, Any]:
    return {"lineage": state.lineage, "serial": state.serial, "sha256": state.sha256}


def _read(stored: StoredObject) -> StateRecord:
    step = "look at the state with holdfast state pull, then deploy with --rebaseline"
    return load(stored, SCHEMA, _build, next_step=step)


def _build(document: Mapping[str, Any]) -> StateRecord:
    state = document["state"]
    return StateRecord(
        run=document["run"],
        is_open=bool(document["open"]),
        state=None if state is None else Recorded(state["lineage"], int(state["serial"]), state["sha256"]),
        leftovers=Leftovers(
            created=frozenset(Identity(kind, value) for kind, value in document["created"]),
            touched=frozenset(document["touched"]),
            artifacts=tuple(document["artifacts"]),
            health_began=bool(document["health_began"]),
        ),
        at=parse_time(document["at"]),
        fingerprint=read_fingerprint(document.get("footing")),
        seconds=_seconds(document.get("seconds")),
        project=document.get("project"),
        stack=document.get("stack"),
        received=tuple(map(_received, document.get("received") or ())),
        handed=tuple(map(_handed, document.get("handed") or ())),
        held=tuple(document.get("held") or ()),
        moving=read_moving(document.get("moving")),
    )


def _received_json(one: Received) -> dict[str, Any]:
    return {
        "type": one.identity.kind,
        "identity": one.identity.value,
        "from": one.source,
        "run": one.run,
        "at": time_text(one.at),
    }


def _received(entry: Mapping[str, Any]) -> Received:
    return Received(
        identity=Identity(entry["type"], entry["identity"]),
        source=entry["from"],
        run=entry["run"],
        at=parse_time(entry["at"]),
    )


def _seconds(said: object) -> float | None:
    return float(said) if isinstance(said, int | float) and not isinstance(said, bool) else None


def _handed_json(one: Handed) -> dict[str, Any]:
    return {
        "type": one.identity.kind,
        "identity": one.identity.value,
        "address": one.address,
        "id": one.id,
        "run": one.run,
        "at": time_text(one.at),
    }


def _handed(entry: Mapping[str, Any]) -> Handed:
    return Handed(
        identity=Identity(entry["type"], entry["identity"]),
        address=entry["address"],
        id=entry["id"],
        run=entry["run"],
        at=parse_time(entry["at"]),
    )
