"""Works out what a rollback is built from: its goal, what failed, what to keep, forget or import."""

from collections.abc import Iterator, Mapping

from holdfast_orchestrator.deploy.decisions.adoption import candidate_ids
from holdfast_orchestrator.deploy.decisions.configuration import (
    RollbackNeeds,
    empty_like,
    inverse_moves,
    to_forget,
)
from holdfast_orchestrator.deploy.phases.assessment import Assessment
from holdfast_orchestrator.deploy.phases.letting_go import owned_by_others
from holdfast_orchestrator.deploy.phases.verification import to_keep
from holdfast_orchestrator.deploy.work.attempt import Attempt
from holdfast_orchestrator.deploy.work.leased_shard import LeasedShard
from holdfast_orchestrator.record.artifact import readable_configurations
from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.holdings import currents_of, currents_replaced, settings_overwritten
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.import_ids import ImportBlock, import_id
from holdfast_orchestrator.terraform.json_values import Document
from holdfast_orchestrator.terraform.object_keys import Place
from holdfast_orchestrator.terraform.references import declares


def goal_of(attempt: Attempt) -> Document:
    """The configuration to go back to; without a last good one, one with nothing in it."""
    return empty_like(attempt.configuration) if attempt.good is None else attempt.good.configuration


def failed(leased: LeasedShard, attempt: Attempt) -> Document:
    """The configuration that failed, with the providers that earlier failed runs needed."""
    from holdfast_orchestrator.terraform.provider_blocks import union_providers  # noqa: PLC0415

    newest: Document = attempt.stage_configuration
    for configuration in readable_configurations(leased.store, attempt.leftovers.artifacts):
        newest = union_providers(newest, configuration).configuration
    return newest


def declared_by_good(attempt: Attempt, now: IdentityIndex) -> frozenset[str]:
    """Addresses that the version to go back to has: an object that is let go of there would be made anew."""
    goal = goal_of(attempt)
    whole = {tracked.address for tracked in now if tracked.address == configuration_address(tracked.address)}
    declared = {address for address in whole if declares(goal, address)}
    return frozenset(declared.union(tracked.address for tracked in attempt.good_index))


def needs_of(
    leased: LeasedShard,
    attempt: Attempt,
    assessment: Assessment,
    created: frozenset[Identity] | set[Identity],
) -> RollbackNeeds:
    """Return what the rollback does beyond going back: addresses to move, to forget and to import again.

    Args:
        leased: the shard that failed.
        attempt: what failed.
        assessment: the state as it is, held against what the applies said.
        created: the objects this run made, or earlier ones that were kept.
    """
    good, now, taken = to_keep(attempt), assessment.now, assessment.settled.taken
    imported = {tracked.identity for tracked in now if tracked.address in attempt.imported}
    forget = to_forget(
        now,
        good,
        imported=imported
        | taken
        | unproven(leased, attempt, now)
        | owned_by_others(leased, attempt, created),
        created=created,
        keep_created=attempt.health_began,
    )
    declared = declared_by_good(attempt, now)
    by_edit = {
        tracked.address for tracked in now if tracked.identity in taken and tracked.address in declared
    }
    orphaned = tuple(address for address in attempt.decision.orphan if address in now.by_address)
    return RollbackNeeds(
        moves=inverse_moves(good, now),
        forget=tuple(dict.fromkeys(address for address in (*forget, *orphaned) if address not in by_edit)),
        forget_by_edit=tuple(address for address in forget if address in by_edit),
        import_again=tuple(_import_again(attempt, good, now)),
        make_current=tuple(
            currents_of(attempt.before.document, currents_replaced(assessment.stored.document, created))
        ),
    )


