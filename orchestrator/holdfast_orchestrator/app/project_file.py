"""cdktf.json: which program synthesizes the app, where to, and what is said of Holdfast there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.capacity import MOST_OBJECTS_AT_ONCE
from holdfast_orchestrator.system.json_input import parse_json, read_settings

CDKTF_JSON = "cdktf.json"
CONTEXT_KEY = "holdfast"
# Read by the engine, not here.
_OTHER_SETTINGS = frozenset({"engine", "provider_mirror"})
_REDACT, _KEEPING, _ACCEPTED = "redact", "keeping", "accepted_differences"
_PARALLELISM = "parallelism"
# Read by themselves: their values are no strings.
_OF_OTHER_TYPES = frozenset({_REDACT, _KEEPING, _ACCEPTED, _PARALLELISM})


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignSettings:
    """What a foreign app does not say of itself; None where it is not set."""

    state_bucket: str | None = None
    region: str | None = None
    service: str | None = None
    environment: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """The parts of cdktf.json in use.

    `output` is where the app is synthesized to, absolute. `id` is its `projectId`, or the folder's name
    where it has none, and `is_named` tells which. `local_modules` are those of its `terraformModules` that
    are folders of the project, as written there. `bindings` is where `cdktf get` writes to. `redact` are
    texts never to be shown; `keeping` is what holdfast.json calls so, for an app that writes none.
    `parallelism` is how many objects of a shard Terraform reads or changes at once.
    """

    folder: Path
    app: str
    output: Path
    context: Mapping[str, Any] = field(default_factory=dict)
    foreign: ForeignSettings = field(default_factory=ForeignSettings)
    redact: tuple[str, ...] = field(default=(), repr=False)
    keeping: Mapping[str, Any] = field(default_factory=dict)
    accepted_differences: Any = None
    parallelism: int | None = None
    id: str = ""
    is_named: bool = True
    local_modules: tuple[Any, ...] = ()
    language: str = ""
    bindings: Path | None = None

    @property
    def own_id(self) -> str:
        """Its `projectId`; empty where it has none. A folder may be called otherwise on another machine."""
        return self.id if self.is_named else ""


def read_project_file(folder: Path) -> ProjectFile:
    """Read `folder`/cdktf.json. Raises SettingsError where it is missing or malformed."""
    file = folder / CDKTF_JSON
    try:
        document = parse_json(read_settings(file, follow=True))
    except FileNotFoundError:
        raise SettingsError(
            f"there is no {CDKTF_JSON} in {folder}",
            next_step="run holdfast in the folder of a cdktf app, or name it with --project",
        ) from None
    except ValueError as error:
        raise SettingsError(f"{file} is not valid JSON: {error}", next_step=f"correct {file}") from None
    if not isinstance(document, dict) or not isinstance(document.get("app"), str) or not document["app"]:
        raise SettingsError(
            f"{file}: `app` must be the command that synthesizes the app, such as 'python main.py'"
        )
    context = _mapping(document.get("context"), "context", file)
    ours = _mapping(context.get(CONTEXT_KEY), f"context.{CONTEXT_KEY}", file)
    return ProjectFile(
        folder=folder,
        app=document["app"],
        output=folder / str(document.get("output") or "cdktf.out"),
        context=context,
        local_modules=tuple(_local_modules(document.get("terraformModules"))),
        id=str(document.get("projectId") or folder.resolve().name),
        is_named=bool(document.get("projectId")),
        foreign=_foreign({name: value for name, value in ours.items() if name not in _OF_OTHER_TYPES}, file),
        language=str(document.get("language") or ""),
        bindings=folder.absolute() / str(document.get("codeMakerOutput") or ".gen"),
        redact=_texts(ours.get(_REDACT), file),
        keeping=_mapping(ours.get(_KEEPING), f"context.{CONTEXT_KEY}.{_KEEPING}", file),
        accepted_differences=ours.get(_ACCEPTED),
        parallelism=checked_parallelism(
            ours.get(_PARALLELISM), f"{file}: context.{CONTEXT_KEY}.{_PARALLELISM}"
        ),
    )


def checked_parallelism(value: object, name: str) -> int | None:
    """Return the value of the setting `name`. Raises SettingsError where it is no number from 1 to 50."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_OBJECTS_AT_ONCE:
        raise SettingsError(
            f"{name} must be a whole number from 1 to {MOST_OBJECTS_AT_ONCE}, got {value!r}",
            next_step="leave it out to read 20 objects at once in shards of more than 100, else 10",
        )
    return value


def _local_modules(modules: object) -> Iterator[Any]:
    for module in modules if isinstance(modules, list) else ():
        source = module.get("source") if isinstance(module, dict) else module
        if isinstance(source, str) and source.startswith(("./", "../")):
            yield module


def _mapping(value: object, name: str, file: Path) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise SettingsError(f"{file}: {name} must be an object, got {value!r}")
    return value or {}


def _texts(value: object, file: Path) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise SettingsError(f"{file}: context.{CONTEXT_KEY}.{_REDACT} must be a list of strings")
    return tuple(value)


def _foreign(given: Mapping[str, Any], file: Path) -> ForeignSettings:
    allowed = {field.name for field in fields(ForeignSettings)}
    for name, value in given.items():
        if name not in allowed | _OTHER_SETTINGS:
            names = ", ".join(sorted(allowed | _OTHER_SETTINGS | _OF_OTHER_TYPES))
            raise SettingsError(f"{file}: context.holdfast has no setting {name!r}; there are: {names}")
        if not isinstance(value, str):
            raise SettingsError(f"{file}: context.holdfast.{name} must be a string, got {value!r}")
    return ForeignSettings(**{name: value for name, value in given.items() if name in allowed})


@dataclass(frozen=True, slots=True)
class Choices:
    """An engine's name or path, and a provider mirror; None where nothing was chosen."""

    engine: str | None = None
    provider_mirror: Path | None = None


def read_choices(project: Path) -> Choices:
    """Return what `project`/cdktf.json chooses; paths in it start at the project."""
    settings = _settings(project / CDKTF_JSON)
    engine, mirror = settings.get("engine"), settings.get("provider_mirror")
    if isinstance(engine, str) and "/" in engine:
        engine = str(project / engine)
    return Choices(
        engine=engine if isinstance(engine, str) and engine else None,
        provider_mirror=project / mirror if isinstance(mirror, str) and mirror else None,
    )


def _settings(file: Path) -> dict[str, Any]:
    try:
        settings = parse_json(read_settings(file, follow=True))["context"][CONTEXT_KEY]
    except (OSError, SettingsError, ValueError, KeyError, TypeError):
        return {}
    return settings if isinstance(settings, dict) else {}
