"""What a shard reads from the shards above it: which outputs, and what they are now."""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast_orchestrator.app.manifest import Manifest, Shard
from holdfast_orchestrator.change_detection.normalize import place_read, states_read
from holdfast_orchestrator.context.tools import Tools
from holdfast_orchestrator.engine.diagnostics import CommandFailedError
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.record.fingerprint import InputFingerprint, ObjectStamp
from holdfast_orchestrator.state.object_store import ObjectHead, ObjectReader
from holdfast_orchestrator.state.snapshot import read_snapshot, snapshot_of
from holdfast_orchestrator.terraform.backends import remote_states
from holdfast_orchestrator.terraform.json_values import Document, digest, texts

_ABSENT = digest(None)
_DATA_SOURCE = re.compile(r"(?:module\.[^.]+\.)*data\.")
_REFERENCE = re.compile(r"data\.terraform_remote_state\.([A-Za-z0-9_-]+)\.outputs\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class Read:
    """A state that was read: which one, and the digest of each of its outputs."""

    mark: ObjectStamp | None
    outputs: Mapping[str, str]

    def of(self, names: frozenset[str]) -> InputFingerprint:
        """Return the outputs of these names; one that is not there is known as that."""
        return InputFingerprint(self.mark, {name: self.outputs.get(name, _ABSENT) for name in sorted(names)})


@dataclass(kw_only=True)
class Upstreams:
    """The states above, each looked at once, however many shards ask; safe between threads."""

    manifest: Manifest
    tools: Tools
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _guards: dict[str, threading.Lock] = field(default_factory=dict)
    _marks: dict[str, ObjectStamp | None] = field(default_factory=dict)
    _read: dict[str, Read] = field(default_factory=dict)

    def marks(self, configuration: Document) -> Mapping[str, ObjectStamp | None]:
        """Which state there is now of each shard that a configuration reads from."""
        return {name: self.mark(name) for name in outputs_needed(configuration, self.manifest)}

    def now(
        self, configuration: Document, recorded: Mapping[str, InputFingerprint]
    ) -> Mapping[str, InputFingerprint]:
        """What a configuration reads now; a state that is still the recorded one is not read again."""
        inputs = {}
        for name, names in outputs_needed(configuration, self.manifest).items():
            before, mark = recorded.get(name), self.mark(name)
            is_same = before is not None and mark is not None and before.mark == mark
            if before is not None and is_same and set(before.outputs) == names:
                inputs[name] = before
            else:
                inputs[name] = self.read(name).of(names)
        return inputs

    def digests(self, shard: Shard) -> Mapping[str, str]:
        """A digest of what `shard` reads now of each shard above it, by that shard's name."""
        needed = outputs_needed(json.loads(shard.configuration), self.manifest)
        return {name: digest(self.read(name).of(names).outputs) for name, names in needed.items()}

    def mark(self, name: str) -> ObjectStamp | None:
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
                shard = self.manifest.by_name[name]
                self._read[name] = read_outputs(self.tools.store(shard), shard.state.key)
            return self._read[name]

    def note(self, name: str, mark: ObjectStamp | None) -> None:
        """Keep what somebody else has just found out."""
        with self._guard(name):
            self._marks.setdefault(name, mark)

    def _guard(self, name: str) -> threading.Lock:
        with self._lock:
            return self._guards.setdefault(name, threading.Lock())


def read_outputs(store: ObjectReader, key: str) -> Read:
    """Read the outputs of a state. Raises NeedsPersonError for an object that is none."""
    stored = store.get(key)
    if stored is None:
        return Read(None, {})
    outputs = snapshot_of(stored).outputs
    return Read(mark_of(stored.head), {name: digest(value) for name, value in outputs.items()})


def mark_of(head: ObjectHead | None) -> ObjectStamp | None:
    """Return the stamp of an object, None for none."""
    return None if head is None else ObjectStamp(head.etag, head.version)


def strangers(configuration: Document, manifest: Manifest) -> tuple[str, ...]:
    """The states a configuration reads that belong to no shard of the app, in words."""
    foreign = {place for place in states_read(configuration) if place not in manifest.by_place}
    return tuple(f"it reads a state outside of this app ({bucket}/{key})" for bucket, key in sorted(foreign))


def waits_for(shard: Shard, manifest: Manifest, tools: Tools) -> tuple[str, ...]:
    """Return the upstream shards whose state lacks an output that `shard` refers to, by name."""
    needed = outputs_needed(json.loads(shard.configuration), manifest)
    return tuple(
        name
        for name, outputs in sorted(needed.items())
        if not outputs <= _outputs(manifest.by_name[name], tools)
    )


def undeployed_upstreams(
    error: HoldfastError, shard: Shard, manifest: Manifest, tools: Tools
) -> tuple[str, ...]:
    """Return the shards without a state that a failed plan of `shard` waits for, by name.

    Those it depends on, where nothing but data sources failed: they looked for what is yet to be made.
    """
    if not isinstance(error, CommandFailedError):
        return ()
    failed = [diagnostic.address or "" for diagnostic in error.diagnostics if diagnostic.is_error]
    if not failed or not all(_DATA_SOURCE.match(address) for address in failed):
        return ()
    upstreams = (manifest.by_name[name] for name in shard.depends_on if name in manifest.by_name)
    return tuple(
        sorted(
            upstream.name
            for upstream in upstreams
            if read_snapshot(tools.store(upstream), upstream.state.key) is None
        )
    )


def outputs_needed(configuration: Mapping[str, Any], manifest: Manifest) -> Mapping[str, frozenset[str]]:
    """Return the outputs that a configuration refers to, by the name of the shard that has them."""
    needed = _needed_outputs(configuration)
    return {
        manifest.by_place[place].name: frozenset(outputs)
        for place, outputs in sorted(needed.items())
        if place in manifest.by_place
    }


def outputs_read(configuration: Mapping[str, Any], place: tuple[str, str]) -> frozenset[str]:
    """Return the outputs that a configuration reads from the state at `place`, a bucket and a key."""
    return frozenset(_needed_outputs(configuration).get(place, ()))


def _outputs(shard: Shard, tools: Tools) -> set[str]:
    snapshot = read_snapshot(tools.store(shard), shard.state.key)
    return set() if snapshot is None else set(snapshot.outputs)


def _needed_outputs(document: Mapping[str, Any]) -> Mapping[tuple[str, str], set[str]]:
    sources = dict(remote_states(document))
    references = {reference for text in texts(document) for reference in _REFERENCE.findall(text)}
    needed = defaultdict[tuple[str, str], set[str]](set)
    for source, output in references:
        needed[place_read(sources.get(source))].add(output)
    return needed
