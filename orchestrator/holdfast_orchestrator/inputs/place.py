"""Inputs laid out for Terraform: files in a shard's own tree, variables in its environment and in files.

A file is copied once and stays as long as nothing has touched it. Where it is not what it was when the app
was read, its bytes come from the bucket, if they are there; else nothing is planned or applied with it.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast_orchestrator.app.inputs import InputFile, Inputs
from holdfast_orchestrator.engine.workdir import remove
from holdfast_orchestrator.errors import GateError
from holdfast_orchestrator.inputs.variables import ENVIRONMENT
from holdfast_orchestrator.system.private_files import UnsafePlaceError, own_folder, read_file, write_private

Fetch = Callable[[str], bytes | None]
"""Returns the bytes of this SHA-256 from where they are kept, None where they are not."""

_NOTES = ".placed.json"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each file goes in the tree of the shard that is worked on in `folder`."""

    folder: Path
    tree: Path
    inputs: Inputs

    @property
    def notes(self) -> Path:
        """Where it is written down what was placed."""
        return self.tree / _NOTES

    @property
    def files(self) -> Mapping[Path, InputFile]:
        """The files by place. Those outside the app are read where they lie."""
        return {
            Path(os.path.normpath(self.folder / file.path)): file
            for file in self.inputs.files
            if not file.in_place
        }

    @property
    def stays(self) -> tuple[Path, ...]:
        """What in the tree is not stale."""
        return (*self.files, self.notes)


def variable_files(inputs: Inputs) -> Mapping[str, bytes]:
    """Return the files of values, by name, in the order in which Terraform is to read them."""
    in_files = (variable for variable in inputs.variables if variable.form != "environment")
    files = {}
    for number, variable in enumerate(in_files):
        suffix, text = "", variable.value
        match variable.form:
            case "literal":
                suffix, text = ".json", json.dumps({variable.name: variable.value})
            case "expression":
                text = f"{variable.name} = {variable.value}\n"
            case _ if variable.name.endswith(".json"):
                suffix = ".json"
        files[f"given-{number:03}.tfvars{suffix}"] = text.encode()
    return files


def environ_with(inputs: Inputs, environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with exactly the variables of the inputs; as it is where those are not known."""
    if not inputs.known:
        return dict(environ)
    kept = {name: value for name, value in environ.items() if not name.startswith(ENVIRONMENT)}
    given = {ENVIRONMENT + each.name: each.value for each in inputs.variables if each.form == "environment"}
    return {**kept, **given}


def place(layout: Layout, fetch: Fetch) -> None:
    """Copy what is not there yet. Raises GateError where the bytes of a file are nowhere to be had."""
    placed = _read(layout.notes)
    written = {}
    for place, file in layout.files.items():
        name = os.path.relpath(place, layout.tree)
        stamp = _stamp(place)
        if stamp is None or placed.get(name) != [file.sha256, file.executable, *stamp]:
            _make_way(layout.tree, place)
            write_private(place, _content(file, fetch))
            place.chmod(0o700 if file.executable else 0o600)
            stamp = _stamp(place)
        written[name] = [file.sha256, file.executable, *(stamp or ())]
    if written != placed:
        write_private(layout.notes, json.dumps(written).encode())
    for file in layout.inputs.files:
        if file.in_place:
            _content(file, lambda _: None)


def _content(file: InputFile, fetch: Fetch) -> bytes:
    if file.source is not None:
        try:
            content = file.source.read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() == file.sha256:
            return content
    kept = fetch(file.sha256)
    if kept is None or hashlib.sha256(kept).hexdigest() != file.sha256:
        raise GateError(
            f"{file.part_of} is not what it was when the app was read",
            next_step="run the command again",
        )
    return kept


def _make_way(tree: Path, place: Path) -> None:
    folder = tree
    for part in place.relative_to(tree).parts[:-1]:
        folder /= part
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            remove(folder)
        own_folder(folder)
    if place.is_dir() and not place.is_symlink():
        remove(place)


def _stamp(place: Path) -> tuple[int, int, int] | None:
    try:
        status = place.lstat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def _read(notes: Path) -> Mapping[str, object]:
    try:
        read = json.loads(read_file(notes))
    except (OSError, UnsafePlaceError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
