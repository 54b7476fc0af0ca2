"""The deployment a shard can be taken back to.

    _holdfast/last-good/<state folder>.json

Written once at the end of a deploy that was applied, verified and healthy: that one conditional write
is the promotion. Before it the shard is not committed, after it it is, and there is no moment between.
Earlier ones are the object's earlier versions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.state.json_object import create_over_damaged, dump, load, parse_time, time_text
from holdfast_orchestrator.state.object_store import (
    DurableStore,
    ObjectExistsError,
    ObjectStore,
    StoredObject,
)
from holdfast_orchestrator.terraform.accepted import AcceptedUse
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, dump_index, load_index
from holdfast_orchestrator.terraform.state_file import Recorded

SCHEMA = "holdfast/last-good/v1"
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

    def to_json(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"run": self.run, "configuration": self.configuration}


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGood:
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

    generation: int
    run: str
    artifact: str
    state: Recorded
    state_version: str | None = None
    outputs_sha256: str
    inputs: Mapping[str, PinnedInput] = field(default_factory=dict)
    index: IdentityIndex = field(repr=False)
    residual: str | None = None
    health: tuple[Mapping[str, Any], ...] = ()
    actor: Actor
    git: str | None = None
    at: datetime
    project: str | None = None
    shard: Mapping[str, Any] | None = None
    accepted: tuple[AcceptedUse, ...] = ()
    accepted_mark: str | None = None
    verb: str | None = None
    target: str | None = None
    rejected: tuple[Rejected, ...] = ()
    not_made: frozenset[Identity] = frozenset()

    @property
    def is_destroy(self) -> bool:
        """Whether it took the shard down. Older records do not say so, and have no objects then."""
        return self.verb == "destroy" or (self.verb is None and not self.index.objects)

    def body(self) -> bytes:
        """Return the object's bytes."""
        return dump(
            SCHEMA,
            {
                "generation": self.generation,
                "run": self.run,
                "at": time_text(self.at),
                "actor": self.actor.to_json(),
                "git": self.git,
                "artifact": self.artifact,
                "state": {
                    "lineage": self.state.lineage,
                    "serial": self.state.serial,
                    "sha256": self.state.sha256,
                    "version": self.state_version,
                },
                "outputs_sha256": self.outputs_sha256,
                "inputs": {
                    name: {"generation": pin.generation, "outputs_sha256": pin.outputs_sha256}
                    for name, pin in sorted(self.inputs.items())
                },
                "residual": self.residual,
                "health": [dict(evidence) for evidence in self.health],
                "project": self.project,
                "shard": None if self.shard is None else dict(self.shard),
                "accepted": [asdict(use) for use in self.accepted],
                "accepted_mark": self.accepted_mark,
                "index": dump_index(self.index),
                "verb": self.verb,
                "target": self.target,
                "rejected": [each.to_json() for each in self.rejected],
                "not_made": [[one.kind, one.value] for one in sorted(self.not_made)],
            },
        )


@dataclass(frozen=True, slots=True)
class Promoted:
    """The last good deployment and the ETag under which it may be replaced."""

    record: LastGood
    etag: str


def last_good_key(folder: str) -> str:
    """Return where the record of the shard with this state folder lies."""
    return f"{LAST_GOOD}/{folder}.json"


def read_last_good(store: ObjectStore, folder: str) -> Promoted | None:
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
    return Promoted(record, head.etag)


def earlier(store: DurableStore, folder: str, *, limit: int | None = None) -> tuple[LastGood, ...]:
    """Return the good deployments the bucket still knows, newest first: all, or the newest `limit`."""
    key = last_good_key(folder)
    found = [
        stored
        for version in store.versions(key)[:limit]
        if not version.deleted and (stored := store.get_version(key, version.version)) is not None
    ]
    return tuple(sorted(map(_read, found), key=lambda record: record.generation, reverse=True))


def deployments(history: Sequence[LastGood]) -> tuple[LastGood, ...]:
    """Return the deployments that were really good, newest first; the first is deployed now, or was last.

    A destroy is none, nor is a rollback by hand: it counts as the deployment that it went back to, and what
    it rolled back from is left out. A move takes the place of the one before it. `history` is what
    `earlier` returns.
    """
    found: list[LastGood] = []
    below: int | None = None
    for record in history:
        if record.is_destroy or (below is not None and record.generation >= below):
            continue
        target = target_in(history, record)
        found.append(target)
        below = _moved_from(history, target).generation
    return tuple(found)


def _moved_from(history: Sequence[LastGood], record: LastGood) -> LastGood:
    """The deployment that moves have changed since; itself for any other."""
    while record.verb == "move":
        older = next((one for one in history if one.generation < record.generation), None)
        if older is None or older.is_destroy:
            break
        record = target_in(history, older)
    return record


def target_in(history: Sequence[LastGood], record: LastGood) -> LastGood:
    """Return the deployment that a rollback went back to; itself for any other, or where that is not kept."""
    while record.verb == "rollback":
        older = (one for one in history if one.generation < record.generation)
        target = next((one for one in older if one.run == record.target and not one.is_destroy), None)
        if target is None:
            break
        record = target
    return record


def _overtaken(key: str, found: StoredObject | None) -> NeedsPersonError:
    by = "it was deleted" if found is None else f"run {_read(found).run} promoted another deployment"
    return NeedsPersonError(
        f"the record at {key} changed during this run: {by}; two runs worked on one shard",
        next_step="look at both with `holdfast audit`, then deploy the one that is wanted",
    )


def _read(stored: StoredObject) -> LastGood:
    return load(stored, SCHEMA, _build, next_step=_DAMAGED)


def _build(document: Mapping[str, Any]) -> LastGood:
    state = document["state"]
    return LastGood(
        generation=int(document["generation"]),
        run=document["run"],
        artifact=document["artifact"],
        state=Recorded(state["lineage"], int(state["serial"]), state["sha256"]),
        state_version=state["version"],
        outputs_sha256=document["outputs_sha256"],
        inputs={name: PinnedInput(**pin) for name, pin in document["inputs"].items()},
        index=load_index(document["index"]),
        residual=document["residual"],
        health=tuple(document["health"]),
        actor=Actor.from_json(document["actor"]),
        git=document["git"],
        at=parse_time(document["at"]),
        project=document.get("project"),
        shard=document.get("shard"),
        accepted=tuple(AcceptedUse(**use) for use in document.get("accepted", ())),
        accepted_mark=document.get("accepted_mark"),
        verb=document.get("verb"),
        target=document.get("target"),
        rejected=tuple(Rejected(**each) for each in document.get("rejected", ())),
        not_made=frozenset(Identity(*each) for each in document.get("not_made", ())),
    )
