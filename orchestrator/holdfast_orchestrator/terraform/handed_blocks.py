"""The last good configurations of two shards after objects went from one to the other.

The blocks move along. What they refer to in the shard they leave, and what refers to them there, is written
out as the value it has in the state. So neither configuration makes, loses or changes anything. Where one
cannot be written out, there are no such configurations: nothing is guessed. Pure: no reading, no writing.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.terraform.addresses import configuration_address, escape_template, parse_address
from holdfast_orchestrator.terraform.json_values import Document, as_list, blocks
from holdfast_orchestrator.terraform.provider_blocks import required_providers, union_providers
from holdfast_orchestrator.terraform.references import (
    Reference,
    bare_reference,
    declared,
    provider_of,
    references,
    substituted,
)

_DONE = ("import", "moved", "removed")
_BARE_LISTS = ("depends_on", "replace_triggered_by")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[\"([^\"\\]*)\"\]")


class NotWrittenOutError(HoldfastError):
    """A configuration without, or with, the moved objects cannot be written."""


@dataclass(frozen=True)
class StateValues:
    """The values of blocks in states: those of the first state that has the block."""

    states: Sequence[Document]

    def of(self, reference: Reference, traversal: str) -> Any:
        """Return the value of a traversal. Raises NotWrittenOutError where it is secret or not known."""
        mode = {"resource": "managed", "data": "data"}.get(reference.section)
        steps = _steps(traversal.removeprefix(str(reference)))
        instances = next(filter(None, (_instances(state, mode, reference) for state in self.states)), {})
        key = steps.pop(0) if steps and steps[0] in instances else None
        if key not in instances or not steps:
            raise NotWrittenOutError(f"the value of {traversal} is not known")
        instance = instances[key]
        if any(str(steps[0]) in json.dumps(path) for path in instance.get("sensitive_attributes") or ()):
            raise NotWrittenOutError(f"the value of {traversal} is secret")
        value: Any = instance.get("attributes") or {}
        try:
            for step in steps:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            raise NotWrittenOutError(f"the value of {traversal} is not known") from None
        return value


def moved_blocks(index: Collection[str], leaving: Collection[str]) -> frozenset[Reference]:
    """Return the blocks of the objects that leave; `index` are all addresses of the shard that gives.

    Raises NotWrittenOutError for objects of modules, and where only some of a block's objects leave.
    """
    leaving_blocks = set()
    stays = {configuration_address(address) for address in index if address not in leaving}
    for address in leaving:
        parts = parse_address(address)
        if parts.module is not None:
            raise NotWrittenOutError(f"{address} is of a module")
        if configuration_address(address) in stays:
            raise NotWrittenOutError(f"not every object of {configuration_address(address)} moves")
        leaving_blocks.add(Reference("resource", parts.kind, parts.name))
    return frozenset(leaving_blocks)


def without_blocks(giver: Document, gone: Collection[Reference], values: StateValues) -> dict[str, Any]:
    """Return the configuration of the shard that gives, without the blocks that are gone."""
    left = {name: deepcopy(part) for name, part in giver.items() if name not in _DONE}
    kept: dict[str, dict[str, Any]] = {}
    for kind, name, body in blocks(giver, "resource"):
        if Reference("resource", kind, name) not in gone:
            kept.setdefault(kind, {})[name] = deepcopy(body)
    left.pop("resource", None)
    if kept:
        left["resource"] = kept
    settled: dict[str, Any] = _settled(left, gone.__contains__, values)
    return settled


def with_blocks(
    gainer: Document, giver: Document, come: Collection[Reference], values: StateValues
) -> dict[str, Any]:
    """The configuration of the shard that gains, with blocks of the other; what it has already stays."""
    theirs, ours = declared(giver), declared(gainer)
    new = {block: theirs[block] for block in come if block in theirs and block not in ours}
    if any(block not in theirs and block not in ours for block in come):
        raise NotWrittenOutError("the last good deployment of the giver does not declare all that moves")
    present = {*ours, *new}
    only = {provider_of(block.kind, body) for block, body in new.items()}
    union = union_providers({k: v for k, v in gainer.items() if k not in _DONE}, giver, only=only)
    added = required_providers(union.configuration).keys() - required_providers(gainer).keys()
    if union.problems or (added and required_providers(gainer)):
        raise NotWrittenOutError("; ".join(union.problems) or f"provider {', '.join(added)} is new there")
    gained = union.configuration
    placed: dict[str, dict[str, Any]] = {}
    for kind, name, body in blocks(gained, "resource"):
        placed.setdefault(kind, {})[name] = body
    for block, body in new.items():
        settled = _settled(deepcopy(body), lambda each: each not in present, values)
        unknown = [str(each) for each in references(settled) if each not in present]
        if unknown:
            raise NotWrittenOutError(f"{block} refers to {', '.join(unknown)}")
        placed.setdefault(block.kind, {})[block.name] = settled
    return {**gained, "resource": placed}


def _settled(value: Any, gone: Callable[[Reference], bool], values: StateValues) -> Any:
    """A part of a configuration in which nothing refers to what is gone any more."""
    match value:
        case str():
            return _written_out(value, gone, values)
        case Mapping():
            return {
                name: [each for each in as_list(inner) if not _names(each, gone)]
                if name in _BARE_LISTS
                else (inner if name == "//" else _settled(inner, gone, values))
                for name, inner in value.items()
            }
        case list():
            return [_settled(inner, gone, values) for inner in value]
        case _:
            return value


def _names(entry: object, gone: Callable[[Reference], bool]) -> bool:
    reference = bare_reference(entry) if isinstance(entry, str) else None
    return reference is not None and gone(reference)


def _written_out(text: str, gone: Callable[[Reference], bool], values: StateValues) -> Any:
    whole = bare_reference(text) if text.startswith("${") and text.endswith("}") else None
    if whole is not None and gone(whole) and re.fullmatch(r"\$\{[\w.\-\[\]\"]+\}", text):
        return _literal(values.of(whole, text[2:-1]))

    def replace(reference: Reference, traversal: str) -> str | None:
        return json.dumps(_literal(values.of(reference, traversal))) if gone(reference) else None

    return substituted(text, replace)


def _literal(value: Any) -> Any:
    match value:
        case str():
            return escape_template(value)
        case Mapping():
            return {name: _literal(inner) for name, inner in value.items()}
        case list():
            return [_literal(inner) for inner in value]
        case _:
            return value


def _steps(rest: str) -> list[str | int]:
    steps, position = list[str | int](), 0
    while match := _STEP.match(rest, position):
        steps.append(int(match[2]) if match[2] is not None else match[1] or match[3])
        position = match.end()
    return steps if position == len(rest) else []


def _instances(state: Document, mode: str | None, block: Reference) -> Mapping[Any, Document]:
    return {
        instance.get("index_key"): instance
        for resource in state.get("resources") or ()
        if (resource.get("mode"), resource.get("type"), resource.get("name"))
        == (mode, block.kind, block.name)
        and not resource.get("module")
        for instance in resource.get("instances") or ()
        if "deposed" not in instance
    }
