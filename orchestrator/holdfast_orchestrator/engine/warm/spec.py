"""What a provider process is started with: what both sides of the control socket speak of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What to start: processes of equal specs differ in nothing but their configuration.

    `defers` where a provider may answer differently to a command that allows deferred changes; plan and
    apply differ in that, and cannot share a process then.
    """

    binary: Path
    checksum: str
    folder: Path
    defers: bool = True
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Spec":
        """Read what `to_json` wrote."""
        return cls(
            binary=Path(document["binary"]),
            checksum=document["checksum"],
            folder=Path(document["folder"]),
            defers=document["defers"],
            environ=document["environ"],
        )

    def to_json(self) -> dict[str, Any]:
        """Return it for the gateway. It holds credentials."""
        return {
            "binary": str(self.binary),
            "checksum": self.checksum,
            "folder": str(self.folder),
            "defers": self.defers,
            "environ": dict(self.environ),
        }

    @property
    def key(self) -> str:
        """What tells it from others."""
        return json.dumps(self.to_json(), sort_keys=True)
