"""What a shard's state has, for the guard over its creates, and what of it the run is proven to have made."""

from collections.abc import Collection

from holdfast_orchestrator.rollback.changes import Action, read_plan
from holdfast_orchestrator.rollback.documents import Document, managed
from holdfast_orchestrator.rollback.identities import Identity, identify
from holdfast_orchestrator.terraform.create_semantics import rule_of
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sightings, holdings_of, parent_names


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


def settings_overwritten(state: Document | None, created: Collection[Identity]) -> tuple[str, ...]:
    """Return the addresses of settings that a run has made and that had a value before: nobody noted it.

    AWS has a value for such a setting at any time; where the run made its parent, too, it was the default.
    """
    mine = [
        (address, resource["type"], instance.get("attributes") or {})
        for address, resource, instance in managed(state or {})
        if identify(resource["type"], instance.get("attributes") or {}, address=address) in created
    ]
    new = {pair for _, kind, attributes in mine for pair in parent_names(kind, attributes)}
    rules = ((address, rule_of(kind), attributes) for address, kind, attributes in mine)
    return tuple(
        address
        for address, rule, attributes in rules
        if rule is not None
        and rule.always_there
        and (rule.parent_kind, str(attributes.get(rule.parent))) not in new
    )


def _created_first(plan: Document | None) -> frozenset[str]:
    planned = () if plan is None else read_plan(plan)
    return frozenset(change.address for change in planned if change.action is Action.CREATE_THEN_DELETE)
