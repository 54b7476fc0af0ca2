"""The JSON schema of a settings file, from the models: what the editor completes and the errors quote."""

from collections.abc import Mapping
from typing import Any

from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.services import Service

DIALECT = "http://json-schema.org/draft-07/schema#"


Schema = Mapping[str, Any]


def environment_schema(model: type[Environment]) -> dict[str, Any]:
    """Return the schema of environments/<name>.toml."""
    plain: dict[str, Any] = _plain(model.model_json_schema(by_alias=True))
    return {"$schema": DIALECT, "title": "Holdfast environment", **plain}


def editor_schema(model: type[Environment]) -> dict[str, Any]:
    """Return the schema for editors: a service that came later than the schema may have keys of its own."""
    schema = environment_schema(model)
    any_service = _plain(Service.model_json_schema(by_alias=True))
    del any_service["required"]
    schema["$defs"]["AnyService"] = {**any_service, "additionalProperties": True}
    schema["$defs"]["Services"]["additionalProperties"] = {"$ref": "#/$defs/AnyService"}
    _need_nothing_of_tenants(schema["$defs"])
    return schema


def _need_nothing_of_tenants(definitions: dict[str, Any]) -> None:
    """Let a tenant's table leave out what the service's table has, at any depth."""
    for table in [each for name, each in definitions.items() if name.endswith("PerTenant")]:
        tenants = table["properties"]["tenants"]
        tenants["additionalProperties"] = _partial(tenants["additionalProperties"], definitions)


def _partial(node: Any, definitions: dict[str, Any]) -> Any:
    """Return `node` with references to definitions that require nothing, and add these definitions."""
    if isinstance(node, list):
        return [_partial(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {key: _partial(value, definitions) for key, value in node.items()}
    name = str(node["$ref"]).rsplit("/", 1)[-1]
    if f"Partial{name}" not in definitions:
        definitions[f"Partial{name}"] = {}
        own = {key: value for key, value in definitions[name].items() if key != "required"}
        definitions[f"Partial{name}"] = _partial(own, definitions)
    return {**node, "$ref": f"#/$defs/Partial{name}"}


def described(schema: Schema, path: tuple[str | int, ...]) -> Schema:
    """Return the part of `schema` that describes the value at `path`; empty where there is none."""
    node = _followed(schema, schema)
    for part in path:
        if isinstance(part, int):
            node = _followed(schema, node.get("items", {}))
        else:
            node = _followed(schema, node.get("properties", {}).get(part) or _any_entry(node))
    return node


def _any_entry(table: Schema) -> Schema:
    """Return what describes each entry of a table whose keys are free."""
    below = next(iter(table.get("patternProperties", {}).values()), table.get("additionalProperties"))
    return below if isinstance(below, dict) else {}


def _followed(schema: Schema, node: Schema) -> Schema:
    if "$ref" not in node:
        return node
    definition: Schema = schema["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]]
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
