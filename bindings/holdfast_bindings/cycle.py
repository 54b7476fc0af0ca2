"""Finds the references that make stacks need each other, after cdktf refused the last of them.

cdktf's error names two stacks. The app's process still has all constructs then: the attributes of the stacks
in the cycle are resolved one by one, each as its own stack sees it, which shows those that refer to the next
stack; and as that stack sees it, which shows what they refer to. Nothing is written any more by then, so it
does no harm that cdktf notes these references once more.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from jsii._kernel.types import InvokeRequest
from jsii._reference_map import _refs

from holdfast_bindings.lines import Lines, calling_line

_REFUSED = re.compile(
    r"Cannot add dependency (?P<needed>\S+) to (?P<stack>\S+), because it would cause a circular"
)
_ADDRESS = re.compile(r"(?:data\.|module\.|local\.|var\.)?[A-Za-z_][\w-]*(?:\.[\w-]+)+")
_MOST_USES = 3
_LONGEST_SECONDS = 10.0
# Of a resource, its kind, its type and its name come before its attributes.
_LEVELS = {"resource": 3, "data": 3}


def explain(message: str, request: Any, lines: Lines) -> dict[str, Any] | None:
    """Return what is known of the cycle that `message` is about; None where it is about none.

    `{"cycle": [{"stack", "needs", "uses": [...], "more"}]}`: each stack needs the next, the last the first.
    A use has the user's `construct`, `attribute` and `line`, and the `reference`, `origin` and `origin_line`.
    """
    refused = _REFUSED.search(message)
    library = sys.modules.get("cdktf") or sys.modules.get("cdktn")
    if refused is None or library is None:
        return None
    search = _Search(library, lines)
    return {"cycle": search.run(refused["stack"], refused["needed"], request)}


class _Search:
    def __init__(self, library: Any, lines: Lines) -> None:
        self._library = library
        self._lines = lines
        self._until = time.monotonic() + _LONGEST_SECONDS
        self._resolver = library.DefaultTokenResolver(library.StringConcat())
        # The newest of a path: a process may have made several apps.
        self._stacks = {
            str(thing.node.path): thing
            for thing in list(_refs._refs.values())  # noqa: SLF001 - jsii has no other list of its objects
            if isinstance(thing, library.TerraformStack)
        }

    def run(self, stack: str, needed: str, request: Any) -> list[dict[str, Any]]:
        path = [stack, *self._way(needed, stack)]
        cycle = [self._edge(first, second) for first, second in zip(path, path[1:])]
        if isinstance(request, InvokeRequest) and request.method == "addDependency":
            cycle[0]["uses"] = [{"line": calling_line()}]
        return cycle

    def _way(self, start: str, end: str) -> list[str]:
        """Return the shortest way from stack to stack along what is known already, both ends included."""
        ways = [[start]]
        for way in ways:
            if way[-1] == end:
                return way
            stack = self._stacks.get(way[-1])
            needed = [] if stack is None else [str(each.node.path) for each in stack.dependencies]
            ways += [[*way, each] for each in needed if all(each not in known for known in ways)]
        return [start, end]

    def _edge(self, stack: str, needed: str) -> dict[str, Any]:
        first, second = self._stacks.get(stack), self._stacks.get(needed)
        uses = [] if first is None or second is None else list(self._uses(first, second))
        if not uses and (line := self._lines.dependency(first, second)) is not None:
            uses = [{"line": line}]
        more = len(uses) - _MOST_USES
        return {"stack": stack, "needs": needed, "uses": uses[:_MOST_USES], "more": max(more, 0)}

    def _uses(self, stack: Any, needed: Any) -> Iterator[dict[str, str]]:
        origins = {
            address: element
            for element in self._elements(needed)
            for address in _addresses(element.to_terraform())
        }
        inputs = self._inputs(stack, needed)
        for element in self._elements(stack):
            if time.monotonic() > self._until:
                return
            written = _attributes(element.to_terraform())
            if not self._refers(written, stack, needed, inputs):
                continue
            for attribute, value in _leaves(written):
                if self._refers(value, stack, needed, inputs):
                    yield self._use(element, attribute, self._resolved(value, needed), origins)

    def _use(self, element: Any, attribute: str, text: str, origins: Mapping[str, Any]) -> dict[str, str]:
        line = self._lines.assignment(element, re.split(r"[.\[]", attribute)[0])
        use = {"construct": str(element.node.path), "attribute": attribute, "line": line}
        for match in _ADDRESS.finditer(text):
            for address, origin in origins.items():
                if match[0] == address or match[0].startswith(f"{address}."):
                    where = {"origin": str(origin.node.path), "origin_line": self._lines.creation(origin)}
                    return {**use, "reference": match[0][len(address) + 1 :], **where}
        return use

    def _refers(self, value: Any, stack: Any, needed: Any, inputs: tuple[str, ...]) -> bool:
        """Whether a value in `stack` refers to `needed`: cdktf reads it through `inputs`, or refuses to."""
        try:
            text = str(self._resolve(value, stack, preparing=True))
        except RuntimeError as error:
            refused = _REFUSED.search(str(error))
            return refused is not None and refused["needed"] == str(needed.node.path)
        return any(each in text for each in inputs)

    def _inputs(self, stack: Any, needed: Any) -> tuple[str, ...]:
        name = f"cross-stack-reference-input-{needed.node.path}"
        children = (child for child in stack.node.children if child.node.id == name)
        return tuple(f"data.terraform_remote_state.{child.friendly_unique_id}." for child in children)

    def _resolved(self, value: Any, scope: Any) -> str:
        try:
            return str(self._resolve(value, scope, preparing=False))
        except RuntimeError:
            return ""

    def _resolve(self, value: Any, scope: Any, *, preparing: bool) -> Any:
        return self._library.Tokenization.resolve(
            value, resolver=self._resolver, scope=scope, preparing=preparing
        )

    def _elements(self, construct: Any) -> Iterator[Any]:
        for child in construct.node.children:
            if isinstance(child, self._library.TerraformStack):
                continue
            if isinstance(child, self._library.TerraformElement):
                yield child
            yield from self._elements(child)


def _levels(written: Mapping[str, Any]) -> Iterator[tuple[list[str], Any]]:
    """Yield what an element writes, by its block: `["resource", "aws_vpc", "main"]` and the attributes."""
    for kind, content in written.items():
        blocks = [([kind], content)]
        for _ in range(_LEVELS.get(kind, 2) - 1):
            blocks = [
                ([*names, name], inner)
                for names, outer in blocks
                if isinstance(outer, Mapping)
                for name, inner in outer.items()
            ]
        yield from blocks


def _addresses(written: Mapping[str, Any]) -> Iterator[str]:
    short = {"resource": (), "variable": ("var",), "locals": ("local",)}
    for (kind, *names), _ in _levels(written):
        yield ".".join((*short.get(kind, (kind,)), *names))


def _attributes(written: Mapping[str, Any]) -> Any:
    for _, attributes in _levels(written):
        return attributes
    return {}


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and not any(map(_is_token, value)):
        for name, each in value.items():
            if name != "//":
                yield from _leaves(each, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list) and not any(map(_is_token, value)):
        for number, each in enumerate(value):
            yield from _leaves(each, f"{place}[{number}]" if len(value) > 1 else place)
    else:
        yield place, value


def _is_token(part: Any) -> bool:
    """Whether this stands for all of the list or the table that it is a part of."""
    return isinstance(part, str) and part.startswith(("#{TfToken[", "&{TfToken["))
