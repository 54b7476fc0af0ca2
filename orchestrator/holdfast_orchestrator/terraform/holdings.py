"""What a shard's state has, for the guard over its creates, and what of it the run is proven to have made."""

from collections.abc import Collection, Iterator, Mapping

from holdfast_orchestrator.terraform.create_semantics import CURRENT, CreateRule, rule_of, succeeds
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
    changes = () if plan is None else read_plan(plan)
    placed = (
        (change.address, change.kind, change.after or {})
        for change in changes
        if change.address in accepted and succeeds(change.kind)
    )
    created_first = {change.address for change in changes if change.action is Action.CREATE_THEN_DELETE}
    return holdings_of((*_objects(state), *placed), but=created_first, gone=gone)


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
    return tuple(address for address, rule, _ in _made_for_others(state, created) if rule.always_there)


def currents_replaced(state: Document | None, created: Collection[Identity]) -> frozenset[str]:
    """Return the secrets (ids) that were there before a run and have a version that it made."""
    return frozenset(parent for _, rule, parent in _made_for_others(state, created) if rule.succeeds)


def currents_of(state: Document | None, parents: Collection[str]) -> Mapping[str, str]:
    """Return, by address, the secret of each version that was its current one in an earlier state."""
    return {
        address: str(attributes.get(rule.parent))
        for address, kind, attributes in _objects(state)
        if (rule := rule_of(kind)) is not None
        and rule.succeeds
        and str(attributes.get(rule.parent)) in parents
        and CURRENT in (attributes.get("version_stages") or ())
    }


def _objects(state: Document | None) -> Iterator[tuple[str, str, Document]]:
    for address, resource, instance in managed(state or {}):
        yield address, resource["type"], instance.get("attributes") or {}


def _made_for_others(
    state: Document | None, created: Collection[Identity]
) -> Iterator[tuple[str, CreateRule, str]]:
    """Yield address, rule and parent of each created object whose parent was not created with it."""
    mine = [
        (address, kind, attributes)
        for address, kind, attributes in _objects(state)
        if identify(kind, attributes, address=address) in created
    ]
    new = {pair for _, kind, attributes in mine for pair in parent_names(kind, attributes)}
    for address, kind, attributes in mine:
        rule = rule_of(kind)
        if rule is not None:
            parent = str(attributes.get(rule.parent))
            if (rule.parent_kind, parent) not in new:
                yield address, rule, parent
