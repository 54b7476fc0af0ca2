"""What a shard's state has, for the guard over its creates, and what of it the run is proven to have made."""

from collections.abc import Collection, Iterator, Mapping

from holdfast_orchestrator.terraform.create_semantics import CURRENT, rule_of, succeeds
from holdfast_orchestrator.terraform.identity import Identity, identify
from holdfast_orchestrator.terraform.json_values import Document, managed
from holdfast_orchestrator.terraform.object_keys import ObjectKey
from holdfast_orchestrator.terraform.ownership import Holdings, Sightings, holdings_of, parent_names
from holdfast_orchestrator.terraform.plan import Action, read_plan


def holdings_in(
    state: Document | None,
    *,
    plan: Document | None = None,
    gone: Collection[ObjectKey] = (),
    accepted: Collection[str] = (),
) -> Holdings:
    """Return what a state (format 4) has.

    What `plan` replaces, creating first, must not be met by its own replacement: AWS would hand out the old
    object, and the delete that follows would destroy it. `gone` is what the run has deleted. At `accepted`
    addresses somebody agreed by name that a new object takes the place of a current one (a secret's version).
    """
    taken = () if plan is None else (one for one in read_plan(plan) if one.address in accepted)
    placed = ((one.address, one.kind, one.after or {}) for one in taken if succeeds(one.kind))
    return holdings_of((*_objects(state), *placed), but=_created_first(plan), gone=gone)


def unproven_in(state: Document | None, sightings: Sightings) -> frozenset[Identity]:
    """Return the objects of a state of which a completed create does not prove that the run made them."""
    return frozenset(
        identify(kind, attributes, address=address)
        for address, kind, attributes in _objects(state)
        if not sightings.proves(kind, attributes)
    )


def settings_overwritten(state: Document | None, created: Collection[Identity]) -> tuple[str, ...]:
    """Return the addresses of settings that a run has made and that had a value before: nobody noted it.

    AWS has a value for such a setting at any time; where the run made its parent, too, it was the default.
    """
    mine = [one for one in _objects(state) if identify(one[1], one[2], address=one[0]) in created]
    new = {pair for _, kind, attributes in mine for pair in parent_names(kind, attributes)}
    rules = ((address, rule_of(kind), attributes) for address, kind, attributes in mine)
    return tuple(
        address
        for address, rule, attributes in rules
        if rule is not None
        and rule.always_there
        and (rule.parent_kind, str(attributes.get(rule.parent))) not in new
    )


def currents_replaced(state: Document | None, created: Collection[Identity]) -> frozenset[str]:
    """Return the secrets (ids) that were there before a run and have a version that it made."""
    mine = [one for one in _objects(state) if identify(one[1], one[2], address=one[0]) in created]
    new = {pair for _, kind, attributes in mine for pair in parent_names(kind, attributes)}
    parents = (
        (rule.parent_kind, str(attributes.get(rule.parent)))
        for _, kind, attributes in mine
        if succeeds(kind) and (rule := rule_of(kind)) is not None
    )
    return frozenset(parent for kind, parent in parents if (kind, parent) not in new)


def currents_of(state: Document | None, parents: Collection[str]) -> Mapping[str, str]:
    """Return, by address, the secret of each version that was its current one in an earlier state."""
    return {
        address: str(attributes.get(rule.parent))
        for address, kind, attributes in _objects(state)
        if succeeds(kind)
        and (rule := rule_of(kind)) is not None
        and str(attributes.get(rule.parent)) in parents
        and CURRENT in (attributes.get("version_stages") or ())
    }


def _objects(state: Document | None) -> Iterator[tuple[str, str, Document]]:
    for address, resource, instance in managed(state or {}):
        yield address, resource["type"], instance.get("attributes") or {}


def _created_first(plan: Document | None) -> frozenset[str]:
    planned = () if plan is None else read_plan(plan)
    return frozenset(change.address for change in planned if change.action is Action.CREATE_THEN_DELETE)
