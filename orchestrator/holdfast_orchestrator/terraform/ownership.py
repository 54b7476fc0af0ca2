"""Whose an object is: what a look or the guard found out about a create, and what that proves.

A create that Terraform reports as complete proves that the object is new only where the API refuses to create
one that exists. For all other types (`create_semantics`) the proof is that the object was looked for right
before its create and was absent. What is not proved may be somebody else's: it is never destroyed.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from holdfast_orchestrator.terraform.create_semantics import (
    TWINS,
    CreateRule,
    Semantics,
    is_doubtful,
    is_looked_for,
    is_new_by_itself,
    parent_kinds,
    refuses_existing,
    rule_of,
    succeeds,
)
from holdfast_orchestrator.terraform.object_keys import ObjectKey, key_of, may_be_same

# In the text of each create that the guard refuses.
REFUSED = "Holdfast refused this create"

# A value that AWS made up, or that has the account in it: who has it cannot have had it before.
_MADE_UP = re.compile(r"arn:|https?://|[a-z]+-[0-9a-f]{8,17}\Z")
# The attributes by which a child names its parent.
_PARENT_NAMES = ("id", "arn", "name", "url", "bucket", "domain", "email")


class Verdict(StrEnum):
    """What is known of the object that a create is about to make."""

    ABSENT = "absent"
    """Nothing was there."""
    FOUND = "found"
    """It is there and is not ours: the create would take it over."""
    OWN = "own"
    """The shard's own state has it, at another address."""
    UNPROVEN = "unproven"
    """Nobody could say."""


