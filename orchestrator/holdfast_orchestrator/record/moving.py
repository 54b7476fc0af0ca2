"""A move between two stacks that was begun: what both records say of it until it is done.

It is written before the first of the two states, so that a kill leaves states that are explained: the same
command goes on, and nothing else works on the two shards meanwhile.
"""

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast_orchestrator.errors import NeedsPersonError
from holdfast_orchestrator.state.object_store import ObjectReader
from holdfast_orchestrator.state_key import STATE_FILE
from holdfast_orchestrator.terraform.state_file import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """Objects at `addresses` on their way from one shard to another, both as records keep a shard.

    `states` are the states that the two folders get, `first` is the folder whose state is written first:
    while it has not got it, nothing was done.
    """

    run: str
    source: Mapping[str, Any]
    target: Mapping[str, Any]
    addresses: tuple[str, ...]
    states: Mapping[str, Recorded]
    first: str

    @property
    def folders(self) -> tuple[str, str]:
        """The state folders of the shard that gives and of the one that gains."""
        source, target = (str(note["state"]["key"]).rpartition("/")[0] for note in (self.source, self.target))
        return source, target

    @property
    def command(self) -> str:
        """The command that goes on with the move."""
        names = (str(self.source["name"]), str(self.target["name"]))
        return shlex.join(("holdfast", "move", *names, "--env", str(self.target["environment"]), "--yes"))

    def is_begun(self, store: ObjectReader) -> bool:
        """Whether the first of the two states was written."""
        stored = store.get(f"{self.first}/{STATE_FILE}")
        return stored is not None and self.gave(self.first, stored.body)

    def gave(self, folder: str, body: bytes) -> bool:
        """Say whether these bytes are the state that this move writes into the folder."""
        return self.states[folder].sha256 == hashlib.sha256(body).hexdigest()


def refuse_half_moved(store: ObjectReader, moving: Moving | None) -> None:
    """Return if no move of this shard was begun that did not end. Raises NeedsPersonError else."""
    if moving is not None and moving.is_begun(store):
        names = f"{moving.source['name']} to {moving.target['name']}"
        raise NeedsPersonError(f"the move from {names} did not end", next_step=moving.command)
