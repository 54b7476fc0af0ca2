"""A shard's configuration as resources in their constructs, and which resource refers to which.

What a resource refers to is found in its expressions, through data sources and local values.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from holdfast_orchestrator.app.manifest import Shard
from holdfast_orchestrator.terraform.references import Reference, declared, references

Path = tuple[str, ...]


@dataclass(frozen=True)
class Groups:
    """Resources by group, and (from, to) for each that refers to another; all by address."""

    groups: Mapping[str, tuple[str, ...]]
    references: frozenset[tuple[str, str]]

    @cached_property
    def group_of(self) -> Mapping[str, str]:
        """The group of each resource."""
        return {address: name for name, members in self.groups.items() for address in members}

    @cached_property
    def arrows(self) -> Mapping[tuple[str, str], int]:
        """How many references lead from one group to another."""
        ends = ((self.group_of[start], self.group_of[end]) for start, end in self.references)
        return Counter((start, end) for start, end in ends if start != end)


@dataclass(frozen=True)
class Inside:
    """Each resource's construct path below the stack, and (from, to) for each reference; by address."""

    paths: Mapping[str, Path]
    references: frozenset[tuple[str, str]]

    def levels(self) -> Iterator[Groups]:
        """The resources by construct right below the stack, then by those below that, and so on."""
        for depth in range(1, 1 + max(map(len, self.paths.values()), default=0)):
            groups: dict[str, list[str]] = {}
            for address, path in sorted(self.paths.items()):
                groups.setdefault("/".join(path[:depth]), []).append(address)
            yield Groups({name: tuple(groups[name]) for name in sorted(groups)}, self.references)


def inside_of(shard: Shard) -> Inside | None:
    """Return what a shard's configuration holds, None where it uses modules: those hide what is in them."""
    blocks = declared(json.loads(shard.configuration))
    if any(block.section == "module" for block in blocks):
        return None
    resources = {block: body for block, body in blocks.items() if block.section == "resource"}
    return Inside(
        paths={str(block): _path(shard, block, body) for block, body in resources.items()},
        references=frozenset(
            (str(block), str(end))
            for block, body in resources.items()
            for end in _resources_behind(body, blocks)
            if end != block
        ),
    )


def _path(shard: Shard, block: Reference, body: Any) -> Path:
    """The construct path below the stack; the address itself where nothing is known."""
    source = shard.sources.get(str(block))
    named = source.path if source is not None else _metadata(body).get("path")
    return tuple(str(named or "").split("/")[1:]) or (str(block),)


def _metadata(body: Any) -> Mapping[str, Any]:
    comment = body.get("//") if isinstance(body, Mapping) else None
    found = comment.get("metadata") if isinstance(comment, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _resources_behind(body: Any, blocks: Mapping[Reference, Any]) -> Iterator[Reference]:
    seen: set[Reference] = set()
    ahead = list(references(body))
    while ahead:
        block = ahead.pop()
        if block in seen or block not in blocks:
            continue
        seen.add(block)
        if block.section == "resource":
            yield block
        else:
            ahead.extend(references(blocks[block]))
