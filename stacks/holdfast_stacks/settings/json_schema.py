"""The JSON schema of a settings file, from the models: what the editor completes and the errors quote."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from holdfast_stacks.settings.models import Environment

DIALECT = "http://json-schema.org/draft-07/schema#"


@cache
def environment_schema() -> dict[str, Any]:
    """Return the schema of environments/<name>.toml."""
    plain: dict[str, Any] = _plain(Environment.model_json_schema(by_alias=True))
    return {"$schema": DIALECT, "title": "Holdfast environment", **plain}


def described(path: tuple[str | int, ...]) -> Mapping[str, Any]:
    """Return the part of the schema that describes the value at `path`; empty where there is none."""
    node = _followed(environment_schema())
    for part in path:
        if isinstance(part, int):
            node = _followed(node.get("items", {}))
        else:
            node = _followed(node.get("properties", {}).get(part) or _any_entry(node))
    return node


def _any_entry(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what describes each entry of a table whose keys are free."""
    below = next(iter(table.get("patternProperties", {}).values()), table.get("additionalProperties"))
    return below if isinstance(below, dict) else {}


def _followed(node: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in node:
        return node
    definition: Mapping[str, Any] = environment_schema()["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]]
    return definition


def _plain(value: Any, *, names: bool = False) -> Any:
    """Leave out what TOML has no word for (null) and what says nothing (generated titles)."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _plain(item, names=key == "properties") for key, item in value.items() if names or key != "title"
    }
    if names:
        return kept
    if "patternProperties" in kept:
        kept.setdefault("additionalProperties", False)
    match kept.pop("anyOf", None):
        case [only, {"type": "null"}]:
            kept.pop("default", None)
            return {**kept, **only} if "pattern" in only else {**only, **kept}
        case None:
            return kept
        case choices:
            return {**kept, "anyOf": choices}
