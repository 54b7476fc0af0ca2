"""No create takes over an object that was there before, unless a person names it.

Findings of one plan: objects that a look found where the plan creates them, and replacements that would be
handed the very object they replace.
"""

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.gate.adopted import refuse_absent, refuse_nameless
from holdfast_orchestrator.gate.base import Finding
from holdfast_orchestrator.plan.looks import place_of
from holdfast_orchestrator.terraform.create_semantics import is_doubtful, is_looked_for, succeeds
from holdfast_orchestrator.terraform.import_ids import ImportBlock
from holdfast_orchestrator.terraform.object_keys import import_id_of, key_of
from holdfast_orchestrator.terraform.ownership import Sighting, Sightings, Verdict
from holdfast_orchestrator.terraform.plan import Action, Change, read_plan

_MOST_TAGS = 6
_RETENTION = {"aws_cloudwatch_log_group": "retention_in_days"}


def takeovers(
    plan: Mapping[str, Any], watched: Sightings, shard: Shard, *, adopted: Collection[str] = ()
) -> Iterator[Finding]:
    """Find each create that would take an object over, but for the addresses somebody named."""
    command = _command(shard, plan, watched)
    for change, seen in _found(plan, watched, shard):
        if change.address not in adopted:
            yield Finding(
                gate="takeover", what=_sentence(change, seen, shard), next_step=_next(command, change, seen)
            )
    for change in read_plan(plan):
        if change.address in adopted and change.importing and change.deletes:
            yield Finding(
                gate="takeover",
                what=f"{change.address} cannot be taken over: its settings here would replace it",
                next_step="declare it with the settings that it has, or give it another name",
            )
        if _meets_itself(change):
            yield Finding(
                gate="takeover",
                what=f"the replacement of {change.address} has the name of what it replaces; AWS would hand "
                "out the old one and then delete it",
                next_step="give it another name, or replace it without create_before_destroy",
            )


def adoptions(
    plan: Mapping[str, Any], watched: Sightings, shard: Shard, *, adopted: Collection[str]
) -> tuple[ImportBlock, ...]:
    """Return an import block for each planned create at an address somebody named.

    Where AWS itself refuses to create what exists, nobody looked; then Terraform says whether it is there.
    Raises UsageError for an object that a look did not find, and for one without anything that names it.
    """
    import_ids = {change.address: seen.import_id for change, seen in _found(plan, watched, shard)}
    # A new version is made beside the one that is there: nothing is imported.
    asked = [
        change
        for change in read_plan(plan)
        if change.creates and not change.importing and change.address in adopted and not succeeds(change.kind)
    ]
    wanted = {
        change.address: import_ids.get(change.address)
        or import_id_of(change.kind, change.after or {}, place_of(plan, change.address, shard))
        for change in asked
    }
    absent = [change for change in asked if _verdict(plan, change, watched, shard) is Verdict.ABSENT]
    refuse_absent({change.address: wanted[change.address] or "no id" for change in absent}, adopted, shard)
    refuse_nameless([address for address, import_id in wanted.items() if not import_id], shard)
    return tuple(ImportBlock(address, import_id) for address, import_id in wanted.items() if import_id)


def _verdict(plan: Mapping[str, Any], change: Change, watched: Sightings, shard: Shard) -> Verdict | None:
    place = place_of(plan, change.address, shard)
    key = key_of(change.kind, change.after or {}, None if place is None else str(place))
    seen = None if key is None else watched.of(key)
    return None if seen is None else seen.verdict


def _found(plan: Mapping[str, Any], watched: Sightings, shard: Shard) -> Iterator[tuple[Change, Sighting]]:
    for change in read_plan(plan):
        if not change.creates or change.importing or not is_looked_for(change.kind, change.after or {}):
            continue
        place = place_of(plan, change.address, shard)
        key = key_of(change.kind, change.after or {}, None if place is None else str(place))
        seen = None if key is None else watched.of(key)
        if seen is not None and seen.verdict is Verdict.FOUND:
            yield change, seen


def _sentence(change: Change, seen: Sighting, shard: Shard) -> str:
    name = seen.import_id or seen.key.name
    refused = f"{change.address} would take over {name}, which is there already"
    if not is_doubtful(change.kind, change.after or {}):
        refused = f"{change.address} cannot be made: AWS refuses a second {name}, which is there already"
    ours = {"Service": shard.service, "Environment": shard.environment, "ManagedBy": "holdfast"}
    if seen.tags is not None and ours.items() <= seen.tags.items():
        return f"{refused}, with this shard's tags and in no state of it: an earlier run left it"
    tags = ", ".join(f"{key}={value}" for key, value in sorted((seen.tags or {}).items())[:_MOST_TAGS])
    return f"{refused} and in no state of this shard (tags: {tags or 'none'})"


def _command(shard: Shard, plan: Mapping[str, Any], watched: Sightings) -> str:
    """The command that takes over everything that was found."""
    words = ["holdfast", "deploy", "--env", shard.environment, "--stack", shard.name]
    for change, seen in _found(plan, watched, shard):
        if _can_be_adopted(change, seen):
            words += ["--adopt", change.address]
            words += ["--approve", change.address] if _kept_days(change) else []
    return shlex.join(words)


def _kept_days(change: Change) -> int:
    """How long a group of logs keeps them, 0 for ever: one that AWS made keeps them for ever until then."""
    return int((change.after or {}).get(_RETENTION.get(change.kind, ""), 0) or 0)


def _can_be_adopted(change: Change, seen: Sighting) -> bool:
    return bool(seen.import_id) or succeeds(change.kind)


def _next(command: str, change: Change, seen: Sighting) -> str:
    if not _can_be_adopted(change, seen):
        return "give it another name, or refer to the object that is there"
    days = _kept_days(change)
    lost = f", and what it keeps for longer than {days} days is deleted" if days else ""
    return (
        "give it another name, refer to the object that is there, or take it over: "
        f"{command} (its settings become the new ones{lost}; a rollback lets go of it and does not bring the "
        "old ones back)"
    )


def _meets_itself(change: Change) -> bool:
    if change.action is not Action.CREATE_THEN_DELETE or not is_doubtful(change.kind, change.after or {}):
        return False
    if succeeds(change.kind):
        return False
    before, after = key_of(change.kind, change.before or {}), key_of(change.kind, change.after or {})
    return before is not None and after is not None and (before.kind, before.name) == (after.kind, after.name)
