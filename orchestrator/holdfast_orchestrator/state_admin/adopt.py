"""Taking a state over: from where another tool keeps it into the shard's own place.

    proposal = propose(wanted)               # reads only; raises where it must not be done
    done = carry_out(proposal, adopter)      # lease, both locks, backup, conditional write, records, mark

The state arrives byte for byte, with its lineage and its serial. Each step may be done a second time: after a
kill the same command goes on where it ended. A state that is there already is written over only where it
is an older one of the same lineage, or manages nothing.
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.errors import GateError, NeedsPersonError, UsageError
from holdfast_orchestrator.gate.elsewhere import adopt_command
from holdfast_orchestrator.record.actor import Actor
from holdfast_orchestrator.record.adopted import Adopted, read_adopted, write_adopted
from holdfast_orchestrator.record.belonging import ThisApp, known_lineages, refuse_other_app
from holdfast_orchestrator.record.last_good import read_last_good
from holdfast_orchestrator.record.owners import StateOwners
from holdfast_orchestrator.record.state_record import StateRecord, note_state, read_state_record
from holdfast_orchestrator.state.backups import BackupMeta, keep_backup
from holdfast_orchestrator.state.conditional_writes import prove_conditional_writes
from holdfast_orchestrator.state.json_object import time_text
from holdfast_orchestrator.state.lease import Claim, Lease, Leases
from holdfast_orchestrator.state.object_store import DurableStore, ObjectExistsError, StoredObject
from holdfast_orchestrator.state.snapshot import snapshot_of
from holdfast_orchestrator.state_admin.sources import Note, ObjectSource, Source, adoption_lock
from holdfast_orchestrator.system.runtime import Runtime
from holdfast_orchestrator.terraform.create_semantics import Semantics, rule_of
from holdfast_orchestrator.terraform.given_state import fitting, given_state
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.owners import Owners, owned_objects
from holdfast_orchestrator.terraform.state_file import Condition, Recorded, StateObject, read_state


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


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What an adoption would do. `given` is the state, `now` what lies at the shard's own place."""

    wanted: Wanted
    given: StateObject
    content: bytes = field(repr=False)
    now: StateObject
    stored: StoredObject | None = field(repr=False)
    way: Way

    @property
    def document(self) -> Mapping[str, Any]:
        """The state."""
        return self.given.document or {}

    @property
    def objects(self) -> int:
        """How many objects it manages."""
        return count(self.given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An adoption that was made. `mark` says so at the old place; `backup` is of what was there before."""

    run: str
    mark: str
    backup: str | None


@dataclass(frozen=True, kw_only=True)
class Adopter:
    """Who adopts, in which run, in what world."""

    runtime: Runtime
    actor: Actor
    run: str


def count(state: StateObject) -> int:
    """Return how many objects a state manages."""
    return sum(1 for _ in managed(state.document or {}))


def propose(wanted: Wanted) -> Proposal:
    """Say what taking the state over would do; changes nothing.

    Raises UsageError for what is no state, or not one of this stack, GateError where another shard has it or
    another state is there, NeedsPersonError where what is there is damaged or a run has not ended.
    """
    _refuse_own_places(wanted)
    content = wanted.source.read()
    given = given_state(wanted.source.place, content)
    _refuse_taken_elsewhere(wanted)
    _refuse_another_stacks(wanted, given)
    _refuse_unsettled(wanted)
    _refuse_other_shards(wanted, given)
    stored = wanted.store.get(wanted.shard.state.key)
    now = read_state(wanted.target, None if stored is None else stored.body)
    return Proposal(
        wanted=wanted, given=given, content=content, now=now, stored=stored, way=_way(wanted, given, now)
    )


def carry_out(
    proposal: Proposal, adopter: Adopter, *, on_step: Callable[[str], object] = lambda _: None
) -> Done:
    """Make the adoption that was proposed, and no other.

    Raises LeasedError where somebody is at work on the shard or at the source, NeedsPersonError where either
    is no longer what was looked at.
    """
    wanted, shard, now = proposal.wanted, proposal.wanted.shard, adopter.runtime.clock.now()
    prove_conditional_writes(wanted.store, bucket=shard.state.bucket)
    claim = Claim(
        folder=shard.state.folder,
        run=adopter.run,
        owner=str(adopter.actor),
        doing=f"adopting a state for {shard.name}",
    )
    with ExitStack() as held:
        lease = held.enter_context(Leases(wanted.store, adopter.runtime).take(claim))
        bucket, into = shard.state.bucket, wanted.target
        held.enter_context(adoption_lock(wanted.store, shard.state.key, bucket=bucket, into=into, now=now))
        content = held.enter_context(wanted.source.held(now, into=into))
        _refuse_changed(proposal, content)
        backup = _put(proposal, adopter, lease, on_step)
        on_step("writing the records")
        _note(proposal, adopter)
        on_step(f"marking {wanted.source.place}")
        mark = wanted.source.mark(_note_of(proposal, adopter))
    return Done(run=adopter.run, mark=mark, backup=backup)


def _put(proposal: Proposal, adopter: Adopter, lease: Lease, on_step: Callable[[str], object]) -> str | None:
    """Back up what is there and write the state over it, unless it is there already."""
    store, key = proposal.wanted.store, proposal.wanted.shard.state.key
    if proposal.way is Way.THERE:
        return None
    backup = None
    if proposal.stored is not None:
        on_step("backing up what is there")
        backup = _back_up(proposal.stored, adopter, store, reason="before adopt")
    lease.confirm()
    on_step(f"writing serial {proposal.given.serial}")
    try:
        if proposal.stored is None:
            store.create(key, proposal.content)
        else:
            store.replace(key, proposal.content, etag=proposal.stored.head.etag)
    except ObjectExistsError:
        # Our own write, whose answer was lost, is read back like any other.
        pass
    found = store.get(key)
    if found is None or found.body != proposal.content:
        raise NeedsPersonError(
            f"the state at {key} was changed by somebody else in the meantime; nothing was adopted",
            next_step="look again: holdfast adopt without --yes",
        )
    _back_up(found, adopter, store, reason="as it was adopted")
    return backup


def _back_up(stored: StoredObject, adopter: Adopter, store: DurableStore, *, reason: str) -> str:
    now = adopter.runtime.clock.now()
    meta = BackupMeta(
        run=adopter.run,
        reason=reason,
        at=now,
        written=stored.head.modified or now,
        actor=str(adopter.actor),
    )
    return keep_backup(store, snapshot_of(stored), meta)


def _note(proposal: Proposal, adopter: Adopter) -> None:
    """Write that this state is the one to expect, and where it came from."""
    wanted, given = proposal.wanted, proposal.given
    shard, now = wanted.shard, adopter.runtime.clock.now()
    newer = proposal.way is Way.THERE and proposal.now.sha256 != given.sha256
    if not newer:
        record = StateRecord(
            run=adopter.run,
            is_open=False,
            state=Recorded(given.lineage, given.serial, hashlib.sha256(proposal.content).hexdigest()),
            at=now,
            project=wanted.project or None,
            stack=shard.name,
        )
        note_state(wanted.store, shard.state.folder, record)
    adopted = Adopted(
        shard=shard.name,
        run=adopter.run,
        at=now,
        actor=str(adopter.actor),
        source=wanted.source.place,
        lineage=given.lineage,
        serial=given.serial,
        sha256=given.sha256,
        declared=None if shard.elsewhere is None else shard.elsewhere.place,
    )
    write_adopted(wanted.store, shard.state.folder, adopted)


def _note_of(proposal: Proposal, adopter: Adopter) -> Note:
    return Note(
        state_is_now_at=proposal.wanted.target,
        shard=proposal.wanted.shard.name,
        lineage=proposal.given.lineage,
        serial=proposal.given.serial,
        run=adopter.run,
        actor=str(adopter.actor),
        at=time_text(adopter.runtime.clock.now()),
    )


def _refuse_own_places(wanted: Wanted) -> None:
    """Raise UsageError where the source is the place of a shard of this app, or of a shard of Holdfast's."""
    source = wanted.source
    if not isinstance(source, ObjectSource):
        return
    if source.place == wanted.target:
        raise UsageError(
            f"{source.place} is where the state of {wanted.shard.name} belongs already",
            next_step="holdfast plan; a state that somebody else wrote there: holdfast deploy --rebaseline",
        )
    folder = source.key.rpartition("/")[0]
    ours = wanted.manifest.by_place.get((source.bucket, source.key))
    same_bucket = source.bucket == wanted.shard.state.bucket
    if ours is not None or (same_bucket and read_state_record(wanted.store, folder) is not None):
        name, here = (shlex.quote(folder if ours is None else ours.name), shlex.quote(wanted.shard.name))
        raise UsageError(
            f"{source.place} is the state of {folder if ours is None else ours.name}, which Holdfast keeps "
            "itself",
            next_step=f"see what it has: holdfast state pull {name} --out theirs.tfstate"
            if ours is None
            else f"what belongs to this stack now: holdfast move {name} {here} --env {ours.environment}",
        )


def _refuse_taken_elsewhere(wanted: Wanted) -> None:
    taken_to = wanted.source.taken_to()
    if taken_to not in (None, wanted.target):
        raise GateError(
            f"{wanted.source.place} was adopted before: its state is at {taken_to} now",
            next_step="to see which stack that is: holdfast list; adopt what belongs to this one",
        )


def _refuse_another_stacks(wanted: Wanted, given: StateObject) -> None:
    """Raise UsageError where the state is another stack's: by its place, or by what it manages."""
    shard, document = wanted.shard, given.document or {}
    others = [other for other in wanted.manifest.shards if other.name != shard.name]
    owner = None
    if shard.elsewhere is None or shard.elsewhere.source != wanted.source.place:
        owner = next((other for other in others if _is_at(other, wanted.source.place)), None)
    if owner is None and not fitting(document, json.loads(shard.configuration)):
        owner = next((other for other in others if fitting(document, json.loads(other.configuration))), None)
        if owner is None:
            raise UsageError(
                f"nothing that {given.source} manages is in the configuration of {shard.name}: "
                "it is the state of something else",
                next_step="name the state of this stack; a construct that was renamed needs a `moved` block",
            )
    if owner is not None:
        raise UsageError(
            f"{given.source} is the state of stack {owner.name!r}, not of {shard.name!r}",
            next_step=adopt_command(owner, wanted.source.place),
        )


def _is_at(shard: Shard, place: str) -> bool:
    return shard.elsewhere is not None and shard.elsewhere.source == place


def _refuse_unsettled(wanted: Wanted) -> None:
    """Raise where the shard is another app's, or a run of it did not end."""
    folder = wanted.shard.state.folder
    kept = read_state_record(wanted.store, folder)
    good = read_last_good(wanted.store, folder)
    refuse_other_app(
        ThisApp(wanted.project, environment=wanted.shard.environment),
        wanted.shard.state.key,
        good=None if good is None else good.record,
        record=None if kept is None else kept.record,
    )
    if kept is not None and kept.record.is_open:
        raise NeedsPersonError(
            f"run {kept.record.run} of {wanted.shard.name} did not end",
            next_step=f"holdfast resume {kept.record.run}",
        )


def _refuse_other_shards(wanted: Wanted, given: StateObject) -> None:
    """Raise GateError where another shard of the bucket has this lineage, or one of the objects."""
    ours = wanted.shard.state.folder
    theirs = next((folder for folder in known_lineages(wanted.store, given.lineage) if folder != ours), None)
    if theirs is not None:
        raise GateError(
            f"{given.source} has lineage {given.lineage}, which is that of the shard {theirs}: its objects "
            "would be in two states",
            next_step=f"look at what that shard has: holdfast state pull {theirs} --out theirs.tfstate",
        )
    owners = _others(wanted)
    unreadable = owners.unreadable_besides(wanted.shard.state.key)
    if unreadable:
        raise GateError(
            f"the state {unreadable[0]} cannot be read, and may have what is in {given.source}",
            next_step=f"put it right: holdfast state backups {unreadable[0].rpartition('/')[0]}",
        )
    shared = [
        (one, owner)
        for one in owned_objects(given.document or {}, ours)
        if _is_exclusive(one.key.kind) and (owner := owners.has(one.key, besides=ours)) is not None
    ]
    if shared:
        (first, owner), which = shared[0], ", ".join(sorted({each.folder for _, each in shared}))
        raise GateError(
            f"{len(shared)} of the objects in {given.source} are in the state of {which}, too, such as "
            f"{first.address} (there: {owner.address})",
            next_step=f"look at what that shard has: holdfast state pull {owner.folder} --out theirs.tfstate",
        )


def _others(wanted: Wanted) -> Owners:
    """The states of the bucket, without the one that is adopted."""
    owners, source = StateOwners(wanted.store).now(), wanted.source
    if not isinstance(source, ObjectSource) or source.bucket != wanted.shard.state.bucket:
        return owners
    states = {f: objects for f, objects in owners.states.items() if f != source.key.rpartition("/")[0]}
    return Owners(states=states, unreadable=tuple(key for key in owners.unreadable if key != source.key))


def _is_exclusive(kind: str) -> bool:
    """Whether an object of this type belongs to one state: a setting of an account is in several."""
    rule = rule_of(kind)
    return rule is None or rule.semantics is not Semantics.SETTING


def _refuse_changed(proposal: Proposal, content: bytes) -> None:
    wanted = proposal.wanted
    head = wanted.store.head(wanted.shard.state.key)
    before = proposal.stored
    if content != proposal.content or (head and head.etag) != (before and before.head.etag):
        which = wanted.target if content == proposal.content else wanted.source.place
        raise NeedsPersonError(
            f"{which} was changed by somebody else in the meantime; nothing was adopted",
            next_step="look again: holdfast adopt without --yes",
        )


def _way(wanted: Wanted, given: StateObject, now: StateObject) -> Way:
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
