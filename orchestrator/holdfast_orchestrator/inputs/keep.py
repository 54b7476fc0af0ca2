"""Inputs in the bucket: each content once, by its SHA-256, encrypted as everything there is.

    _holdfast/inputs/<sha256>

The values of variables lie there too, as one document: they are as secret as the state, which holds most of
them anyway, and no record names them.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from holdfast_orchestrator.app.inputs import UNKNOWN, InputFile, Inputs, Variable
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.inputs.place import Fetch
from holdfast_orchestrator.state.exact_writes import create_once
from holdfast_orchestrator.state.object_store import ObjectStore

INPUTS = "_holdfast/inputs"


def input_key(sha256: str) -> str:
    """Return where a content lies."""
    return f"{INPUTS}/{sha256}"


def fetcher(store: ObjectStore) -> Fetch:
    """Return what reads a content from a bucket."""

    def fetch(sha256: str) -> bytes | None:
        stored = store.get(input_key(sha256))
        return None if stored is None else stored.body

    return fetch


def keep_inputs(store: ObjectStore, inputs: Inputs, read: Fetch) -> None:
    """Write what is not there yet; `read` returns the bytes of a file that is placed.

    Raises NeedsPersonError where another content lies under a name, or one cannot be read.
    """
    for file in inputs.files:
        if file.kept and store.head(input_key(file.sha256)) is None:
            content = read(file.sha256)
            if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
                raise NeedsPersonError(
                    f"{file.part_of} changed while it was to be kept", next_step="deploy again"
                )
            _write(store, file.sha256, content)
    if inputs.variables:
        content = variables_body(inputs)
        _write(store, hashlib.sha256(content).hexdigest(), content)


def _write(store: ObjectStore, sha256: str, content: bytes) -> None:
    if not create_once(store, input_key(sha256), content):
        raise NeedsPersonError(
            f"the object at {input_key(sha256)} is not what its name says; it was changed",
            next_step="find out who wrote it (holdfast audit), delete that object and deploy again",
        )


def variables_body(inputs: Inputs) -> bytes:
    """The document of the variables' values."""
    values = [[one.name, one.form, one.value] for one in inputs.variables]
    return json.dumps({"schema": "holdfast/variables/v1", "variables": values}).encode()


def described(inputs: Inputs) -> Mapping[str, Any]:
    """Return what an artifact says of its inputs: no content, no value."""
    return {
        "files": [
            {
                "path": file.path,
                "sha256": file.sha256,
                "identity": file.identity,
                "size": file.size,
                "part_of": file.part_of,
                "executable": file.executable,
                "kept": file.kept,
            }
            for file in inputs.files
        ],
        "variables": hashlib.sha256(variables_body(inputs)).hexdigest() if inputs.variables else None,
        "absent": list(inputs.absent),
        "doubts": list(inputs.doubts),
        "provider_reads": inputs.provider_reads,
    }


def read_inputs(store: ObjectStore, told: Mapping[str, Any] | None) -> Inputs:
    """Return what `described` wrote; None was written before inputs were kept.

    Raises NeedsPersonError where the variables are gone.
    """
    if told is None:
        return UNKNOWN
    return Inputs(
        files=tuple(InputFile(**one) for one in told["files"]),
        variables=_variables(store, told["variables"]),
        absent=tuple(told["absent"]),
        doubts=tuple(told["doubts"]),
        provider_reads=told["provider_reads"],
    )


def _variables(store: ObjectStore, sha256: str | None) -> tuple[Variable, ...]:
    if sha256 is None:
        return ()
    stored = store.get(input_key(sha256))
    if stored is None or hashlib.sha256(stored.body).hexdigest() != sha256:
        raise NeedsPersonError(
            f"the values of the variables at {input_key(sha256)} are gone or were changed",
            next_step="deploy a revision of the app anew; this one cannot be gone back to",
        )
    given = json.loads(stored.body)["variables"]
    return tuple(Variable(name=name, form=form, value=value) for name, form, value in given)
