"""Artifacts: everything needed to plan a deployment again on another machine. They never change.

    _holdfast/artifacts/<sha256>

One JSON object: the synthesized configuration, the provider lock file, the engine's and the providers'
versions, and the digests of what it reads (`inputs/`; their content lies beside it, each once).
It is named by the SHA-256 of its bytes and written before the plan, so that whatever is applied can always be
found again; the same configuration deployed twice is one object.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.exact_writes import create_once
from holdfast_orchestrator.state.object_store import ObjectReader, ObjectStore
from holdfast_orchestrator.state.record_format import Format, SortedTexts, is_none

ARTIFACTS = "_holdfast/artifacts"

PUT_BACK = "put that object back from the bucket's versions (docs/runbook.md says how)"


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A configuration with its inputs and versions.

    `configuration` is cdk.tf.json as it was synthesized, `lock` the .terraform.lock.hcl (None: there was
    none yet). `engine` is "terraform 1.11.4" or alike, `providers` versions by source address. `assets` are
    SHA-256 by path of the files that are kept. `inputs` is what `inputs.keep.described` says of all that it
    reads, None in an artifact from before that was known.
    """

    engine: str
    providers: SortedTexts = field(default_factory=dict)
    assets: SortedTexts = field(default_factory=dict)
    inputs: Annotated[Mapping[str, Any] | None, Field(exclude_if=is_none)] = None
    lock: bytes | None = field(default=None, repr=False)
    configuration: bytes = field(repr=False)

    @cached_property
    def body(self) -> bytes:
        """The object's bytes."""
        return FORMAT.body(self)

    @cached_property
    def sha256(self) -> str:
        """The artifact's name: the digest of its bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


FORMAT = Format[Artifact]("holdfast/artifact/v1", Artifact)


def artifact_key(sha256: str) -> str:
    """Return where an artifact lies."""
    return f"{ARTIFACTS}/{sha256}"


def keep_artifact(store: ObjectStore, artifact: Artifact) -> str:
    """Write the artifact, if it is not there already, and return its name (SHA-256).

    What else lies under that name was damaged or changed: the name says which bytes are right.
    """
    key = artifact_key(artifact.sha256)
    if not create_once(store, key, artifact.body):
        _replace_damaged(store, key, artifact.body)
    return artifact.sha256


def read_artifact(store: ObjectReader, sha256: str) -> Artifact:
    """Return an artifact. Raises NeedsPersonError where it is missing or is not what its name says."""
    stored = store.get(artifact_key(sha256))
    if stored is None:
        raise NeedsPersonError(f"there is no artifact {sha256}", next_step=PUT_BACK)
    if hashlib.sha256(stored.body).hexdigest() != sha256:
        raise NeedsPersonError(
            f"the object at {stored.head.key} is not what its name says; it was changed", next_step=PUT_BACK
        )
    return FORMAT.read(stored, next_step=PUT_BACK)


def readable_configurations(store: ObjectReader, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the configurations of the named artifacts, without those that cannot be read."""
    configurations = []
    for name in names:
        with suppress(NeedsPersonError):
            configurations.append(json.loads(read_artifact(store, name).configuration))
    return configurations


def _replace_damaged(store: ObjectStore, key: str, body: bytes) -> None:
    stored = store.get(key)
    if stored is None:
        store.create(key, body)
    elif stored.body != body:
        store.replace(key, body, etag=stored.head.etag)
