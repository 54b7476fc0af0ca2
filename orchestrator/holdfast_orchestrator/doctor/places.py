"""Reads the environments of a project without running its app."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.json_input import parse_json, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment; account and state bucket are None if its file does not name them.

    `has_foundation` says that `holdfast bootstrap` makes what it needs. `project` is the name of the app's
    project, where its file has one.
    """

    name: str
    account: str | None
    bucket: str | None
    region: str
    local: bool
    has_foundation: bool = False
    project: str | None = None


def environments(project: Path, names: Sequence[str]) -> tuple[Environment, ...]:
    """Return the environments with these names, or all. Raises SettingsError for an unknown name."""
    by_name = {place.name: place for place in (*_from_files(project), *_from_context(project))}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        existing = ", ".join(sorted(by_name)) or "none"
        raise SettingsError(f"there is no environment {', '.join(unknown)}; there are: {existing}")
    return tuple(by_name[name] for name in (names or sorted(by_name)))


def _from_files(project: Path) -> Iterator[Environment]:
    for file in sorted((project / "environments").glob("*.toml")):
        try:
            settings = tomllib.loads(read_settings(file, follow=True).decode())
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{file} is not valid TOML: {error}", next_step=f"correct {file}") from error
        except (OSError, UnicodeError) as error:
            raise SettingsError.unreadable(file, error) from error
        state = _mapping(settings.get("state"))
        regions = settings.get("regions")
        first = regions[0] if isinstance(regions, list) and regions else None
        yield Environment(
            name=file.stem,
            account=_text(settings.get("account")),
            bucket=_text(state.get("bucket")),
            region=_text(state.get("region")) or _text(first) or "us-east-1",
            local=settings.get("local") is True,
            has_foundation=isinstance(settings.get("foundation"), Mapping),
            project=_text(_mapping(settings.get("project")).get("name")),
        )


def _from_context(project: Path) -> Iterator[Environment]:
    """Yield the environment of an app that is not built on Holdfast; cdktf.json names its bucket."""
    try:
        context = _mapping(
            _mapping(parse_json(read_settings(project / "cdktf.json", follow=True))).get("context")
        )
    except (OSError, SettingsError, ValueError):
        return
    settings = _mapping(context.get("holdfast"))
    if bucket := _text(settings.get("state_bucket")):
        yield Environment(
            name=_text(settings.get("environment")) or "default",
            account=_text(settings.get("account")),
            bucket=bucket,
            region=_text(settings.get("region")) or "us-east-1",
            local=False,
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
