"""What a project's cdktf.json says about engines: `context.holdfast.engine` and `.provider_mirror`.

Options and environment variables come first; a file that is missing or not readable chooses nothing
here, because whoever needs its other parts complains of it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast_orchestrator.errors import SettingsError
from holdfast_orchestrator.system.json_input import parse_json, read_settings


@dataclass(frozen=True, slots=True)
class Choices:
    """An engine's name or path, and a provider mirror; None where nothing was chosen."""

    engine: str | None = None
    provider_mirror: Path | None = None


def read_choices(project: Path) -> Choices:
    """Return what `project`/cdktf.json chooses; paths in it start at the project."""
    settings = _settings(project / "cdktf.json")
    engine, mirror = settings.get("engine"), settings.get("provider_mirror")
    return Choices(
        engine=_anchored(project, engine) if isinstance(engine, str) and engine else None,
        provider_mirror=project / mirror if isinstance(mirror, str) and mirror else None,
    )


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = parse_json(read_settings(file, follow=True))["context"]["holdfast"]
    except (OSError, SettingsError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _anchored(project: Path, engine: str) -> str:
    return str(project / engine) if "/" in engine else engine
