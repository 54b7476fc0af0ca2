"""Whose values a shard still waits for.

cdktf hands values from stack to stack through outputs in the producer's state. Before the producer's
first deploy, or before the deploy that adds an output, the consumer cannot be planned at all:
Terraform would fail on it. Known beforehand, that is no error but an order of things.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from holdfast_orchestrator.engine.diagnostics import CommandFailedError
from holdfast_orchestrator.errors import HoldfastError
from holdfast_orchestrator.manifest import Manifest, Shard
from holdfast_orchestrator.state.snapshot import read_snapshot
from holdfast_orchestrator.tools import Tools

_DATA_SOURCE = re.compile(r"(?:module\.[^.]+\.)*data\.")
_REFERENCE = re.compile(r"data\.terraform_remote_state\.([A-Za-z0-9_-]+)\.outputs\.([A-Za-z0-9_-]+)")


def waits_for(shard: Shard, manifest: Manifest, tools: Tools) -> tuple[str, ...]:
    """Return the upstream shards whose state lacks an output that `shard` refers to, by name."""
    needed = _needed_outputs(json.loads(shard.configuration))
    waiting = set()
    for place, outputs in sorted(needed.items()):
        upstream = manifest.by_place.get(place)
        if upstream is not None and not outputs <= _outputs(upstream, tools):
            waiting.add(upstream.name)
    return tuple(sorted(waiting))


def undeployed_upstreams(
    error: HoldfastError, shard: Shard, manifest: Manifest, tools: Tools
) -> tuple[str, ...]:
    """Return the shards without a state that a failed plan of `shard` waits for, by name.

    Those it depends on, where nothing but data sources failed: they looked for what is yet to be made.
    """
    if not isinstance(error, CommandFailedError):
        return ()
    failed = [one.address or "" for one in error.diagnostics if one.is_error]
    if not failed or not all(_DATA_SOURCE.match(address) for address in failed):
        return ()
    upstreams = (manifest.by_name[name] for name in shard.depends_on if name in manifest.by_name)
    return tuple(
        sorted(one.name for one in upstreams if read_snapshot(tools.store(one), one.state.key) is None)
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
    sources = document.get("data", {}).get("terraform_remote_state", {})
    needed: dict[tuple[str, str], set[str]] = {}
    for source, output in set(_references(document)):
        config = (sources.get(source) or {}).get("config") or {}
        place = (config.get("bucket", ""), config.get("key", ""))
        needed.setdefault(place, set()).add(output)
    return needed


def _references(value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield from _REFERENCE.findall(value)
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)
