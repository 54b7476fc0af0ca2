"""Putting deletes off: one new configuration becomes two stages.

Stage one is the new configuration together with every block it removed whose object still exists, and
with what those blocks refer to. Nothing is deleted, so the old version stays whole until the new one
is healthy, and a rollback has nothing to bring back. Stage two is the new configuration: its plan is
the deletes. (CloudFormation does the same in its cleanup phase.)

The re-added blocks are frozen with `ignore_changes = all`: whatever they refer to may have changed,
they themselves must not. Which blocks were removed is read from the plan of the new configuration
and not from a comparison of texts, because a block whose object is already gone would be created again.

Where a delete cannot be put off (no known configuration has its block, it is one instance of a block
that stays, a local module, a name the new version declares with another meaning), that is said for
each address and nothing is pretended.

A delete that was put off can be aimed at an object that the new version meanwhile owns: a block
renamed without `moved`, in a service whose create call hands out the existing object (SNS topics, SQS
queues). Both addresses then hold one identity and stage two would destroy what stage one adopted.
`stage_two` forgets the old address instead.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.create_semantics import is_doubtful
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.json_values import Document, as_list
from holdfast_orchestrator.terraform.object_keys import ObjectKey, key_of
from holdfast_orchestrator.terraform.ownership import is_among
from holdfast_orchestrator.terraform.plan import Action, Change, read_plan
from holdfast_orchestrator.terraform.provider_blocks import union_providers
from holdfast_orchestrator.terraform.references import (
    Reference,
    closure,
    declared,
    provider_of,
    references,
)

_REMOVED_BLOCK = frozenset({"delete_because_no_resource_config", "delete_because_no_module", None})

# With `ignore_changes = all` Terraform hands the provider each value of the state as if it were written. The
# provider refuses `secondary_private_ip_address_count = 0` of a public NAT gateway then (provider 5.100).
_READ_AS_WRITTEN = frozenset({"aws_nat_gateway"})
_META_ARGUMENTS = frozenset(
    {"//", "connection", "count", "depends_on", "dynamic", "for_each", "lifecycle", "provider", "provisioner"}
)


@dataclass(frozen=True, slots=True)
class NotPutOff:
    """A delete that stays in the first stage, and why."""

    address: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """The two stages of a deploy.

    `stage_one` is None where nothing is to be put off; then the new configuration is the only stage. `final`
    is the new configuration with what is held back after the deletes too; None: nothing is.
    """

    stage_one: Document | None
    put_off: tuple[str, ...] = ()
    not_put_off: tuple[NotPutOff, ...] = ()
    final: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTwo:
    """The second stage. `forgotten` blocks leave the state without a destroy; `problems` must be empty."""

    configuration: Document
    forgotten: tuple[str, ...]
    problems: tuple[str, ...]


def stage(
    new: Document, *, plan: Document, earlier: Sequence[Document], hold: Collection[str] = ()
) -> Staging:
    """Split a new configuration so that the first stage deletes nothing.

    Args:
        new: the configuration to deploy (cdk.tf.json).
        plan: the plan of `new` against the present state, as `terraform show -json` prints it.
        earlier: configurations that may have the removed blocks, newest first: that of an earlier
            failed run whose objects were kept, then the last good one.
        hold: addresses whose deletes are not made in this deploy at all.
    """
    wanted: list[_Removed] = []
    refused: list[NotPutOff] = []
    for change in read_plan(plan):
        if change.action is Action.DELETE:
            match _find(change, new, earlier):
                case _Removed() as found:
                    wanted.append(found)
                case NotPutOff() as why:
                    refused.append(why)
    kept, impossible = _possible(wanted, new)
    refused.extend(impossible)
    if not kept:
        return Staging(stage_one=None, not_put_off=tuple(refused))
    return Staging(
        stage_one=_union(new, kept),
        put_off=tuple(each.address for each in kept),
        not_put_off=tuple(refused),
        final=_union(new, held) if (held := [each for each in kept if each.address in hold]) else None,
    )


def stage_one_problems(
    plan: Document, *, put_off: Collection[str], accepted: Collection[str] = ()
) -> tuple[str, ...]:
    """Why the plan of stage one must not be applied (empty: nothing against it).

    Args:
        plan: the plan of stage one.
        put_off: what `stage` put off. Those objects must not change at all.
        accepted: addresses whose delete could not be put off and was agreed to.
    """
    kept = {configuration_address(address) for address in put_off}
    planned = read_plan(plan)
    return planned.problems + tuple(
        problem for change in planned if (problem := _stage_one_problem(change, kept, accepted))
    )


def stage_two(new: Document, *, put_off: Collection[str], state: IdentityIndex) -> StageTwo:
    """The second stage: the new configuration, forgetting what must not be destroyed.

    Args:
        new: the configuration to deploy.
        put_off: the addresses whose deletes the first stage put off.
        state: the index of the state after the first stage.
    """
    shared = set(_shared(put_off, state))
    by_block = sorted({configuration_address(address) for address in shared})
    whole = [block for block in by_block if _instances(block, state) <= shared]
    staged = dict(new)
    if whole:
        others = [each for each in as_list(new.get("removed")) if each.get("from") not in whole]
        forgets = [{"from": block, "lifecycle": {"destroy": False}} for block in whole]
        staged["removed"] = [*others, *forgets]
    return StageTwo(
        configuration=staged,
        forgotten=tuple(whole),
        problems=tuple(
            f"{block}: some of its instances are owned by the new version, others are not; "
            "Terraform can only forget all of them."
            for block in by_block
            if block not in whole
        ),
    )


def stage_two_problems(
    plan: Document,
    *,
    put_off: Collection[str],
    forgotten: Collection[str],
    state: IdentityIndex,
    accepted: Collection[str] = (),
) -> tuple[str, ...]:
    """Why the plan of stage two must not be applied (empty: nothing against it).

    It may delete what was put off, unless another address owns that object, forget what `stage_two`
    said, and update what is `accepted` to differ each time; anything else appeared since the first stage
    and needs a look of its own.
    """
    shared = set(_shared(put_off, state))
    planned = read_plan(plan)
    problems = []
    for change in planned:
        allowed = (
            (change.action is Action.DELETE and change.address in put_off)
            or (change.action is Action.FORGET and configuration_address(change.address) in forgotten)
            or (change.action is Action.UPDATE and change.address in accepted)
        )
        if change.touches and not allowed:
            problems.append(f"{change.address} was not put off and would change now: {change.action}.")
        if change.deletes and change.address in shared:
            problems.append(f"{change.address} is the same object as one the new version keeps.")
    return (*planned.problems, *problems)


def deleted_and_made(plan: Document, not_put_off: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return the deletes of one apply that would destroy what a create of it is answered with.

    An instance whose key was renamed without `moved`, of a type whose create hands out the existing object:
    Terraform makes and deletes in no order. Each is the address deleted and the address made.
    """
    planned = read_plan(plan)
    made = {
        (configuration_address(change.address), key.name): change.address
        for change in planned
        if change.creates
        and not change.deletes
        and is_doubtful(change.kind, change.after or {})
        and (key := key_of(change.kind, change.after or {})) is not None
    }
    return tuple(
        (change.address, made[block, key.name])
        for change in planned
        if change.action is Action.DELETE
        and change.address in not_put_off
        and (key := key_of(change.kind, change.before or {})) is not None
        and ((block := configuration_address(change.address)), key.name) in made
    )


