"""What a provider process is started with: the value that both sides of the control socket exchange."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What to start: processes of equal specs differ in nothing but their configuration.

    `known` providers have been looked at: they answer alike to a command that allows deferred changes (an
    apply) and one that does not (a plan), and their functions do not depend on their configuration. With
    others such commands share no process.
    """

    binary: Path
    checksum: str
    folder: Path
    known: bool = False
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Spec":
        """Read what `to_json` wrote."""
        places = {"binary": Path(document["binary"]), "folder": Path(document["folder"])}
        return cls(**{**document, **places})

    def to_json(self) -> dict[str, Any]:
        """Return it for the gateway. It holds credentials."""
        places = {"binary": str(self.binary), "folder": str(self.folder)}
        return {"checksum": self.checksum, "known": self.known, "environ": dict(self.environ), **places}

    @property
    def key(self) -> str:
        """A text that is the same for equal specs, and for no others."""
        return json.dumps(self.to_json(), sort_keys=True)
