"""States that must not be adopted: another stack's, another app's, or with objects that another shard has."""

import json
import shlex

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.errors import GateError, NeedsPersonError, UsageError
from holdfast_orchestrator.gate.elsewhere import adopt_command
from holdfast_orchestrator.record.belonging import ThisApp, known_lineages, records_of, refuse_other_app
from holdfast_orchestrator.record.owners import StateOwners
from holdfast_orchestrator.record.state_record import read_state_record
from holdfast_orchestrator.state_admin.adopt_way import Wanted
from holdfast_orchestrator.state_admin.sources import ObjectSource
from holdfast_orchestrator.terraform.create_semantics import Semantics, rule_of
from holdfast_orchestrator.terraform.given_state import fitting
from holdfast_orchestrator.terraform.owners import Owners, owned_objects
from holdfast_orchestrator.terraform.state_file import StateObject


def refuse_own_places(wanted: Wanted) -> None:
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


def refuse_unfit(wanted: Wanted, given: StateObject) -> None:
    """Return if the shard may have this state. Raises UsageError, GateError or NeedsPersonError else."""
    _refuse_taken_elsewhere(wanted)
    _refuse_another_stacks(wanted, given)
    _refuse_unsettled(wanted)
    _refuse_other_shards(wanted, given)


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
    good, record = records_of(wanted.store, wanted.shard.state.folder)
    app = ThisApp(wanted.project, environment=wanted.shard.environment)
    refuse_other_app(app, wanted.shard.state.key, good=good, record=record)
    if record is not None and record.is_open:
        raise NeedsPersonError(
            f"run {record.run} of {wanted.shard.name} did not end", next_step=f"holdfast resume {record.run}"
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
