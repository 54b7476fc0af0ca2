"""Takes what another state has by now out of our state, right before deletes are made.

The owners are read once more (a LIST, and what was written since): minutes may have passed since the plan.
The edit of the state is one of ours, backed up and conditional; in the cloud nothing changes.
"""

from collections.abc import Collection, Mapping

from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.ownership.conflicts import shard_name
from holdfast_orchestrator.terraform.identity import Identity
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.owners import (
    PlannedPlaces,
    keys_by_address,
    object_key,
    owned_elsewhere,
    place_of,
)
from holdfast_orchestrator.terraform.plan import read_plan
from holdfast_orchestrator.terraform.state_edits import forget_in_state


def not_ours_to_delete(
    leased: LeasedShard, attempt: Attempt, addresses: Collection[str]
) -> Mapping[str, str]:
    """Return those of `addresses` whose objects must not be deleted by this shard, each with the reason."""
    if not addresses:
        return {}
    owners = leased.run_context.owners.of(leased.shard, leased.run).now()
    keys = keys_by_address(leased.document(), leased.folder)
    elsewhere = owned_elsewhere(addresses, keys, owners, folder=leased.folder)
    reasons = {address: f"{shard_name(leased, owner)} has it" for address, owner in elsewhere.items()}
    for unreadable in owners.unreadable_besides(leased.shard.state.key):
        for address in addresses:
            if keys.get(address):
                reasons.setdefault(address, f"the state {unreadable} cannot be read, and may have it")
    for address in addresses:
        if address in attempt.objects.ownership.orphaned:
            reasons.setdefault(address, attempt.objects.ownership.orphaned[address])
    gone = {*addresses} & attempt.objects.ownership.let_go.keys() - reasons.keys()
    if gone:
        # Nobody agreed to lose these: the gates passed them because another shard had them.
        raise HoldfastError(
            f"{', '.join(sorted(gone))} was another shard's when this was planned, and is not now; "
            "nothing of it was deleted",
            next_step="deploy again",
        )
    return reasons


def let_go_in_state(leased: LeasedShard, attempt: Attempt, reasons: Mapping[str, str]) -> None:
    """Take addresses out of the state, and report the reason for each."""
    snapshot = leased.snapshot()
    if snapshot is None:
        return
    present = sorted(reasons.keys() & {tracked.address for tracked in leased.index(snapshot.document)})
    if not present:
        return
    by_address = leased.index(snapshot.document).by_address
    leased.put_state(forget_in_state(snapshot.document, present), reason="before objects are let go of")
    attempt.objects.handed_over.update(
        {address: by_address[address] for address in present if address in by_address}
    )
    for address in present:
        leased.say(f"{address} is not deleted, only forgotten: {reasons[address]}")


def deletes_at_once(attempt: Attempt) -> tuple[str, ...]:
    """Return the addresses whose objects the first apply deletes, by itself or to replace them."""
    put_off = set(attempt.planning.staging.put_off)
    return tuple(
        change.address for change in attempt.planned if change.deletes and change.address not in put_off
    )


def owned_by_others(leased: LeasedShard, attempt: Attempt, created: Collection[Identity]) -> set[Identity]:
    """Return those of the objects a failed run made that other states have: a rollback lets go of them."""
    now = leased.index_now()
    mine = {tracked.address: tracked.identity for tracked in now if tracked.identity in created}
    reasons = not_ours_to_delete(leased, attempt, list(mine))
    for address, why in reasons.items():
        note = f"{address} is not deleted: {why}"
        if note not in attempt.notes:
            attempt.notes.append(note)
    return {mine[address] for address in reasons}


def creates_of_others(leased: LeasedShard, plan: Document) -> Mapping[str, str]:
    """Return what a rollback's plan would make and another state has, with who has it."""
    changes = (
        [change for change in read_plan(plan) if change.creates and not change.importing] if plan else []
    )
    if not changes:
        return {}
    places = PlannedPlaces(plan, place_of(leased.folder))
    owners = leased.run_context.owners.of(leased.shard, leased.run).now()
    owner_names = {}
    for change in changes:
        key = object_key(
            change.kind, change.after or {}, address=change.address, place=places.of(change.address)
        )
        owner = None if key is None else owners.has(key, besides=leased.folder)
        if owner is not None:
            owner_names[change.address] = shard_name(leased, owner)
    return owner_names


def deletes_of_others(leased: LeasedShard, attempt: Attempt, plan: Document) -> Mapping[str, str]:
    """Return what a rollback's plan would delete and another state has since it was made."""
    planned = read_plan(plan) if plan else ()
    return not_ours_to_delete(leased, attempt, [change.address for change in planned if change.deletes])