def unproven(leased: LeasedShard, attempt: Attempt, now: IdentityIndex) -> set[Identity]:
    """Adopted objects that may have been there before the run, and are not its own to destroy.

    AWS told of the shard's region what carried its tags, or it did not tell; of other regions nobody asked,
    and of IAM it never tells. What the run's events say was made is new, and so is what has the place and id
    of an object that the state had: nothing else can have had them. New, too, is what has no ARN (a NAT
    gateway) and was found by its tags, because that search passes over all that had them before.
    """
    place = Place(account=leased.shard.account, region=leased.shard.region)
    planned = attempt.planned_values()

    def is_told_of(tracked: TrackedObject) -> bool:
        if tracked.place is None and tracked.region is None:
            return not candidate_ids(tracked.identity.kind, planned.get(tracked.address, {}), place)
        return tracked.region == leased.shard.region

    made = {(step.kind, step.id_value) for step in attempt.progress().created()}
    ours = {
        (tracked.identity.kind, tracked.id, tracked.place)
        for tracked in attempt.before.index
        if tracked.place
    }
    return {
        tracked.identity
        for tracked in now
        if tracked.identity in attempt.objects.adopted - attempt.objects.proved
        and (attempt.objects.tagged_before is None or not is_told_of(tracked))
        and (tracked.identity.kind, tracked.id) not in made
        and (tracked.identity.kind, tracked.id, tracked.place) not in ours
    }


def let_go(
    attempt: Attempt, needs: RollbackNeeds, now: IdentityIndex, *, taken: frozenset[Identity] = frozenset()
) -> None:
    """Remember, and tell, what stays in the cloud and leaves the state."""
    for address in (*needs.forget, *needs.forget_by_edit):
        tracked = now.by_address.get(address)
        if (
            tracked is not None
            and (tracked.identity.kind, tracked.id or address) not in attempt.objects.let_go
        ):
            attempt.objects.let_go.add((tracked.identity.kind, tracked.id or address))
            attempt.notes.append(f"{address} ({tracked.id}) {_why_left(tracked, taken)}")


def tell_overwritten(
    attempt: Attempt, needs: RollbackNeeds, state: Document | None, created: frozenset[Identity]
) -> None:
    """Name the settings that the rollback takes away and cannot put back as they were before the run."""
    for address in settings_overwritten(state, created):
        note = (
            f"{address} had a value before this run, as AWS always has one, and nobody noted it: "
            "the rollback takes this one away and does not bring that one back"
        )
        if address not in (*needs.forget, *needs.forget_by_edit) and note not in attempt.notes:
            attempt.notes.append(note)
    for note in _current_versions(attempt, currents_replaced(state, created)):
        if note not in attempt.notes:
            attempt.notes.append(note)


def _current_versions(attempt: Attempt, secrets: frozenset[str]) -> Iterator[str]:
    """Say of which secrets the rollback does not bring the former value back, or may not."""
    before = currents_of(attempt.before.document, secrets)
    for secret in sorted(secrets - {*before.values()}):
        yield (
            f"{secret} keeps the value that this run gave it: AWS takes its label AWSCURRENT from no "
            "version, and no version of this stack had it before; put the former value back by hand"
        )
    # No configuration of ours reaches into a module, so there the label is not moved.
    for secret in sorted({before[address] for address in before if address.startswith("module.")}):
        yield (
            f"{secret} may still have the value that this run gave it: its version is declared in a module, "
            "where the label AWSCURRENT is not moved back; look at it"
        )


def _why_left(tracked: TrackedObject, taken: frozenset[Identity]) -> str:
    stays = "stays in the cloud and is no longer in the state"
    if tracked.identity not in taken:
        return stays
    return f"was made or taken over by this run: nobody can tell; left alone, it {stays}"


def _import_again(attempt: Attempt, good: IdentityIndex, now: IdentityIndex) -> list[ImportBlock]:
    """What the failed run let go of, and the last good version owns."""
    blocks = []
    attributes = _attributes(attempt.before.document or {})
    for address in sorted(attempt.forgotten | attempt.objects.handed_over.keys()):
        tracked = good.by_address.get(address)
        if tracked is None or tracked.identity in now:
            continue
        by_id = import_id(tracked.identity.kind, tracked.id, attributes.get(address, {}))
        if by_id is not None:
            blocks.append(ImportBlock(address, by_id, tracked.id))
    return blocks


def _attributes(state: Document) -> Mapping[str, Document]:
    from holdfast_orchestrator.terraform.json_values import managed  # noqa: PLC0415

    return {address: instance.get("attributes") or {} for address, _, instance in managed(state)}
