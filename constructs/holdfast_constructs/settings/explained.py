"""Says of each setting what it is and where that came from: the file, the profile, or the default of all."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast_constructs.settings.base import Settings
from holdfast_constructs.settings.models import Environment
from holdfast_constructs.settings.profiles import DEFAULTS
from holdfast_constructs.settings.tenants import KEY

Key = tuple[str, ...]
# Tables that concern a stack of its own, or no stack at all.
_NOT_OF_A_STACK = frozenset({"services", "state", "audit", "health"})


def explained(
    env: Environment, service: str, folder: Path, tenant: str | None = None
) -> Iterator[Mapping[str, Any]]:
    """Yield `name`, `value` and `from` of each setting that shapes the stack of a service or shared stack.

    `folder` is where the environment's file is; `tenant` whom the stack is for alone.
    """
    file = (folder / f"{vars(env)['name']}.toml").as_posix()
    # Read past the record of what stacks read: to explain a setting is not to use it.
    for name, field in type(env).__pydantic_fields__.items():
        key = field.alias or name
        if key not in _NOT_OF_A_STACK and name != "name":
            yield from _entry(env, name, (key,), file=file, profile=vars(env)["profile"])
    services = vars(env)["services"]
    for name, field in type(services).__pydantic_fields__.items():
        if field.alias == service and vars(services)[name] is not None:
            table = vars(services)[name]
            path: Key = ("services", service)
            if tenant is not None:
                table, path = vars(table)[KEY][tenant], (*path, KEY, tenant)
            yield from _table(table, path, file=file, profile=vars(env)["profile"])


def _table(table: Settings, path: Key, *, file: str, profile: Any) -> Iterator[Mapping[str, Any]]:
    for name, field in type(table).__pydantic_fields__.items():
        yield from _entry(table, name, (*path, field.alias or name), file=file, profile=profile)


def _entry(table: Settings, name: str, path: Key, *, file: str, profile: Any) -> Iterator[Mapping[str, Any]]:
    value = vars(table)[name]
    if isinstance(value, Settings):
        yield from _table(value, path, file=file, profile=profile)
        return
    general = _general(path)
    if name in table.__pydantic_fields_set__:
        source = file
    else:
        source = f"profile {profile}" if profile is not None and general in DEFAULTS else "default"
    yield {"name": ".".join(path), "value": _plain(value), "from": source}


def _general(path: Key) -> Key:
    """The path as the profiles' defaults have it: for any service, and any tenant of one."""
    match path:
        case ("services", _, "tenants", _, *below):
            return ("services", "*", *below)
        case ("services", _, *below):
            return ("services", "*", *below)
        case _:
            return path


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case Settings():
            return {key: _plain(item) for key, item in vars(value).items()}
        case _:
            return value
