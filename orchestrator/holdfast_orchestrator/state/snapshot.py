"""A state as it lies in the bucket, read once and checked.

Terraform takes an empty object, and one without a lineage, for "there is no state": it would plan to
create everything a second time. So what is there must be a state, or a person has to look.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.object_store import ObjectReader, StoredObject
from holdfast_orchestrator.terraform.state_file import NotAStateError, Recorded, StateStamp, parse_state


@dataclass(frozen=True, kw_only=True)
class StateSnapshot:
    """A state's bytes with their lineage and serial; `written` is the time of the write by the bucket.

    `version` is the object's in the bucket, None where the bucket keeps none.
    """

    key: str
    etag: str
    body: bytes = field(repr=False)
    lineage: str
    serial: int
    written: datetime | None = field(default=None, compare=False)
    version: str | None = field(default=None, compare=False)

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def stamp(self) -> StateStamp:
        """The lineage and the serial."""
        return StateStamp(self.lineage, self.serial)

    @property
    def recorded(self) -> Recorded:
        """What records keep of this state."""
        return Recorded(self.lineage, self.serial, self.sha256)

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The state as JSON."""
        parsed: Mapping[str, Any] = json.loads(self.body)
        return parsed

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs by name, as Terraform stores them (`value`, `type`, `sensitive`)."""
        return self.document.get("outputs") or {}

    @property
    def manages_something(self) -> bool:
        """Whether any object is left in it; data sources do not count."""
        return any(resource.get("mode") == "managed" for resource in self.document.get("resources") or ())


def read_snapshot(store: ObjectReader, key: str) -> StateSnapshot | None:
    """Return the state at `key`, None where there is none.

    Raises NeedsPersonError where an object lies there that is not a state Terraform would honour.
    """
    stored = store.get(key)
    return None if stored is None else snapshot_of(stored)


def snapshot_of(stored: StoredObject) -> StateSnapshot:
    """Return the bytes as a state. Raises NeedsPersonError where they are none."""
    try:
        document = parse_state(stored.body)
    except NotAStateError as error:
        raise _corrupt(stored, str(error)) from None
    lineage, serial = document["lineage"], document["serial"]
    if "/" in lineage:
        # The lineage becomes a part of the keys of its backups.
        raise _corrupt(stored, f"its lineage is {lineage!r}")
    if serial < 0:
        raise _corrupt(stored, f"its serial is {serial!r}")
    return StateSnapshot(
        key=stored.head.key,
        etag=stored.head.etag,
        body=stored.body,
        lineage=lineage,
        serial=serial,
        written=stored.head.modified,
        version=stored.head.version,
    )


def _corrupt(stored: StoredObject, why: str) -> NeedsPersonError:
    folder = stored.head.key.rpartition("/")[0]
    return NeedsPersonError(
        f"the object at {stored.head.key} is not a usable state: {why} ({stored.head.size} bytes); Terraform "
        "would take it for no state and create everything a second time",
        next_step=f"put one of its copies back: holdfast state backups {folder}",
    )
