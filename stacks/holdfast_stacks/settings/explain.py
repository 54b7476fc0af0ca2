"""Turns what pydantic says into what a person can act on: what, got, allowed, next.

What is allowed comes from the JSON schema of the models, the same the editor shows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from holdfast_stacks.settings.json_schema import described
from holdfast_stacks.settings.problems import Fault, did_you_mean

_KINDS = {
    "string": "a text in quotes",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}


def explain(error: ValidationError) -> Iterator[Fault]:
    """Yield the faults a validation found, in the order pydantic found them."""
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        context = detail.get("ctx", {})
        got = detail["input"]
        match detail["type"]:
            case "holdfast":
                yield Fault(path, context["what"], _shown(got), context["allowed"], context["next"])
            case "extra_forbidden":
                yield _unknown_key(path)
            case "missing":
                allowed = _allowed(described(path))
                yield Fault(path, "is missing", "nothing", allowed, f"add it ({allowed})")
            case _ if detail["loc"][-1] == "[key]":
                allowed = described(path[:-1]).get("propertyNames", {}).get("description", "another name")
                yield Fault(path, "has a name that is not allowed", repr(path[-1]), str(allowed))
            case kind:
                yield Fault(path, _what(kind), _shown(got), _allowed(described(path)))


def _unknown_key(path: tuple[str | int, ...]) -> Fault:
    name = str(path[-1])
    known = sorted(described(path[:-1]).get("properties", {}))
    guess = did_you_mean(name, known)
    where = (
        "remove it"
        if not guess
        else f"write {guess.removeprefix('; did you mean ').rstrip('?')}, or remove it"
    )
    return Fault(path, "is not a key that exists here", repr(name), ", ".join(known) + guess, where)


def _what(kind: str) -> str:
    if kind.endswith("_type"):
        return "is of the wrong kind"
    if kind.startswith(("greater_than", "less_than", "too_")):
        return "is out of range"
    return "is not allowed"


def _shown(got: Any) -> str:
    match got:
        case bool():
            return str(got).lower()
        case Mapping():
            return "a table" if got else "an empty table"
        case list():
            return "a list of " + str(len(got))
        case _:
            return repr(got)


def _allowed(node: Mapping[str, Any]) -> str:
    match node:
        case {"enum": values}:
            return "one of " + ", ".join(str(value) for value in values)
        case {"minimum": low, "maximum": high}:
            return f"a whole number, {low}-{high}"
        case {"type": "array", "minItems": low}:
            return f"a list of at least {low}"
        case {"type": "string", "description": text}:
            return str(text)
    kind = str(node.get("type", ""))
    return _KINDS.get(kind, kind) or "see environments/schema.json"
