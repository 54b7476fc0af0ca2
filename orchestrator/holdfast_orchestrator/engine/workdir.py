"""A private folder per shard, outside the source tree, for an engine to work in.

`<cache>/work/<project>/<shard>/…/app/cdktf.out/stacks/<shard>/`, mode 0700: as deep as the stack's folder in
the app, so that a path such as `../../../templates/x` leads to the shard's own copy of that file. What a
deploy reads lies in this tree (`inputs/`), and nothing of another shard does.

Each run writes the configuration anew and removes what an earlier one left, because any stray `.tf` file
would become part of it and any plan holds secrets. What stays: `.terraform` (so that `init` can be skipped),
the outputs of earlier commands (what happened is read from them) and, above all, an `errored.tfstate`, the
only copy of a state that could not be saved. Configuration and variables are in memory, and end with this
process (`in_memory`). No other symbolic link is ever followed: names come from a synthesized app, and the
folder is in a place that others may know.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from holdfast_orchestrator.engine.in_memory import forget, forget_below, keep_on_disk
from holdfast_orchestrator.errors import NeedsPersonError, SettingsError
from holdfast_orchestrator.system.private_files import cache_folder_of, own_folder, write_private
from holdfast_orchestrator.system.runtime import Runtime

Write = Callable[[Path, bytes], object]

OUTPUT = "output"
ERRORED_STATE = "errored.tfstate"
INIT_KEY = ".holdfast-init"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]{0,199}")
_KEPT = frozenset({".terraform", ".terraform.lock.hcl", INIT_KEY, OUTPUT, ERRORED_STATE})
# How an app's folder lies below a shard's, and how far above it a relative path may lead.
_ABOVE = ("up", "up", "up", "up", "app", "cdktf.out", "stacks")
LEVELS_ABOVE = len(_ABOVE)
"""How many times `..` may be followed from a shard's folder without leaving what is the shard's own."""
_OLD_LAYOUT = (OUTPUT, ERRORED_STATE)
# A deploy with its verify, second stage and rollback leaves some thirty files.
_OUTPUTS_KEPT = 120


def work_root(runtime: Runtime, project: Path) -> Path:
    """Return the folder that holds the shards' folders of a project."""
    digest = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:16]
    return runtime.cache / "work" / digest


def workdir_of(root: Path, shard_name: str) -> Path:
    """Return the folder in which an engine works for a shard of the project whose folders are in `root`."""
    return root.joinpath(shard_name, *_ABOVE, shard_name)


def tree_of(folder: Path) -> Path:
    """Return the folder that holds all that is a shard's own, of the one in which an engine works for it."""
    is_ours = folder.parts[-len(_ABOVE) - 1 : -1] == _ABOVE
    return folder.parents[len(_ABOVE)] if is_ours else folder


def open_root(root: Path) -> Path:
    """Return the folder of a project's shards: it and what is above it in the cache ours alone."""
    return cache_folder_of(root.parents[1], root.parent.name, root.name)


def prepare(
    root: Path,
    shard_name: str,
    files: Mapping[str, bytes],
    *,
    placed: Collection[Path] = (),
    write: Write = write_private,
) -> Path:
    """Return the shard's folder, holding `files` (by plain file name) and nothing stale.

    `placed` are files of the shard's tree that stay; `write` is how a file is made. Raises SettingsError for
    a name that is not a plain one, NeedsPersonError where an earlier state still waits to be saved,
    HoldfastError where the folder is not ours alone.
    """
    for name in (shard_name, *files):
        _check_name(name)
    for name in _KEPT.intersection(files):
        raise SettingsError(f"a file of a shard must not be called {name!r}")
    folder = _own_folders(root, shard_name)
    _refuse_unsaved_state(folder, files)
    _sweep(root / shard_name, folder, {*placed})
    _prune(own_folder(folder / OUTPUT))
    for name, content in files.items():
        write(folder / name, content)
    return folder


def let_go(folder: Path) -> None:
    """Keep no secrets of a shard that is not worked on any more; beside an unsaved state its configuration.

    That state can only be pushed by hand with the configuration beside it.
    """
    if errored_state(folder) is not None:
        for path in folder.iterdir():
            keep_on_disk(path)
    forget_below(folder)


def _own_folders(root: Path, shard_name: str) -> Path:
    """Make every folder down to the shard's own, ours and no link; take over what an older layout left."""
    own = folder = own_folder(open_root(root) / shard_name)
    for part in (*_ABOVE, shard_name):
        folder = own_folder(folder / part)
    for name in _OLD_LAYOUT:
        old = own / name
        if old.exists() and not old.is_symlink() and not (folder / name).exists():
            old.rename(folder / name)
    return folder


def _sweep(tree: Path, folder: Path, placed: set[Path]) -> None:
    """Remove all that lies in a shard's tree but the way to its folder, what is kept there, and `placed`."""
    on_the_way = {folder, *folder.parents}
    for entry in sorted(tree.iterdir()):
        kept = entry.parent == folder and entry.name in _KEPT
        if entry.is_symlink() or not entry.is_dir():
            if entry.is_symlink() or not (kept or entry in placed):
                remove(entry)
        elif not kept:
            _sweep(entry, folder, placed)
            if entry not in on_the_way and not any(entry.iterdir()):
                entry.rmdir()


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


def _refuse_unsaved_state(folder: Path, files: Mapping[str, bytes]) -> None:
    if (path := errored_state(folder)) is not None:
        # To push it, the configuration is needed, and a killed process has left none.
        for name, content in files.items():
            forget(folder / name)
            write_private(folder / name, content)
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
