"""What a shard reads from the shards above it: which outputs, and what they are now."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast_orchestrator.manifest import Manifest, Shard
from holdfast_orchestrator.plan.upstream import outputs_needed
from holdfast_orchestrator.record.footing import InputFooting, Mark
from holdfast_orchestrator.rollback.documents import Document, digest
from holdfast_orchestrator.state.snapshot import snapshot_of
from holdfast_orchestrator.state.store import ObjectHead, ObjectStore
from holdfast_orchestrator.tools import Tools
from holdfast_orchestrator.unchanged.normal import remote_states

_ABSENT = digest(None)


@dataclass(frozen=True, slots=True)
class Read:
    """A state that was read: which one, and the digest of each of its outputs."""

    mark: Mark | None
    outputs: Mapping[str, str]

    def of(self, names: frozenset[str]) -> InputFooting:
        """Return the outputs of these names; one that is not there is known as that."""
        return InputFooting(self.mark, {name: self.outputs.get(name, _ABSENT) for name in sorted(names)})


@dataclass(kw_only=True)
class Upstreams:
    """The states above, each looked at once, however many shards ask; safe between threads."""

    manifest: Manifest
    tools: Tools
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _guards: dict[str, threading.Lock] = field(default_factory=dict)
    _marks: dict[str, Mark | None] = field(default_factory=dict)
    _read: dict[str, Read] = field(default_factory=dict)

    def marks(self, configuration: Document) -> Mapping[str, Mark | None]:
        """Which state there is now of each shard that a configuration reads from."""
        return {name: self.mark(name) for name in outputs_needed(configuration, self.manifest)}

    def now(self, configuration: Document, known: Mapping[str, InputFooting]) -> Mapping[str, InputFooting]:
        """What a configuration reads now; a state that is still the known one is not read again."""
        found = {}
        for name, names in outputs_needed(configuration, self.manifest).items():
            before, mark = known.get(name), self.mark(name)
            if before is not None and mark is not None and _is_known(before, mark, names):
                found[name] = before
            else:
                found[name] = self.read(name).of(names)
        return found

    def digests(self, shard: Shard) -> Mapping[str, str]:
        """A digest of what `shard` reads now of each shard above it, by that shard's name."""
        needed = outputs_needed(json.loads(shard.configuration), self.manifest)
        return {name: digest(self.read(name).of(names).outputs) for name, names in needed.items()}

    def mark(self, name: str) -> Mark | None:
        """Which object the state of shard `name` is."""
        with self._guard(name):
            if name not in self._marks:
                shard = self.manifest.by_name[name]
                self._marks[name] = mark_of(self.tools.store(shard).head(shard.state.key))
            return self._marks[name]

    def read(self, name: str) -> Read:
        """The outputs of shard `name`."""
        with self._guard(name):
            if name not in self._read:
                self._read[name] = read_outputs(
                    self.tools.store(self.manifest.by_name[name]), self._key(name)
                )
            return self._read[name]

    def note(self, name: str, mark: Mark | None) -> None:
        """Keep what somebody else has just found out."""
        with self._guard(name):
            self._marks.setdefault(name, mark)

    def _key(self, name: str) -> str:
        return self.manifest.by_name[name].state.key

    def _guard(self, name: str) -> threading.Lock:
        with self._lock:
            return self._guards.setdefault(name, threading.Lock())


def read_outputs(store: ObjectStore, key: str) -> Read:
    """Read the outputs of a state. Raises NeedsPersonError for an object that is none."""
    stored = store.get(key)
    if stored is None:
        return Read(None, {})
    outputs = snapshot_of(stored).outputs
    return Read(mark_of(stored.head), {name: digest(value) for name, value in outputs.items()})


def _is_known(before: InputFooting, mark: Mark, names: frozenset[str]) -> bool:
    return before.mark == mark and set(before.outputs) == names


def mark_of(head: ObjectHead | None) -> Mark | None:
    """Which object it is; None for none."""
    return None if head is None else Mark(head.etag, head.version)


def strangers(configuration: Document, manifest: Manifest) -> tuple[str, ...]:
    """The states a configuration reads that belong to no shard of the app, in words."""
    foreign = {place for place in remote_states(configuration) if place not in manifest.by_place}
    return tuple(f"it reads a state outside of this app ({bucket}/{key})" for bucket, key in sorted(foreign))
