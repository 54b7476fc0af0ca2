"""What a block of a JSON configuration refers to, and what may therefore not be missing beside it.

Terraform evaluates `${...}` and `%{...}` inside strings, and reads a few arguments (`depends_on`,
`provider`, `replace_triggered_by`, ...) as bare references. Names are looked for in both; finding one
reference too many only carries a harmless block along, and is preferred to missing one.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.terraform.addresses import module_name, parse_address
from holdfast_orchestrator.terraform.json_values import Document, as_list, blocks, objects
from holdfast_orchestrator.terraform.templates import expressions

_TRAVERSAL = re.compile(r"(?<![\w.-])[A-Za-z_][\w-]*(?:(?:\[[^\]]*\])?\.[A-Za-z_*][\w-]*)+")
_INDEXED = re.compile(r"(?<![\w.-])[A-Za-z_][\w-]*(?:\[[^\]]*\]|\.[A-Za-z_*][\w-]*)+")
_BARE = frozenset({"depends_on", "provider", "providers", "replace_triggered_by"})
# Names Terraform itself gives a meaning; nothing in the configuration declares them.
_BUILT_IN = frozenset({"each", "self", "count", "path", "terraform"})
# Singly named sections, and how expressions call them.
_SECTIONS = {"variable": "var", "locals": "local", "module": "module"}


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A block by its section in the configuration, its type ("" where there is none) and its name."""

    section: str
    kind: str
    name: str

    def __str__(self) -> str:
        match self.section:
            case "resource":
                return f"{self.kind}.{self.name}"
            case "data":
                return f"data.{self.kind}.{self.name}"
            case _:
                return f"{_SECTIONS.get(self.section, self.section)}.{self.name}"


def references(block: object) -> frozenset[Reference]:
    """Everything the expressions and bare references of a block name."""
    return frozenset(
        reference
        for text in _expressions(block)
        for traversal in _TRAVERSAL.findall(text)
        if (reference := _classify(traversal)) is not None
    )


def provider_of(kind: str, block: Document) -> str:
    """The provider configuration a block uses, as `name` or `name.alias`."""
    named = block.get("provider")
    if isinstance(named, str):
        return named.strip().removeprefix("${").removesuffix("}").strip()
    return kind.partition("_")[0] if not kind.startswith("terraform_") else "terraform"


def declared(configuration: Document) -> Mapping[Reference, Any]:
    """Every resource, data source, variable, local value and module of a configuration."""
    bodies: dict[Reference, Any] = {}
    for section in ("resource", "data"):
        for kind, name, body in blocks(configuration, section):
            bodies[Reference(section, kind, name)] = body
    for section in _SECTIONS:
        for group in as_list(configuration.get(section)):
            bodies |= {Reference(section, "", name): body for name, body in group.items()}
    return bodies


def declares(configuration: Document, address: str) -> bool:
    """Whether a configuration has the block an instance at `address` comes from, or calls its module."""
    parts = parse_address(address)
    if parts.module is not None:
        name = module_name(parts.module)
        return any(name in group for group in as_list(configuration.get("module")))
    # Looked up and not searched for: who asks, asks for every object of a state.
    return any(
        as_list(by_name[parts.name])
        for group in objects(configuration.get("resource"))
        for by_name in objects(group.get(parts.kind))
        if parts.name in by_name
    )


def closure(wanted: Iterable[Reference], available: Mapping[Reference, Any]) -> frozenset[Reference]:
    """`wanted` and everything of `available` they refer to, directly or through others."""
    reached: set[Reference] = set()
    waiting = list(wanted)
    while waiting:
        reference = waiting.pop()
        if reference in reached:
            continue
        reached.add(reference)
        waiting.extend(references(available.get(reference)))
    return frozenset(reached)


def substituted(text: str, replace: Callable[[Reference, str], str | None]) -> str:
    """`text` with traversals inside its templates replaced: by what `replace` returns, None leaves one.

    It is given the block a traversal names, and all of the traversal, indexes included.
    """

    def other(match: re.Match[str]) -> str:
        reference = _classify(match[0])
        return (None if reference is None else replace(reference, match[0])) or match[0]

    done, position = "", 0
    for start, end in expressions(text):
        done += text[position:start] + _INDEXED.sub(other, text[start:end])
        position = end
    return done + text[position:]


def bare_reference(text: str) -> Reference | None:
    """Return the block that an entry of `depends_on` or alike names."""
    return _classify(text.removeprefix("${").removesuffix("}"))


def _classify(traversal: str) -> Reference | None:
    parts = re.sub(r"\[[^\]]*\]", "", traversal).split(".")
    match parts:
        case [first, *_] if first in _BUILT_IN:
            return None
        case ["data", kind, name, *_]:
            return Reference("data", kind, name)
        case [first, name, *_]:
            section = next((each for each, spoken in _SECTIONS.items() if spoken == first), None)
            return Reference(section, "", name) if section else Reference("resource", first, name)
        case _:
            return None


def _expressions(value: object, *, bare: bool = False) -> Iterator[str]:
    match value:
        case str() if bare:
            yield value
        case str():
            yield from _inside(value)
        case Mapping():
            for key, inner in value.items():
                yield from _inside(str(key))
                yield from _expressions(inner, bare=bare or key in _BARE)
        case list() | tuple():
            for inner in value:
                yield from _expressions(inner, bare=bare)


def _inside(text: str) -> Iterator[str]:
    return (text[start:end] for start, end in expressions(text))
