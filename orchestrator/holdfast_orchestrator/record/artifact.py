"""What was deployed, whole and unchangeable: enough to plan the same thing again on another machine.

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
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.json_object import create_once, dump, load
from holdfast_orchestrator.state.object_store import ObjectStore

SCHEMA = "holdfast/artifact/v1"
ARTIFACTS = "_holdfast/artifacts"

PUT_BACK = "put that object back from the bucket's versions (docs/runbook.md says how)"


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A deployable thing.

    `configuration` is cdk.tf.json as it was synthesized, `lock` the .terraform.lock.hcl (None: there was
    none yet). `engine` is "terraform 1.11.4" or alike, `providers` versions by source address. `assets` are
    SHA-256 by path of the files that are kept. `inputs` is what `inputs.keep.described` says of all that it
    reads, None in an artifact from before that was known.
    """

    configuration: bytes = field(repr=False)
    lock: bytes | None = field(default=None, repr=False)
    engine: str
    providers: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] | None = None

    @cached_property
    def body(self) -> bytes:
        """The object's bytes."""
        return dump(
            SCHEMA,
            {
                "engine": self.engine,
                "providers": dict(sorted(self.providers.items())),
                "assets": dict(sorted(self.assets.items())),
                **({} if self.inputs is None else {"inputs": self.inputs}),
                "lock": None if self.lock is None else self.lock.decode(),
                "configuration": self.configuration.decode(),
            },
        )

    @cached_property
    def sha256(self) -> str:
        """What it is called: the digest of its bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


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


def read_artifact(store: ObjectStore, sha256: str) -> Artifact:
    """Return an artifact. Raises NeedsPersonError where it is missing or is not what its name says."""
    stored = store.get(artifact_key(sha256))
    if stored is None:
        raise NeedsPersonError(f"there is no artifact {sha256}", next_step=PUT_BACK)
    if hashlib.sha256(stored.body).hexdigest() != sha256:
        raise NeedsPersonError(
            f"the object at {stored.head.key} is not what its name says; it was changed", next_step=PUT_BACK
        )
    return load(stored, SCHEMA, _build, next_step=PUT_BACK)


def readable_configurations(store: ObjectStore, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the configurations of those of these artifacts that can be read."""
    found = []
    for name in names:
        with suppress(NeedsPersonError):
            found.append(json.loads(read_artifact(store, name).configuration))
    return found


def _replace_damaged(store: ObjectStore, key: str, body: bytes) -> None:
    stored = store.get(key)
    if stored is None:
        store.create(key, body)
    elif stored.body != body:
        store.replace(key, body, etag=stored.head.etag)


def _build(document: Mapping[str, Any]) -> Artifact:
    lock = document["lock"]
    return Artifact(
        configuration=document["configuration"].encode(),
        lock=None if lock is None else lock.encode(),
        engine=document["engine"],
        providers=document["providers"],
        assets=document["assets"],
        inputs=document.get("inputs"),
    )
