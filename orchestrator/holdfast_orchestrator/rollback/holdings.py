"""What a shard's state has, for the guard over its creates, and what of it the run is proven to have made."""

from collections.abc import Collection

from holdfast_orchestrator.rollback.changes import Action, read_plan
from holdfast_orchestrator.rollback.documents import Document, managed
from holdfast_orchestrator.rollback.identities import Identity, identify
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sightings, holdings_of


def holdings_in(
    state: Document | None, *, plan: Document | None = None, gone: Collection[ObjectKey] = ()
) -> Holdings:
    """Return what a state (format 4) has.

    What `plan` replaces, creating first, must not be met by its own replacement: AWS would hand out the old
    object, and the delete that follows would destroy it. `gone` is what the run has deleted.
    """
    objects = (
        (address, resource["type"], instance.get("attributes") or {})
        for address, resource, instance in managed(state or {})
    )
    return holdings_of(objects, but=_created_first(plan), gone=gone)


def unproven_in(state: Document | None, sightings: Sightings) -> frozenset[Identity]:
    """Return the objects of a state of which a completed create does not prove that the run made them."""
    return frozenset(
        identify(resource["type"], instance.get("attributes") or {}, address=address)
        for address, resource, instance in managed(state or {})
        if not sightings.proves(resource["type"], instance.get("attributes") or {})
    )


def _created_first(plan: Document | None) -> frozenset[str]:
    planned = () if plan is None else read_plan(plan)
    return frozenset(change.address for change in planned if change.action is Action.CREATE_THEN_DELETE)