_LEAST_FIRST = (Verdict.FOUND, Verdict.UNPROVEN, Verdict.OWN, Verdict.ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The result of one look at an object.

    `kind` is the Terraform type as the configuration has it. `import_id` is the id to import the object by,
    where it was found, `tags` are its own (None for none); `why` says why nobody could find out.
    """

    key: ObjectKey
    kind: str
    verdict: Verdict
    import_id: str = ""
    tags: Mapping[str, str] | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as the journal and the gateway's socket have them."""
        return {
            "kind": self.kind,
            "key": [self.key.kind, self.key.name, self.key.place],
            "verdict": self.verdict.value,
            "id": self.import_id,
            "tags": None if self.tags is None else dict(self.tags),
            "why": self.why,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Sighting":
        """Read what `to_json` wrote."""
        return cls(
            key=ObjectKey(*document["key"]),
            kind=document["kind"],
            verdict=Verdict(document["verdict"]),
            import_id=document.get("id", ""),
            tags=document.get("tags"),
            why=document.get("why", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a shard has: keys of its state's objects, and what children may name as their parents.

    `gone` are keys this run has deleted: AWS may show a deleted object for a moment longer. `tags` are those
    that prove that an object is the shard's.
    """

    own: frozenset[ObjectKey] = frozenset()
    parents: frozenset[tuple[str, str]] = frozenset()
    gone: frozenset[ObjectKey] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)

    def has(self, key: ObjectKey) -> bool:
        """Say whether the state has this object."""
        return is_among(key, self.own)

    def to_json(self) -> dict[str, Any]:
        """Return the fields for the gateway."""
        return {
            "own": [[key.kind, key.name, key.place] for key in sorted(self.own, key=str)],
            "parents": sorted(map(list, self.parents)),
            "gone": [[key.kind, key.name, key.place] for key in sorted(self.gone, key=str)],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Holdings":
        """Read what `to_json` wrote."""
        return cls(
            own=frozenset(ObjectKey(*key) for key in document["own"]),
            parents=frozenset((kind, value) for kind, value in document["parents"]),
            gone=frozenset(ObjectKey(*key) for key in document["gone"]),
        )


@dataclass(slots=True)
class Sightings:
    """The newest result for each object in one run; `gone` is what the run has deleted."""

    by_key: dict[ObjectKey, Sighting] = field(default_factory=dict)
    gone: set[ObjectKey] = field(default_factory=set)

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Take later sightings over earlier ones."""
        self.by_key.update((sighting.key, sighting) for sighting in sightings)

    def of(self, key: ObjectKey) -> Sighting | None:
        """Return what was seen of an object, None where nobody looked.

        Where the place is not known and several can be meant, the one that proves least.
        """
        if key in self.by_key:
            return self.by_key[key]
        possible = [sighting for other, sighting in self.by_key.items() if may_be_same(key, other)]
        return min(possible, key=lambda sighting: _LEAST_FIRST.index(sighting.verdict), default=None)

    def proves(self, kind: str, attributes: Mapping[str, Any]) -> bool:
        """Say whether a complete create of an object with these attributes proves that this run made it."""
        rule = rule_of(kind)
        if rule is None:
            return is_new_by_itself(kind, attributes)
        if rule.semantics is Semantics.ADOPTS:
            return False
        if refuses_existing(kind, attributes) or not is_doubtful(kind, attributes):
            return True
        return self.was_absent(kind, attributes)

    def was_absent(self, kind: str, attributes: Mapping[str, Any]) -> bool:
        """Say whether an object with these attributes was looked for before its create, and was not there."""
        return self._verdict(kind, attributes) is Verdict.ABSENT

    def was_refused(self, kind: str, attributes: Mapping[str, Any]) -> bool:
        """Say whether it was there before and is not this shard's: never to be adopted, whatever its tags."""
        return self._verdict(kind, attributes) is Verdict.FOUND

    def _verdict(self, kind: str, attributes: Mapping[str, Any]) -> Verdict | None:
        key = key_of(kind, attributes)
        sighting = None if key is None else self.of(key)
        return None if sighting is None else sighting.verdict


def judged_without_look(
    key: ObjectKey,
    kind: str,
    values: Mapping[str, Any],
    *,
    holdings: Holdings,
    made: Collection[tuple[str, str]],
) -> Sighting | None:
    """Return what is known of an object before anybody looks, None where somebody has to.

    What the run has deleted is gone. What is a part of something new, or refers to something new, cannot have
    been there: `made` are types and names of what this command creates. A setting of an object the shard has
    is nobody else's.
    """
    rule = rule_of(kind)
    if rule is None:
        return None
    if is_among(key, holdings.gone) or _is_new(rule, values, holdings=holdings, made=made):
        return Sighting(key=key, kind=kind, verdict=Verdict.ABSENT)
    return Sighting(key=key, kind=kind, verdict=Verdict.OWN) if holdings.has(key) else None


def _is_new(
    rule: CreateRule, values: Mapping[str, Any], *, holdings: Holdings, made: Collection[tuple[str, str]]
) -> bool:
    parent = (rule.parent_kind, str(values.get(rule.parent)))
    if rule.parent and (parent in made or (rule.is_setting and parent in holdings.parents)):
        return True
    new = {value for _, value in made if _MADE_UP.match(value)}
    return any(values.get(name) in new for name in rule.fields)


def is_among(key: ObjectKey, keys: Collection[ObjectKey]) -> bool:
    """Say whether a key is one of `keys`; an unknown place may be any."""
    if key in keys or ObjectKey(key.kind, key.name) in keys:
        return True
    return key.place is None and any(may_be_same(key, other) for other in keys)


def parent_names(kind: str, values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield what children may name this object by, with its type."""
    kind = TWINS.get(kind, kind)
    for name in _PARENT_NAMES:
        value = values.get(name)
        if isinstance(value, str) and value:
            yield kind, value


def holdings_of(
    objects: Iterable[tuple[str, str, Mapping[str, Any]]],
    *,
    but: Collection[str] = (),
    gone: Collection[ObjectKey] = (),
) -> Holdings:
    """Return what a state has, from the address, type and attributes of each of its objects.

    `but` are addresses whose objects a create must not meet: they are replaced, and the new one comes first
    (a new version of a secret meets the one before, and takes its place). `gone` are keys of what this run
    has deleted.
    """
    own, parents = set[ObjectKey](), set[tuple[str, str]]()
    for address, kind, attributes in objects:
        if TWINS.get(kind, kind) in parent_kinds():
            parents.update(parent_names(kind, attributes))
        key = key_of(kind, attributes)
        may_meet = address not in but or succeeds(kind)
        if key is not None and may_meet and is_looked_for(kind, attributes):
            own.add(key)
    return Holdings(own=frozenset(own), parents=frozenset(parents), gone=frozenset(gone))
