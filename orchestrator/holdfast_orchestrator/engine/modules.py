"""The modules of a shard's folder, as `init` has laid them out.

`init` lists every module that a configuration calls, at any depth, in `.terraform/modules/modules.json`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_source
from holdfast_orchestrator.terraform.json_values import objects

_LISTED = Path(".terraform") / "modules" / "modules.json"
_FETCHED = (".terraform", "modules")
_WRITTEN_IN = (".tf", ".tf.json", ".tofu", ".tofu.json")


class ModulesUnknownError(Exception):
    """The modules of a folder cannot be read."""


@dataclass(frozen=True, slots=True)
class LaidOutModule:
    """A module: its key (`a.b` is module b of module a), its folder, and whether it was fetched."""

    key: str
    folder: Path
    is_fetched: bool

    @property
    def texts(self) -> Iterator[tuple[str, bytes]]:
        """The name and the bytes of each of its Terraform files. Raises ModulesUnknownError."""
        try:
            yield from ((file.name, read_source(file)) for file in module_files(self.folder))
        except (OSError, UnsafePlaceError) as error:
            raise ModulesUnknownError(f"the files of module {self.key} cannot be read: {error}") from error


def has_modules(configuration: bytes) -> bool:
    """Say whether a configuration calls modules."""
    return any(objects(json.loads(configuration).get("module")))


def laid_out_modules(workdir: Path) -> tuple[LaidOutModule, ...]:
    """Return the modules that a folder was initialized with. Raises ModulesUnknownError."""
    try:
        listed = json.loads(read_source(workdir / _LISTED))["Modules"]
        # The configuration itself is the first of them.
        return tuple(
            LaidOutModule(str(entry["Key"]), workdir / entry["Dir"], _is_fetched(entry["Dir"]))
            for entry in listed
            if entry["Key"]
        )
    except (OSError, UnsafePlaceError, ValueError, KeyError, TypeError) as error:
        raise ModulesUnknownError(f"the list of modules cannot be read: {error}") from error


def module_files(folder: Path) -> tuple[Path, ...]:
    """Return the Terraform files of a folder, sorted. Raises OSError where it cannot be listed."""
    return tuple(file for file in sorted(folder.iterdir()) if file.name.endswith(_WRITTEN_IN))


def modules_digest(workdir: Path) -> str:
    """Return a digest of the Terraform files of all modules of a folder. Raises ModulesUnknownError."""
    digest = hashlib.sha256()
    for module in laid_out_modules(workdir):
        for name, content in module.texts:
            file = hashlib.sha256(content).hexdigest()
            digest.update(f"{module.key}\0{module.folder}\0{name}\0{file}\n".encode())
    return digest.hexdigest()


def _is_fetched(folder: str) -> bool:
    return PurePosixPath(folder).parts[:2] == _FETCHED
