"""A private folder per shard, outside the source tree, for an engine to work in.

`<cache>/work/<project>/<shard>/`, mode 0700. Each run writes the configuration anew and removes what
an earlier one left, because any stray `.tf` file would become part of it and any plan holds secrets.
What stays: `.terraform` (so that `init` can be skipped), the outputs of earlier commands (what
happened is read from them) and, above all, an `errored.tfstate`, the only copy of a state that could
not be saved. No symbolic link is ever followed: names come from a synthesized app and the folder is
in a place that others may know.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from holdfast_orchestrator.errors import NeedsPersonError, SettingsError
from holdfast_orchestrator.private_files import PRIVATE, own_folder, write_private
from holdfast_orchestrator.runtime import Runtime

OUTPUT = "output"
ERRORED_STATE = "errored.tfstate"
INIT_KEY = ".holdfast-init"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]{0,199}")
_KEPT = frozenset({".terraform", ".terraform.lock.hcl", INIT_KEY, OUTPUT, ERRORED_STATE})
# A deploy with its verify, second stage and rollback leaves some thirty files.
_OUTPUTS_KEPT = 120


def work_root(runtime: Runtime, project: Path) -> Path:
    """Return the folder that holds the shards' folders of a project."""
    digest = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:16]
    return runtime.cache / "work" / digest


def prepare(root: Path, shard_name: str, files: Mapping[str, bytes]) -> Path:
    """Return the shard's folder, holding `files` (by plain file name) and nothing stale.

    Raises SettingsError for a name that is not a plain one, NeedsPersonError where an earlier state
    still waits to be saved, HoldfastError where the folder is not ours alone.
    """
    for name in (shard_name, *files):
        _check_name(name)
    for name in _KEPT.intersection(files):
        raise SettingsError(f"a file of a shard must not be called {name!r}")
    root.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    folder = own_folder(own_folder(root) / shard_name)
    _refuse_unsaved_state(folder)
    for entry in sorted(folder.iterdir()):
        if entry.name not in _KEPT or entry.is_symlink():
            remove(entry)
    _prune(own_folder(folder / OUTPUT))
    for name, content in files.items():
        write_private(folder / name, content)
    return folder


def errored_state(folder: Path) -> Path | None:
    """Return the state an apply could not save, if there is one."""
    path = folder / ERRORED_STATE
    return path if path.is_file() and not path.is_symlink() else None


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise SettingsError(
            f"a shard or file name must be letters, digits, '.', '_', '~' and '-', "
            f"at most 200 and not starting with '.' or '-', got {name!r}",
            next_step="rename the stack in the app",
        )


def _refuse_unsaved_state(folder: Path) -> None:
    if (path := errored_state(folder)) is not None:
        push = f"terraform -chdir={folder} state push {ERRORED_STATE}"
        raise NeedsPersonError(
            f"an earlier deploy could not save its state: {path} is the only copy of it, "
            "and another deploy would fork it",
            next_step=f"push it (`{push}`), then remove the file",
        )


def remove(entry: Path) -> None:
    """Remove a file, a link or a folder with all that is in it; what a link leads to stays."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _prune(outputs: Path) -> None:
    newest_last = sorted(outputs.iterdir(), key=lambda path: (path.lstat().st_mtime_ns, path.name))
    for path in newest_last[:-_OUTPUTS_KEPT]:
        remove(path)
