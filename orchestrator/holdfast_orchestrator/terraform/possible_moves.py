"""Objects that one shard of an app drops and another declares: they may move, in one run.

Read from configurations and states, before anything is planned. Where the attributes that name the object
are written out, it is certain which one is meant. Where one is an expression, nobody knows before the plan:
then the object may move, and order and deletes are chosen so that it can.
"""

import string
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from holdfast_orchestrator.terraform.addresses import configuration_address
from holdfast_orchestrator.terraform.create_semantics import TWINS, rule_of
from holdfast_orchestrator.terraform.json_values import Document, as_list, blocks
from holdfast_orchestrator.terraform.object_keys import ObjectKey, may_be_same
from holdfast_orchestrator.terraform.owners import OwnedObject, Owner, Owners, object_key, place_of
from holdfast_orchestrator.terraform.references import declares, provider_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A shard as the app has it: its name, its state's folder and its configuration."""

    name: str
    folder: str
    configuration: Document = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleMove:
    """An object that shard `source` has and drops, and shard `target` may declare. `certain`: it does."""

    source: str
    owner: Owner
    key: ObjectKey
    target: str
    certain: bool


def possible_moves(shards: Sequence[Declared], owners: Owners) -> tuple[PossibleMove, ...]:
    """Return what may move between these shards, by what each drops and what each declares anew."""
    lacking = _lacking(shards, owners)
    return tuple(
        PossibleMove(
            source=shard.name,
            owner=Owner(shard.folder, owned.address),
            key=owned.key,
            target=target,
            certain=key is not None,
        )
        for shard in shards
        for owned in dropped(shard.configuration, owners.states.get(shard.folder, ()))
        for target, key in lacking.get(owned.key.kind, ())
        if target != shard.name and (key is None or may_be_same(key, owned.key))
    )


def dropped(configuration: Document, objects: Sequence[OwnedObject]) -> tuple[OwnedObject, ...]:
    """Return the objects of a state whose block the configuration has no more, not even moved."""
    moved = {configuration_address(str(each.get("from", ""))) for each in as_list(configuration.get("moved"))}
    declaring = {configuration_address(owned.address) for owned in objects} - moved
    gone = {block for block in declaring if not declares(configuration, block)}
    return tuple(owned for owned in objects if configuration_address(owned.address) in gone)


def order_of_moves(
    moves: Sequence[PossibleMove], dependencies: Mapping[str, Sequence[str]]
) -> tuple[dict[str, tuple[str, ...]], frozenset[PossibleMove]]:
    """Let the receiver of each move go before the shard that lets go, as far as the graph allows.

    Returns:
        The dependencies with those added; and the moves whose receiver has to come after: it depends on the
        shard that lets go, or gives it something in return.
    """
    added = {name: list(upstreams) for name, upstreams in dependencies.items()}
    late = set()
    for move in sorted(moves, key=lambda move: (not move.certain, move.source, move.target)):
        if move.target in added[move.source]:
            continue
        if move.source in _reachable(added, move.target):
            late.add(move)
        else:
            added[move.source].append(move.target)
    return {name: tuple(upstreams) for name, upstreams in added.items()}, frozenset(late)


def _reachable(dependencies: Mapping[str, Sequence[str]], start: str) -> set[str]:
    reached, ahead = set[str](), [start]
    while ahead:
        for upstream in dependencies[ahead.pop()]:
            if upstream not in reached:
                reached.add(upstream)
                ahead.append(upstream)
    return reached


def _lacking(shards: Sequence[Declared], owners: Owners) -> Mapping[str, list[tuple[str, ObjectKey | None]]]:
    """By type, the shards that declare an object that their state lacks, with its key where it is known."""
    lacking = defaultdict[str, list[tuple[str, ObjectKey | None]]](list)
    for shard in shards:
        owned = owners.states.get(shard.folder, ())
        declaring = {configuration_address(each.address) for each in owned}
        for kind, address, key in _declared_keys(shard):
            if address not in declaring and (key is not None or _can_be_found(kind)):
                lacking[TWINS.get(kind, kind)].append((shard.name, key))
    return lacking


def _declared_keys(shard: Declared) -> Iterator[tuple[str, str, ObjectKey | None]]:
    default = place_of(shard.folder)
    for kind, name, body in blocks(shard.configuration, "resource"):
        address = f"{kind}.{name}"
        place = default if "." not in provider_of(kind, body) else None
        yield kind, address, object_key(kind, _written_out(kind, body), address=address, place=place)


def _can_be_found(kind: str) -> bool:
    """Whether a create can meet an object that is there: not where AWS chooses the id."""
    rule = rule_of(kind)
    return rule is not None and bool(rule.import_id)


def _written_out(kind: str, body: Document) -> Document:
    """The values of a block that are no expressions. What the key needs and the block leaves out is null."""
    rule = rule_of(kind)
    template = "" if rule is None else rule.import_id
    needed = {name.partition("|")[0] for _, name, _, _ in string.Formatter().parse(template) if name}
    plain = {name: value for name, value in body.items() if not (isinstance(value, str) and "${" in value)}
    return {**dict.fromkeys(needed - body.keys()), **plain}