@dataclass(frozen=True, slots=True)
class _Removed:
    address: str
    reference: Reference
    source: Document


def _stage_one_problem(change: Change, kept: Collection[str], accepted: Collection[str]) -> str | None:
    if change.action is Action.DELETE and change.deposed is None and change.address not in accepted:
        return f"{change.address} would be deleted in the first stage."
    if change.touches and configuration_address(change.address) in kept:
        return f"{change.address} waits for the second stage and would change now: {change.action}."
    return None


def _instances(block: str, state: IdentityIndex) -> set[str]:
    return {tracked.address for tracked in state if configuration_address(tracked.address) == block}


def _shared(put_off: Collection[str], state: IdentityIndex) -> list[str]:
    """What was put off and is the same object as one that stays.

    An id that is only a name is the same in two regions; those are two objects, as their ARNs say. An id that
    the provider makes up (a role's policy attachment) differs for one object at two addresses: those are
    recognized by what names them.
    """
    kept, keys = defaultdict[Identity, set[str | None]](set), set[ObjectKey]()
    for tracked in state:
        if tracked.address not in put_off:
            kept[tracked.identity].add(tracked.place)
            keys.update(() if tracked.key is None else (tracked.key,))

    def stays(tracked: TrackedObject) -> bool:
        places = kept.get(tracked.identity) or set()
        same = bool(places) and (tracked.place is None or bool(places & {tracked.place, None}))
        return same or (tracked.key is not None and is_among(tracked.key, keys))

    return [tracked.address for tracked in state if tracked.address in put_off and stays(tracked)]


def _find(change: Change, new: Document, earlier: Sequence[Document]) -> _Removed | NotPutOff:
    reference = _reference(change.address)
    if change.deposed:
        return NotPutOff(change.address, "it is a deposed object, which no configuration can keep")
    if change.reason not in _REMOVED_BLOCK or reference in declared(new):
        return NotPutOff(change.address, "it is one instance of a block that stays")
    source = next((each for each in earlier if reference in declared(each)), None)
    if source is None:
        return NotPutOff(change.address, "no earlier configuration known here declares it")
    if _is_local_module(declared(source)[reference]):
        return NotPutOff(change.address, "it comes from a module whose files are not kept")
    return _Removed(change.address, reference, source)


