"""Inputs in the bucket: each content once, by its SHA-256, encrypted as everything there is.

    _holdfast/inputs/<sha256>

The values of variables lie there too, as one document: they are as secret as the state, which holds most of
them anyway, and no record names them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from holdfast_orchestrator.app.inputs import UNKNOWN, Form, InputFile, Inputs, Variable
from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.inputs.place import Fetch
from holdfast_orchestrator.state.exact_writes import create_once
from holdfast_orchestrator.state.object_store import ObjectReader, ObjectStore
from holdfast_orchestrator.state.record_format import Format, WrittenAs, copied

INPUTS = "_holdfast/inputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptFile:
    path: str
    sha256: str
    identity: str
    size: int
    part_of: str
    executable: bool = False
    kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """What an artifact says of its inputs; `variables` is the digest of the document of their values."""

    files: tuple[
        Annotated[InputFile, WrittenAs(_KeptFile, partial(copied, _KeptFile), partial(copied, InputFile))],
        ...,
    ]
    variables: str | None
    absent: tuple[str, ...]
    doubts: tuple[str, ...]
    provider_reads: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variables:
    """The variables: name, form and value of each."""

    variables: tuple[tuple[str, Form, str], ...]


DESCRIBED = Format[_Described]("holdfast/inputs/v1", _Described, is_named=False)
VARIABLES = Format[_Variables]("holdfast/variables/v1", _Variables)


def input_key(sha256: str) -> str:
    """Return where a content lies."""
    return f"{INPUTS}/{sha256}"


def fetcher(store: ObjectReader) -> Fetch:
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
    values = tuple((one.name, one.form, one.value) for one in inputs.variables)
    document = VARIABLES.to_json(_Variables(variables=values))
    return json.dumps({"schema": VARIABLES.schema, **document}).encode()


def described(inputs: Inputs) -> Mapping[str, Any]:
    """Return what an artifact says of its inputs: no content, no value."""
    variables = hashlib.sha256(variables_body(inputs)).hexdigest() if inputs.variables else None
    return DESCRIBED.to_json(copied(_Described, inputs, variables=variables))


def read_inputs(store: ObjectReader, told: Mapping[str, Any] | None) -> Inputs:
    """Return what `described` wrote; None was written before inputs were kept.

    Raises NeedsPersonError where the variables are gone.
    """
    if told is None:
        return UNKNOWN
    read = DESCRIBED.from_json(told)
    return copied(Inputs, read, variables=_variables(store, read.variables))


def _variables(store: ObjectReader, sha256: str | None) -> tuple[Variable, ...]:
    if sha256 is None:
        return ()
    stored = store.get(input_key(sha256))
    if stored is None or hashlib.sha256(stored.body).hexdigest() != sha256:
        raise NeedsPersonError(
            f"the values of the variables at {input_key(sha256)} are gone or were changed",
            next_step="deploy a revision of the app anew; this one cannot be gone back to",
        )
    given = VARIABLES.parse(stored.body).variables
    return tuple(Variable(name=name, form=form, value=value) for name, form, value in given)
