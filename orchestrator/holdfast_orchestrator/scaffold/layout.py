"""Where a project has its stacks and its environments."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.project_file import read_project_file
from holdfast_orchestrator.errors import SettingsError, UsageError
from holdfast_orchestrator.state_key import InvalidStateKeyError, state_key
from holdfast_orchestrator.system.private_files import read_source

_MODULE = re.compile(r"python[0-9.]* -m ([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a project, relative to it, and the environments it has."""

    folder: Path
    package: str
    stacks: Path
    environments: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> "Layout":
        """Find out how the project in `folder` is laid out.

        Raises SettingsError for a folder without cdktf.json, or with an app that is not a package of stacks.
        """
        app = read_project_file(folder).app
        named = _MODULE.search(app)
        package = named[1] if named is not None else "no package"
        places = [
            file.parent for pattern in ("", "*/") for file in folder.glob(f"{pattern}{package}/__main__.py")
        ]
        if not places:
            raise SettingsError(
                f"{folder / 'cdktf.json'} runs {app!r}, which is not a package of stacks in this project",
                next_step="run it in a project that `holdfast init` wrote, or write the stack by hand",
            )
        environments = tuple(sorted(file.stem for file in (folder / "environments").glob("*.toml")))
        return cls(folder, package, places[0].relative_to(folder), environments)

    def chosen(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the environments named, all where none is; raises UsageError for one that is not there."""
        for name in names:
            if name not in self.environments:
                close = get_close_matches(name, self.environments, n=1)
                guess = f"; did you mean {close[0]}?" if close else ""
                raise UsageError(
                    f"there is no environment {name!r}; there are: {', '.join(self.environments)}{guess}",
                    next_step=f"name one of these, or: holdfast new env {name}",
                )
        return tuple(dict.fromkeys(names)) or self.environments

    def settings(self, environment: str) -> Mapping[str, Any]:
        """Return what an environment's file says; raises SettingsError where it is no TOML."""
        file = self.folder / settings_path(environment)
        try:
            return tomllib.loads(read_source(file).decode())
        except (OSError, UnicodeError) as error:
            raise SettingsError.unreadable(file, error) from error
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{file} is not TOML: {error}", next_step="correct it") from None


def settings_path(environment: str) -> str:
    """Return the path of an environment's file in its project."""
    return f"environments/{environment}.toml"


def check_name(kind: str, name: str) -> None:
    """Raise UsageError for a name that no service and no environment can have, or no Python class."""
    try:
        state_key(name, "0" * 12, "eu-west-1", name)
    except InvalidStateKeyError:
        name_fits = False
    else:
        name_fits = name[0].isalpha()
    if not name_fits:
        raise UsageError(
            f"{name!r} cannot be the name of {kind}",
            next_step="take 1-63 of a-z, 0-9 and inner hyphens, beginning with a letter",
        )