def _reference(address: str) -> Reference:
    plain = configuration_address(address).split(".")
    if plain[0] == "module":
        return Reference("module", "", plain[1])
    return Reference("resource", plain[0], plain[1])


def _is_local_module(block: object) -> bool:
    return isinstance(block, Mapping) and str(block.get("source", "")).startswith((".", "/"))


def _possible(wanted: Sequence[_Removed], new: Document) -> tuple[list[_Removed], list[NotPutOff]]:
    """Keep the blocks whose references all resolve; each one left out may make another impossible."""
    kept, refused = list(wanted), list[NotPutOff]()
    while True:
        returning = {each.reference for each in kept}
        obstacles = {each.address: _obstacle(each, returning, new) for each in kept}
        bad = {address: why for address, why in obstacles.items() if why is not None}
        if not bad:
            return kept, refused
        kept = [each for each in kept if each.address not in bad]
        refused.extend(NotPutOff(address, why) for address, why in bad.items())


def _obstacle(removed: _Removed, returning: Collection[Reference], new: Document) -> str | None:
    """Why a block cannot stay. What is referred to and not declared anywhere is no reference."""
    available, present = declared(removed.source), declared(new)
    for needed in sorted(closure([removed.reference], available)):
        if needed.section not in ("resource", "module") or needed not in available:
            continue
        if needed not in returning and needed not in present:
            return f"it refers to {needed}, which exists in neither the new version nor the cloud"
    return None


def _union(new: Document, kept: Sequence[_Removed]) -> dict[str, Any]:
    staged: dict[str, Any] = deepcopy(dict(new))
    for removed in kept:
        available = declared(removed.source)
        for needed in sorted(closure([removed.reference], available)):
            if needed in available and needed not in declared(staged):
                _add(staged, needed, available[needed])
    for source in _sources(kept):
        returning = [each.reference for each in kept if each.source is source]
        staged = union_providers(staged, source, only=_providers(returning, source)).configuration
        _add_outputs(staged, source)
    _drop_contradictions(staged, [each.reference for each in kept])
    return staged


def _sources(kept: Sequence[_Removed]) -> list[Document]:
    sources: list[Document] = []
    for removed in kept:
        if all(removed.source is not source for source in sources):
            sources.append(removed.source)
    return sources


def _providers(returning: Sequence[Reference], source: Document) -> frozenset[str] | None:
    """The provider keys the returning blocks use; None (all) where a module decides that inside."""
    if any(each.section == "module" for each in returning):
        return None
    available = declared(source)
    return frozenset(
        provider_of(needed.kind, available[needed])
        for needed in closure(returning, available)
        if needed.section in ("resource", "data") and needed in available
    )


def _add(staged: dict[str, Any], needed: Reference, body: object) -> None:
    block = deepcopy(body)
    if needed.section == "resource" and isinstance(block, dict):
        block = _frozen(needed.kind, block)
    section = _merged(staged.get(needed.section))
    if needed.kind:
        section[needed.kind] = {**_merged(section.get(needed.kind)), needed.name: block}
    else:
        section[needed.name] = block
    staged[needed.section] = section


def _merged(value: object) -> dict[str, Any]:
    """One object of what Terraform also accepts as a list of objects."""
    merged: dict[str, Any] = {}
    for each in as_list(value):
        for key, inner in each.items():
            both = isinstance(inner, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = {**merged[key], **inner} if both else inner
    return merged


def _frozen(kind: str | None, block: dict[str, Any]) -> dict[str, Any]:
    lifecycle = _merged(block.get("lifecycle"))
    kept = {key: lifecycle[key] for key in ("create_before_destroy",) if key in lifecycle}
    ignored = _written(block, lifecycle) if kind in _READ_AS_WRITTEN else "all"
    block["lifecycle"] = {**kept, "ignore_changes": ignored}
    return block


def _written(block: Document, lifecycle: Document) -> list[str] | str:
    """The arguments that a block has, and what it ignores already."""
    own = as_list(lifecycle.get("ignore_changes"))
    if "all" in own:
        return "all"
    return sorted({*own, *_merged(block.get("dynamic")), *block} - _META_ARGUMENTS)


def _add_outputs(staged: dict[str, Any], source: Document) -> None:
    """Outputs only the earlier version has stay readable as long as the objects behind them exist."""
    present, own, outputs = declared(staged), declared(source).keys(), _merged(staged.get("output"))
    for name, body in _merged(source.get("output")).items():
        missing = (references(body) & own) - present.keys()
        if name not in outputs and not missing:
            outputs[name] = deepcopy(body)
    if outputs:
        staged["output"] = outputs


def _drop_contradictions(staged: dict[str, Any], returning: Collection[Reference]) -> None:
    """`removed` and `moved` statements about a block that is declared again are errors to Terraform."""
    back = {str(reference) for reference in returning}
    for section in ("removed", "moved"):
        if section in staged:
            staged[section] = [
                each
                for each in as_list(staged[section])
                if configuration_address(str(each.get("from", ""))) not in back
            ]
