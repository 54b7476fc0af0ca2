"""Digests and the parts of Terraform's JSON documents that several questions share."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_orchestrator.terraform.addresses import format_address

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode

Document = Mapping[str, Any]
"""A parsed JSON document: a plan, a state, a configuration, or a part of one."""


def digest(value: object) -> str:
    """The SHA-256 (hex) of a JSON value, whatever the order of its keys."""
    return hashlib.sha256(_CANONICAL(value).encode()).hexdigest()


def managed(state: Document) -> Iterator[tuple[str, Document, Document]]:
    """Every managed object of a state (format 4): its address, its resource and its instance."""
    for resource in state.get("resources") or ():
        if resource.get("mode") != "managed":
            continue
        for instance in resource.get("instances") or ():
            key = instance.get("index_key")
            address = format_address(resource.get("module"), resource["type"], resource["name"], key)
            yield address, resource, instance


def blocks(configuration: Document, section: str) -> Iterator[tuple[str, str, Any]]:
    """The (type, name, body) of each block of `resource` or `data` in a JSON configuration."""
    for kind, by_name in named(configuration.get(section)):
        for name, body in named(by_name):
            yield kind, name, body


def named(value: object) -> Iterator[tuple[str, Any]]:
    """Yield each (name, body) of a part of a JSON configuration that names what it has.

    Terraform accepts an object or a list of objects at every level; so does this.
    """
    for group in objects(value):
        for name, bodies in group.items():
            for body in as_list(bodies):
                yield name, body


def objects(value: object) -> Iterator[Document]:
    """Yield the objects of what a JSON configuration gives once or many times."""
    return (each for each in as_list(value) if isinstance(each, Mapping))


def texts(value: object) -> Iterator[str]:
    """Yield every string of a JSON value, names of fields too."""
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield name
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)
        case _:
            return


def as_list(value: object) -> list[Any]:
    """What a JSON configuration gives once or many times, as a list; nothing is the empty list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def text_of(value: object) -> str:
    """Return a value that is a text; of any other, nothing."""
    return value if isinstance(value, str) else ""


def mapping_of(value: object) -> Document:
    """Return a value that is an object; of any other, an empty one."""
    return value if isinstance(value, Mapping) else {}


def kinds_used(configuration: Document) -> frozenset[str]:
    """Return the types of resources, data sources and ephemeral resources in a configuration."""
    sections = ("resource", "data", "ephemeral")
    return frozenset(kind for section in sections for kind, _ in named(configuration.get(section)))


def parsed(configuration: bytes) -> Document:
    """A configuration as a document."""
    document: Document = json.loads(configuration)
    return document
