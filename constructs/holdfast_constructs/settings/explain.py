"""Turns what pydantic says into what a person can act on: what, got, allowed, next.

What is allowed comes from the JSON schema of the models, the same the editor shows.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from holdfast_constructs.settings.json_schema import Schema, described
from holdfast_constructs.settings.problems import Fault, did_you_mean

_KINDS = {
    "string": "a text in quotes",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PER_TENANT = 'write @service("{0}", per_tenant=True) above the class of its stack, or remove the table'
_REGISTER = 'write @service("{0}") above the class of its stack, or remove the table'


def explain(error: ValidationError, schema: Schema) -> Iterator[Fault]:
    """Yield the faults a validation found, in the order pydantic found them; `schema` is the model's."""
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        context = detail.get("ctx", {})
        got = detail["input"]
        match detail["type"]:
            case "holdfast":
                yield Fault(path, context["what"], _shown(got), context["allowed"], context["next"])
            case "extra_forbidden":
                yield _unknown_key(path, schema)
            case "missing":
                allowed = _allowed(described(schema, path))
                yield Fault(path, "is missing", "nothing", allowed, f"add it ({allowed})")
            case _ if detail["loc"][-1] == "[key]":
                allowed = (
                    described(schema, path[:-1]).get("propertyNames", {}).get("description", "another name")
                )
                yield Fault(path, "has a name that is not allowed", repr(path[-1]), str(allowed))
            case kind:
                allowed = _allowed(described(schema, path))
                yield Fault(path, _what(kind), _shown(got), allowed, _corrected(kind, got))


def _unknown_key(path: tuple[str | int, ...], schema: Schema) -> Fault:
    name = str(path[-1])
    known = sorted(described(schema, path[:-1]).get("properties", {}))
    guess = did_you_mean(name, known)
    corrected = f"write {guess.removeprefix('; did you mean ').rstrip('?')}, or " if guess else ""
    if path[:-1] == ("services",):
        what, allowed = "is a service that no stack is registered for", ", ".join(known) or "none yet"
        return Fault(path, what, repr(name), allowed + guess, f"{corrected}{_REGISTER.format(name)}")
    what = "is not a key that exists here"
    if path[0] == "services" and path[2:] == ("tenants",):
        what = "has tenants, and is a service that all share"
        return Fault(path, what, "tenants", ", ".join(known), _PER_TENANT.format(path[1]))
    return Fault(path, what, repr(name), ", ".join(known) + guess, f"{corrected}remove it")


def _what(kind: str) -> str:
    if kind.endswith("_type"):
        return "is of another type"
    if kind.startswith(("greater_than", "less_than", "too_")):
        return "is out of range"
    return "is not allowed"


def _corrected(kind: str, got: Any) -> str:
    """What to write for a value whose quotes alone are wrong; nothing for any other."""
    if kind in ("int_type", "float_type") and isinstance(got, str) and _NUMBER.fullmatch(got):
        return f"write {got} without quotes"
    if kind == "bool_type" and got in ("true", "false"):
        return f"write {got} without quotes"
    if kind == "string_type" and isinstance(got, int | float):
        return f'write "{_shown(got)}" in quotes'
    return ""


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
