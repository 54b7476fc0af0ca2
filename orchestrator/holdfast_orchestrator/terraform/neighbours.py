"""Which objects may be changed by a change of another one: those that share an identifier with it.

An object refers to another one by a text: an id, an ARN, a name. Nobody knows all the attributes that do, and
literals refer as well as references, so every text of an object's values counts, in JSON inside of texts too,
in any case. Two objects are neighbours where

1. the id, ARN, name or URL of one is anywhere in the texts of the other, as a part of a longer word too;
2. both name one ARN, one id such as `sg-0123abcd`, or the id or name of a third known object;
3. both have one same word that at most COMMON objects have.

What leaves no common text is not seen: see docs/verify.md.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMMON = 20
"""A word that more objects have says nothing: `true`, a region, a team."""

_OWN = frozenset({"id", "arn", "name", "url", "bucket", "identifier", "key_id"})
_OWN_ENDINGS = ("_id", "_arn", "_name", "_url", "_identifier")
_ARN = re.compile(r"arn:[a-z0-9-]*:[^\s\"'\\,;|<>(){}\[\]]+")
# Partition, service, region and account: they name no object.
_ARN_BEGINS = re.compile(r"arn:[a-z0-9-]*:[a-z0-9-]*:[a-z0-9-]*:\d*:")
# The end of an id such as sg-0123abcd; what is before it may be glued to another word.
_HEXADECIMAL = re.compile(r"-[0-9a-f]{8,}")
_WORD = re.compile(r"[\w.:/@+=*-]+")
_PART = re.compile(r"[\w.@+=-]+")
_SHORTEST_WORD = 3
_DEEPEST = 8
_BETWEEN = "\n"
# So many looks for a name in the texts of an object take about a second.
_MOST_LOOKS = 1_000_000


@dataclass(frozen=True, slots=True)
class Traces:
    """The texts by which an object may be referred to, and in which it may refer to others.

    `own` identify it; `text` is all of its texts. Both are in one case.
    """

    own: frozenset[str]
    text: str

    @property
    def identifiers(self) -> frozenset[str]:
        """The ARNs and ids in its texts, of any owner."""
        return frozenset((*_ARN.findall(self.text), *_HEXADECIMAL.findall(self.text)))

    @property
    def words(self) -> frozenset[str]:
        """The words of its texts, whole and in parts."""
        whole = self.text.split(_BETWEEN)
        parts = _PART.findall(_ARN_BEGINS.sub(" ", self.text))
        words = (*whole, *_WORD.findall(self.text), *parts)
        return frozenset(word for word in words if len(word) >= _SHORTEST_WORD)


def traces_of(kind: str, *values: Mapping[str, Any]) -> Traces:
    """Return the traces of an object of type `kind`, with all the `values` that it has or had."""
    own = {text for each in values for text in _own(kind, each)}
    texts = {text.casefold() for each in values for value in each.values() for text in _texts(value)}
    return Traces(frozenset(text.casefold() for text in own), _BETWEEN.join(sorted(texts)))


class Neighbourhood:
    """Objects of which some are neighbours of what is changed."""

    def __init__(self, objects: Sequence[Traces]) -> None:
        self._objects = objects
        self._words = [each.words for each in objects]
        self._identifiers = [each.identifiers for each in objects]
        self._carriers = Counter(word for words in self._words for word in words)
        self._known = frozenset[str]().union(*(each.own for each in objects))

    def of(self, changed: Iterable[Traces]) -> frozenset[int]:
        """Return the indexes of the objects that are neighbours of one that is changed, or are it."""
        together = list(changed)
        own = frozenset[str]().union(*(each.own for each in together))
        if len(own) * len(self._objects) > _MOST_LOOKS:
            return frozenset(range(len(self._objects)))
        if not together:
            return frozenset()
        near = _Near(
            own=own,
            text=_BETWEEN.join(each.text for each in together),
            identifiers=frozenset[str]().union(*(each.identifiers for each in together)),
            words=self._telling(frozenset[str]().union(*(each.words for each in together))),
        )
        return frozenset(
            index
            for index, traces in enumerate(self._objects)
            if near.has(traces, self._identifiers[index], self._words[index])
        )

    def _telling(self, words: Collection[str]) -> frozenset[str]:
        """The words of a changed object that make those that have them its neighbours."""
        return frozenset(word for word in words if word in self._known or self._carriers[word] <= COMMON)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Near:
    own: frozenset[str]
    text: str
    identifiers: frozenset[str]
    words: frozenset[str]

    def has(self, traces: Traces, identifiers: frozenset[str], words: frozenset[str]) -> bool:
        return (
            not words.isdisjoint(self.words)
            or not identifiers.isdisjoint(self.identifiers)
            or any(name in traces.text for name in self.own)
            or any(name in self.text for name in traces.own)
        )


def _own(kind: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The values that identify an object: `id`, and `function_name` of a function for example."""
    for name, value in values.items():
        if value and isinstance(value, str) and (name in _OWN or _is_named_so(kind, name)):
            yield value


def _is_named_so(kind: str, name: str) -> bool:
    ending = next((ending for ending in _OWN_ENDINGS if name.endswith(ending)), None)
    return ending is not None and f"_{name.removesuffix(ending)}" in kind


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a value, and those of the JSON that a text holds."""
    match value:
        case str():
            yield value
            if depth < _DEEPEST and value.lstrip()[:1] in ("{", "[", '"'):
                yield from _texts(_parsed(value), depth + 1)
        case Mapping():
            for name, inner in value.items():
                yield str(name)
                yield from _texts(inner, depth)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner, depth)
        case _:
            return


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
