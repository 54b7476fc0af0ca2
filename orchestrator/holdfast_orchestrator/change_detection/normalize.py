"""A configuration as far as Terraform reads it, its digest, and where two of them differ.

`//` is a comment where Terraform expects a block's arguments, and may be a key of a map anywhere deeper: it
is taken away only where cdktf writes it, in the document and in the body of each block. Numbers are compared
as they are written, because Terraform counts more exactly than Python.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_orchestrator.terraform.backends import remote_states
from holdfast_orchestrator.terraform.json_values import (
    Document,
    as_list,
    digest,
    mapping_of,
    named,
    objects,
    texts,
)
from holdfast_orchestrator.terraform.settled_data import SETTLED

COMMENT = "//"

# Blocks with a type and a name, and blocks with a name.
_TWICE_NAMED = ("resource", "data", "ephemeral")
_NAMED = ("provider", "output", "variable", "module")
# Nobody writes this sign; it keeps a number apart from the text that looks like it.
_NUMBER = "\ue000"

# The engine never gets another one (`engine/environment.py`), and cdktf writes the second.
_WORKSPACES = ("default", "${terraform.workspace}")
_STATE = re.compile(r"\bterraform_remote_state\b")
_KNOWN_STATE = re.compile(r"\bdata\.terraform_remote_state\.[A-Za-z0-9_-]+\.outputs\.[A-Za-z0-9_-]+(?![\w-])")


class UnreadableError(ValueError):
    """This is no configuration that can be compared."""


def normal(configuration: bytes) -> Document:
    """Return a configuration without comments. Raises UnreadableError where it cannot be compared."""
    try:
        document = json.loads(
            configuration, object_pairs_hook=_once, parse_float=lambda text: f"{_NUMBER}{text}"
        )
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    if not isinstance(document, dict):
        raise UnreadableError("it is no object")
    return {name: _section(name, value) for name, value in document.items() if name != COMMENT}


def configuration_digest(configuration: bytes) -> str:
    """Return the digest of a configuration, whatever its comments and the order of its keys."""
    return digest(normal(configuration))


def doubts(document: Document) -> tuple[str, ...]:
    """Return what a normalised configuration depends on that cannot be seen in it, in words.

    The files and variables that it reads are known by themselves (`inputs/`).
    """
    checks = (mapping_of(body) for _, body in named(document.get("check")))
    unsettled = {kind for holder in (document, *checks) for kind, _ in _kinds(holder, "data")} - SETTLED
    sentences = [f"it reads {kind}, which may say something else by now" for kind in unsettled]
    # The block's own name says nothing; `states_read` looks into it.
    others = (text for text in texts(document) if text != "terraform_remote_state")
    if any(_STATE.search(_KNOWN_STATE.sub("", text)) for text in others):
        sentences.append("it reads another state in a way that is not understood")
    return tuple(sorted(sentences))


def states_read(document: Document) -> Iterator[tuple[str, str]]:
    """Return the places of all other states that a configuration reads."""
    return (place_read(body) for _, body in remote_states(document))


def place_read(source: Any) -> tuple[str, str]:
    """Return the bucket and key of the state that a data source reads; empty where it does not say."""
    body = source if isinstance(source, Mapping) else {}
    config = body.get("config")
    # Another workspace keeps its state at another key than the one that is written there.
    if not isinstance(config, Mapping) or body.get("workspace", "default") not in _WORKSPACES:
        return "", ""
    return str(config.get("bucket", "")), str(config.get("key", ""))


def differing(before: Document, now: Document) -> tuple[str, ...]:
    """Return the addresses of the blocks that two normalised configurations do not share, sorted."""
    old, new = dict(_parts(before)), dict(_parts(now))
    return tuple(sorted(name for name in {*old, *new} if old.get(name) != new.get(name)))


def _parts(document: Document) -> Iterator[tuple[str, str]]:
    for section, value in document.items():
        lead = "" if section == "resource" else f"{section}."
        if section in _TWICE_NAMED:
            for kind, group in _kinds(document, section):
                for name, body in _items(group):
                    yield f"{lead}{kind}.{name}", digest(body)
        elif section in _NAMED:
            for each in as_list(value):
                for name, body in _items(each):
                    yield f"{section}.{name}", digest(body)
        else:
            yield section, digest(value)


def _section(name: str, value: Any) -> Any:
    if name in _TWICE_NAMED:
        return _each(value, lambda by_name: _each(by_name, _body))
    if name in _NAMED:
        return _each(value, _body)
    return _body(value)


def _each(value: Any, inner: Any) -> Any:
    match value:
        case dict():
            return {name: inner(body) for name, body in value.items() if name != COMMENT}
        case list():
            return [_each(each, inner) for each in value]
        case _:
            return value


def _body(value: Any) -> Any:
    return _each(value, lambda argument: argument)


def _kinds(document: Document, section: str) -> Iterator[tuple[str, Any]]:
    for by_type in as_list(document.get(section)):
        yield from _items(by_type)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    for each in objects(value):
        yield from each.items()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made
