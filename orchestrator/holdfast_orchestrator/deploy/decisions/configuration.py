"""The configuration to go back to, which is not simply the old one.

    the last good configuration
    + every provider block and requirement only the failed one has, in the newer version
    + a `moved` for each object that is at another address than in the last good deployment
    + a `removed` without destroy for what the failed run imported or adopted, and for what must be kept
    + an `import` for what the failed run forgot
    - `moved`, `import` and `removed` statements of the last good configuration that did their work

and what no configuration can say is listed for `state_edits`, to be done before planning.

The last subtraction was found by experiment: two `moved` statements to one address are an error
("Ambiguous move statements"), and so is one from an address that is declared ("Moved object still
exists"), so an old `moved` or `import` must not meet its inverse.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from holdfast_orchestrator.terraform.addresses import configuration_address, parse_address
from holdfast_orchestrator.terraform.create_semantics import CURRENT
from holdfast_orchestrator.terraform.identity import Identity, IdentityIndex, TrackedObject
from holdfast_orchestrator.terraform.import_ids import ImportBlock, with_imports
from holdfast_orchestrator.terraform.json_values import Document, as_list, blocks
from holdfast_orchestrator.terraform.provider_blocks import union_providers
from holdfast_orchestrator.terraform.references import Reference, declared
from holdfast_orchestrator.terraform.state_edits import Move


@dataclass(frozen=True, slots=True)
class Pin:
    """An upstream shard's outputs as a deploy used them: its generation and the outputs' SHA-256 (hex)."""

    generation: int
    outputs_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackNeeds:
    """What the states and events ask of the rollback configuration.

    `forget` are addresses to leave in the cloud without owning them; `forget_by_edit` others where the last
    good version has an object of its own; `import_again` what the failed run forgot; `make_current` versions
    of secrets that are to be the current ones again.
    """

    moves: tuple[Move, ...] = ()
    forget: tuple[str, ...] = ()
    forget_by_edit: tuple[str, ...] = ()
    import_again: tuple[ImportBlock, ...] = ()
    make_current: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackConfiguration:
    """The configuration to plan, the state edits to make before, and what forbids both.

    Nothing may be planned while `problems` is not empty.
    """

    configuration: dict[str, Any]
    state_moves: tuple[Move, ...] = ()
    state_forgets: tuple[str, ...] = ()
    added_providers: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default_factory=tuple)


def build_rollback(
    last_good: Document, failed: Document, *, needs: RollbackNeeds, state: IdentityIndex
) -> RollbackConfiguration:
    """The configuration that leads back from a failed deploy.

    Args:
        last_good: the configuration of the last good deployment; for a first deploy, `empty_like`.
        failed: the configuration that failed.
        needs: moves, forgets and imports, from `inverse_moves`, `to_forget` and the last good index.
        state: the index of the newest state, after any deposed swap.
    """
    union = union_providers(last_good, failed)
    configuration, own = union.configuration, declared(last_good)
    by_block, in_state = _split_moves(needs.moves, own, state)
    by_removed, by_edit, contradictions = _split_forgets(needs.forget, own, state)
    _clean(configuration, state)
    _put(configuration, "moved", [{"from": move.source, "to": move.target} for move in by_block])
    _put(configuration, "removed", [_forgetting(address) for address in by_removed])
    _make_current(configuration, needs.make_current)
    if needs.import_again:
        configuration = with_imports(configuration, needs.import_again)
    return RollbackConfiguration(
        configuration=configuration,
        state_moves=in_state,
        state_forgets=(*by_edit, *needs.forget_by_edit),
        added_providers=union.added,
        problems=(*union.problems, *_backend_problems(last_good, failed), *contradictions),
    )


def empty_like(failed: Document) -> dict[str, Any]:
    """The last good configuration of a shard that never had one: settings, and no resources."""
    return {name: deepcopy(failed[name]) for name in ("//", "terraform") if name in failed}


def inverse_moves(last_good: IdentityIndex, now: IdentityIndex) -> tuple[Move, ...]:
    """A move for each object that is at another address than in the last good deployment.

    Where two addresses hold one identity, an object at its own address stays where it is.
    """
    return tuple(
        Move(address, tracked.address)
        for tracked, address in _standing(last_good, now)
        if tracked.deposed is None and address != tracked.address
    )


def to_forget(
    now: IdentityIndex,
    last_good: IdentityIndex,
    *,
    imported: Collection[Identity],
    created: Collection[Identity],
    keep_created: bool,
) -> tuple[str, ...]:
    """Addresses a rollback must let go of instead of destroying.

    Args:
        now: the index of the newest state.
        last_good: the index of the last good deployment.
        imported: identities the failed run imported or adopted from elsewhere.
        created: identities the failed run created.
        keep_created: whether new stateful objects are kept (the health phase had begun, so something
            may have been written, and the policy is `keep`).

    Returns:
        Imported objects, kept new stateful ones, and second addresses of an object that the last good
        deployment has under another one (its create call handed out the existing object).
    """
    own = {address for _, address in _standing(last_good, now)}
    return tuple(
        tracked.address
        for tracked in now
        if tracked.deposed is None
        and (
            (tracked.identity in imported and tracked.identity not in last_good)
            or (keep_created and tracked.stateful and tracked.identity in created)
            or (tracked.identity in last_good and tracked.address not in own)
        )
    )


def changed_pins(
    pinned: Mapping[str, Pin], now: Mapping[str, Pin], *, also_rolled_back: Collection[str] = ()
) -> tuple[str, ...]:
    """Upstream shards whose outputs differ from those the last good deployment used.

    A rollback would take their new values; it is held unless they are rolled back too.
    """
    return tuple(
        upstream
        for upstream, pin in sorted(pinned.items())
        if upstream not in also_rolled_back
        and (upstream not in now or now[upstream].outputs_sha256 != pin.outputs_sha256)
    )


def _standing(last_good: IdentityIndex, now: IdentityIndex) -> list[tuple[TrackedObject, str]]:
    """Each object of the last good deployment that is still there, with the address where it is now.

    Two of them may have one identity: an id that is only a name is the same in two regions. Those at their
    own addresses stay there, and each other place is one object's at most.
    """
    places = defaultdict[Identity, list[str]](list)
    for tracked in now:
        if tracked.deposed is None:
            places[tracked.identity].append(tracked.address)
    standing = [
        (tracked, tracked.address) for tracked in last_good if tracked.address in places[tracked.identity]
    ]
    at_home = {tracked for tracked, _ in standing}
    taken = {address for _, address in standing}
    for tracked in sorted(last_good, key=lambda tracked: tracked.deposed is not None):
        free = [address for address in places[tracked.identity] if address not in taken]
        if tracked not in at_home and free:
            standing.append((tracked, free[0]))
            taken.add(free[0])
    return standing


def _split_moves(
    moves: Sequence[Move], own: Mapping[Reference, Any], state: IdentityIndex
) -> tuple[tuple[Move, ...], tuple[Move, ...]]:
    """Moves a `moved` block can say, and those only the state can.

    One that cannot be said takes all with it that share an address with it: a chain is moved at once.
    """
    exchanges = _exchanges(moves, state)
    in_state = {move for move in moves if _block(move.source) in own} | set(exchanges)
    while True:
        ends = {address for move in in_state for address in (move.source, move.target)}
        dragged = {move for move in moves if {move.source, move.target} & ends}
        if dragged <= in_state:
            break
        in_state |= dragged
    everything = (*moves, *exchanges)
    return (
        tuple(move for move in everything if move not in in_state),
        tuple(move for move in everything if move in in_state),
    )


def _exchanges(moves: Sequence[Move], state: IdentityIndex) -> list[Move]:
    """Swap a new object with the old one that goes back to its address.

    Terraform would leave both where they are, with a warning, and destroy the old one.
    """
    leaving = {move.source for move in moves}
    return [
        Move(move.target, move.source)
        for move in moves
        if move.target in state.by_address and move.target not in leaving
    ]


def _block(address: str) -> Reference:
    place = parse_address(address)
    if place.module:
        return Reference("module", "", configuration_address(place.module).split(".")[1])
    return Reference("resource", place.kind, place.name)


def _split_forgets(
    forget: Sequence[str], own: Mapping[Reference, Any], state: IdentityIndex
) -> tuple[list[str], tuple[str, ...], list[str]]:
    """Whole blocks to forget by `removed`, single instances by an edit, and contradictions."""
    whole, single, contradictions = dict[str, None](), list[str](), list[str]()
    for address in forget:
        block = configuration_address(address)
        others = {tracked.address for tracked in state if configuration_address(tracked.address) == block}
        if _block(address) in own and address == block:
            contradictions.append(
                f"{address} was imported or kept, and the last good version declares it too; "
                "the rollback cannot both own it and let go of it."
            )
        elif _block(address) in own or not others <= set(forget):
            single.append(address)
        else:
            whole[block] = None
    return list(whole), tuple(single), contradictions


def _clean(configuration: dict[str, Any], state: IdentityIndex) -> None:
    """Take out statements of the last good version that did their work when it was deployed."""
    present = {tracked.address for tracked in state} | {
        configuration_address(tracked.address) for tracked in state
    }
    for section in ("moved", "import"):
        configuration.pop(section, None)
    if "removed" in configuration:
        kept = [each for each in as_list(configuration["removed"]) if each.get("from") in present]
        configuration["removed"] = kept
        if not kept:
            del configuration["removed"]


def _put(configuration: dict[str, Any], section: str, statements: list[dict[str, Any]]) -> None:
    if not statements:
        return
    sources = {each["from"] for each in statements}
    kept = [each for each in as_list(configuration.get(section)) if each.get("from") not in sources]
    configuration[section] = [*kept, *statements]


def _forgetting(address: str) -> dict[str, Any]:
    return {"from": address, "lifecycle": {"destroy": False}}


def _make_current(configuration: dict[str, Any], addresses: Collection[str]) -> None:
    """Name the label that AWS gives to a new version: it moves back to one that is still there.

    A delete never takes it from a version, so without this everybody would go on reading the newer value.
    """
    wanted = {configuration_address(address) for address in addresses}
    for kind, name, block in blocks(configuration, "resource"):
        if f"{kind}.{name}" in wanted and isinstance(block, dict):
            block.setdefault("version_stages", [CURRENT])


def _backend_problems(last_good: Document, failed: Document) -> list[str]:
    old, new = _backend(last_good), _backend(failed)
    sentence = (
        "The two versions keep their state in different places; put the last good version's backend "
        "settings where the state is now, and deploy that."
    )
    return [] if old == new else [sentence]


def _backend(configuration: Document) -> object:
    return [settings.get("backend") for settings in as_list(configuration.get("terraform"))]
