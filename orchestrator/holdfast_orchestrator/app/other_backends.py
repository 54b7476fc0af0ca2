"""States of an app's stacks that lie somewhere else than Holdfast keeps them.

cdktf keeps a state in a local file unless the app declares a backend. Either way a deploy that began at the
shard's own place would make everything a second time. What is found here goes with the shard; commands that
plan or change refuse it (`gate.elsewhere`), and `holdfast adopt` takes it over.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast_orchestrator.app.manifest import Stack, StateElsewhere, StateLocation
from holdfast_orchestrator.system.private_files import UnsafePlaceError, read_source
from holdfast_orchestrator.terraform.backends import LOCAL, S3, Backend, declared_backend
from holdfast_orchestrator.terraform.json_values import managed
from holdfast_orchestrator.terraform.state_file import read_state


def state_elsewhere(
    stack: Stack, document: Mapping[str, Any], location: StateLocation, folder: Path | None
) -> StateElsewhere | None:
    """Return where else the stack's state lies, None where there is no sign of one.

    `document` is the stack's configuration as the app wrote it, `location` Holdfast's own place for its
    state, `folder` the project's.
    """
    backend = declared_backend(document)
    if backend is not None and backend.kind != LOCAL and not _is_ours(backend, location):
        return _declared(backend)
    states = map(state_in_file, _local_files(stack, backend, folder))
    return next((state for state in states if state is not None), None)


def _is_ours(backend: Backend, state: StateLocation) -> bool:
    place = (backend.config.get("bucket"), backend.config.get("key"))
    return backend.kind == S3 and place == (state.bucket, state.key)


def _declared(backend: Backend) -> StateElsewhere:
    is_complete = backend.kind == S3 and backend.is_complete
    return StateElsewhere(
        kind=backend.kind, place=backend.place, source=backend.place if is_complete else None
    )


def _local_files(stack: Stack, backend: Backend | None, folder: Path | None) -> Iterator[Path]:
    """The files that may hold the stack's state: the one it declares, and cdktf's own."""
    path = backend.config.get("path") if backend is not None and backend.kind == LOCAL else None
    if isinstance(path, str) and path:
        # cdktf-cli runs Terraform in the stack's folder, to which a relative path refers.
        yield stack.directory / path
    if folder is not None:
        yield default_file(stack.name, folder)


def default_file(stack: str, folder: Path) -> Path:
    """Return where cdktf-cli keeps the state of a stack that declares no backend."""
    return folder / f"terraform.{stack}.tfstate"


def state_in_file(path: Path) -> StateElsewhere | None:
    """Return the state in a local file; None where there is none, or one that manages nothing."""
    unread = StateElsewhere(kind=LOCAL, place=str(path), source=str(path))
    try:
        content = read_source(path) if path.is_file() else b""
    except (OSError, UnsafePlaceError):
        return unread
    if not content.strip():
        return None
    state = read_state(str(path), content)
    if state.document is None:
        return None if _says_nothing(content) else unread
    objects = sum(1 for _ in managed(state.document))
    if objects == 0:
        return None
    return replace(unread, lineage=state.lineage, serial=state.serial, objects=objects)


def _says_nothing(content: bytes) -> bool:
    """Whether it is a JSON object of which Terraform would say: no state."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and not document.keys() - {"version", "terraform_version"}
