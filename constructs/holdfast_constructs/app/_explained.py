"""Writes explained.json: the effective value of each property of each block, and where it came from.

The values of arguments that cannot be chosen are read from the cdk.tf.json files that cdktf has just written,
so what somebody overrode is seen. `holdfast explain` shows the file.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from constructs import Construct

from holdfast_constructs._tokens import is_number_token, is_resolvable, is_text_token
from holdfast_constructs.app._configurations import Configuration
from holdfast_constructs.app._provenance import Origin, origin_of
from holdfast_constructs.checking.calls import BlockCall, call_of
from holdfast_constructs.profiles import Profile
from holdfast_constructs.properties import Always, Property, criteria, table_of

SCHEMA = "holdfast/explained/v1"
FILE_NAME = "explained.json"
# How arguments begin that are JSON, and not a reference.
_JSON = ("[", "{")
_LATER = "(known after the deploy)"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A stack to explain: its name, its profile, its blocks by path, and what its settings say."""

    name: str
    profile: Profile
    tenant: str | None = None
    blocks: Mapping[str, Construct]
    settings: tuple[Mapping[str, Any], ...] = ()


def write_explained(
    outdir: Path, stacks: Iterable[Explained], configurations: Mapping[str, Configuration], *, project: Path
) -> Path:
    """Write explained.json into `outdir`, where cdktf wrote the `configurations`; return its path.

    Source files below `project` are named relative to it.
    """
    document = {
        "schema": SCHEMA,
        "stacks": {stack.name: _stack(stack, configurations[stack.name], project) for stack in stacks},
    }
    file = outdir / FILE_NAME
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    file.write_text(f"{text}\n", encoding="utf-8")
    return file


def _stack(stack: Explained, configuration: Configuration, project: Path) -> dict[str, Any]:
    resources = _resources(configuration)
    blocks = []
    for path, construct in stack.blocks.items():
        call, origin = call_of(construct), origin_of(construct)
        if call is None or origin is None:
            continue
        below = {name: block for name, block in resources.items() if name.startswith(f"{path}/")}
        place = _place(origin, project)
        rows = [*_properties(call, stack.profile, place), *_always(call.block, below)]
        blocks.append(
            {"block": call.block, "id": path.rsplit("/", 1)[-1], "place": place, "properties": rows}
        )
    tenant = {} if stack.tenant is None else {"tenant": stack.tenant}
    return {"profile": stack.profile, **tenant, "settings": list(stack.settings), "blocks": blocks}


def _properties(call: BlockCall, profile: Profile, place: str | None) -> Iterator[dict[str, Any]]:
    table = table_of(call.block).properties
    for name, given in (*call.given.items(), *call.defaults.items()):
        entry, value, source = table.get(name, Property(why="")), given, place or "the app"
        if name not in call.given or (given is None and entry.per_profile is not None):
            source = "default" if entry.per_profile is None else f"profile {profile}"
            value = given if entry.per_profile is None else entry.per_profile.of(profile, given)
        weak = entry.satisfied is not None and not _is_later(value) and not entry.satisfied(value, profile)
        yield _row(name, value, source, entry, weak=weak)


def _always(block: str, resources: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    for entry in table_of(block).always:
        for path, (kind, body) in resources.items():
            if kind == entry.resource and entry.part in (None, path.rsplit("/", 1)[-1]):
                value = _at(body, entry.argument)
                weak = value != entry.value and not _is_later(value)
                source = (entry.follows or "an override") if weak else "the block"
                yield _row(f"{kind}.{entry.argument}", value, source, entry, weak=weak)


def _row(name: str, value: Any, source: str, entry: Property | Always, *, weak: bool) -> dict[str, Any]:
    row = {"name": name, "value": _shown(value), "from": source, "why": entry.why}
    return {**row, "controls": list(criteria(entry)), "weakened": weak}


def _at(body: Mapping[str, Any], argument: str) -> Any:
    value: Any = body
    for part in argument.split("."):
        value = json.loads(value) if isinstance(value, str) and value.startswith(_JSON) else value
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _is_later(value: Any) -> bool:
    return is_text_token(value) or is_number_token(value) or is_resolvable(value)


def _shown(value: Any) -> Any:
    """Return a value as JSON can say it."""
    if _is_later(value):
        return _LATER
    match value:
        case Mapping():
            return {str(key): _shown(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_shown(item) for item in value]
        case None | bool() | str() | int() | float():
            return value
        case _:
            return _shown_object(value)


def _shown_object(value: Any) -> Any:
    origin = origin_of(value) if isinstance(value, Construct) else None
    if origin is not None:
        return origin.label
    if dataclasses.is_dataclass(value):
        return {each.name: _shown(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return type(value).__name__


def _resources(configuration: Configuration) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Map the cdktf path of each resource to its type and its arguments."""
    return {
        path: (kind, body)
        for kind, blocks in configuration.document.get("resource", {}).items()
        for body in blocks.values()
        if (path := body.get("//", {}).get("metadata", {}).get("path")) is not None
    }


def _place(origin: Origin, project: Path) -> str | None:
    if origin.file is None:
        return None
    file = Path(origin.file)
    absolute = file if file.is_absolute() else project / file
    inside = absolute.is_relative_to(project)
    return f"{absolute.relative_to(project).as_posix() if inside else absolute.as_posix()}:{origin.line}"
